// Socket files: never wider than asked, never in anybody's way, gone in the end.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { lchownSync, lstatSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Door, Listening } from '../../src/proxy/door.ts';
import { listenUnix } from '../../src/proxy/listen-unix.ts';

let folder: string;
let path: string;
const closing: { close(): unknown }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-unix-'));
  path = join(folder, 'imap.sock');
});
afterEach(() => {
  for (const one of closing.splice(0)) one.close();
  rmSync(folder, { recursive: true });
});

const root = process.geteuid?.() === 0;

interface Asked {
  readonly path?: string;
  readonly mode?: number;
  readonly group?: string | null;
  readonly open?: readonly Door[];
}

async function listen({ open = [], ...place }: Asked = {}): Promise<Listening> {
  const listening = await listenUnix(
    { kind: 'unix', path, mode: 0o600, group: null, ...place },
    { open: new Map(open.map((one) => [one.key, one])) },
  );
  closing.push(...listening.opened);
  return listening;
}

async function door(asked: Asked = {}): Promise<Door> {
  const [first] = (await listen(asked)).doors;
  if (first === undefined) throw new TypeError('no door');
  return first;
}

const modeOf = (file: string): number => statSync(file).mode & 0o777;

async function answer(file: string): Promise<string> {
  const socket = connect(file);
  socket.on('error', () => undefined);
  const [chunk]: unknown[] = await once(socket, 'data');
  socket.destroy();
  return String(chunk);
}

const greeting = (socket: Socket): void => void socket.end('hello');

/** A socket file whose program was killed. */
async function deadSocket(file: string): Promise<void> {
  const program = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program], { stdio: 'ignore' }), 'exit');
  expect(lstatSync(file).isSocket()).toBe(true);
}

describe('a socket file', () => {
  it('leads to whoever serves the door', async () => {
    const opened = await door();
    opened.serve = greeting;
    expect(await answer(path)).toBe('hello');
    expect(opened).toMatchObject({ text: `unix:${path}`, address: null });
  });

  it.each([[0o600], [0o660], [0o666], [0o640]])('has exactly the mode %o', async (mode) => {
    const before = process.umask();
    await listen({ mode });
    expect(modeOf(path)).toBe(mode);
    expect(process.umask()).toBe(before);
  });

  it('is never wider than its mode, whatever the umask', async () => {
    const seen = new Set<number>();
    const before = process.umask(0);
    let over = false;
    // Each step of it comes back in a later turn of the event loop: none goes by unseen.
    const look = (): void => {
      for (const name of readdirSync(folder)) {
        // It may be renamed between the list and the look, by a thread of its own.
        const found = statSync(join(folder, name), { throwIfNoEntry: false });
        if (found !== undefined) seen.add(found.mode & 0o777);
      }
      if (!over) setImmediate(look);
    };
    look();
    await listen({ mode: 0o640 });
    over = true;
    look();
    process.umask(before);
    expect([...seen].filter((mode) => (mode & ~0o640) !== 0)).toEqual([]);
    expect(seen).toContain(0o640);
  });

  it.skipIf(!root)('belongs to the group, by name or number', async () => {
    await listen({ mode: 0o660, group: 'daemon' });
    const { gid } = statSync(path);
    expect(gid).toBeGreaterThan(0);
    const other = join(folder, 'other.sock');
    await listen({ path: other, mode: 0o660, group: String(gid) });
    expect(statSync(other)).toMatchObject({ gid, uid: process.geteuid?.() });
  });

  it('is refused for a group that is not there, which is named', async () => {
    await expect(listen({ group: 'no-such-group' })).rejects.toMatchObject({
      exit: 'config',
      message: expect.stringContaining('no-such-group'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lets who connects before it is served wait', async () => {
    const opened = await door();
    const client = connect(path);
    closing.push({ close: () => client.destroy() });
    await expect.poll(() => opened.waiting).toBe(1);
    opened.serve = (socket) => void socket.end('served');
    expect(await once(client, 'data').then(String)).toBe('served');
  });

  it('closes the connection of who waits when the door closes', async () => {
    const opened = await door();
    const client = connect(path);
    client.on('error', () => undefined);
    await expect.poll(() => opened.waiting).toBe(1);
    opened.close();
    await once(client, 'close');
    expect(client.bytesRead).toBe(0);
  });

  it('is removed when the door closes', async () => {
    const opened = await door();
    expect(readdirSync(folder)).toEqual(['imap.sock']);
    opened.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stays when another took its place before the door closed', async () => {
    const opened = await door();
    unlinkSync(path);
    const other = createServer().listen(path);
    closing.push(other);
    await once(other, 'listening');
    opened.close();
    expect(readdirSync(folder)).toEqual(['imap.sock']);
  });
});

describe('what others put beside a socket file', () => {
  it('stays when the door closes', async () => {
    const opened = await door();
    writeFileSync(`${path}~`, 'precious');
    symlinkSync('elsewhere', `${path}~~`);
    opened.close();
    expect(readdirSync(folder).toSorted()).toEqual(['imap.sock~', 'imap.sock~~']);
  });

  it('stays when it is another door, and is served', async () => {
    const opened = await door();
    (await door({ path: `${path}~` })).serve = greeting;
    opened.close();
    expect(await answer(`${path}~`)).toBe('hello');
  });

  it('is not bound over while somebody makes the same file', async () => {
    const other = createServer().listen(`${path}~`);
    closing.push(other);
    await once(other, 'listening');
    await expect(listen()).rejects.toMatchObject({ code: 'listen-busy' });
    expect(readdirSync(folder)).toEqual(['imap.sock~']);
  });

  it('two that make one file at once are one and a refusal', async () => {
    const both = await Promise.allSettled([listen(), listen()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(folder)).toEqual(['imap.sock']);
  });
});

describe('what stands in the way of a socket file', () => {
  it('is replaced when it is a dead socket of our own', async () => {
    await deadSocket(path);
    (await door()).serve = greeting;
    expect(await answer(path)).toBe('hello');
  });

  it('is replaced when it was left half made', async () => {
    await deadSocket(`${path}~`);
    await listen();
    expect(readdirSync(folder)).toEqual(['imap.sock']);
  });

  it('is refused and stays when a program answers there', async () => {
    const other = createServer((socket) => socket.on('error', () => undefined).end('other')).listen(path);
    closing.push(other);
    await once(other, 'listening');
    await expect(listen()).rejects.toMatchObject({
      code: 'listen-busy',
      exit: 'network',
      message: expect.stringContaining(`uid ${process.geteuid?.()} listens there`),
    });
    expect(await answer(path)).toBe('other');
    expect(readdirSync(folder)).toEqual(['imap.sock']);
  });

  it.skipIf(!root)('is refused and stays when it is a dead socket of somebody else', async () => {
    await deadSocket(path);
    chownSync(path, 12_345, 12_345);
    await expect(listen()).rejects.toMatchObject({
      code: 'listen-failed',
      message: expect.stringContaining('uid 12345'),
    });
    expect(lstatSync(path).uid).toBe(12_345);
  });

  it.each([
    ['a file', () => writeFileSync(path, 'mail')],
    ['a folder', () => mkdirSync(path)],
    ['a link to nothing', () => symlinkSync(join(folder, 'elsewhere'), path)],
  ])('is refused and stays when it is %s', async (_, make) => {
    make();
    const before = lstatSync(path);
    await expect(listen()).rejects.toMatchObject({
      code: 'listen-failed',
      message: expect.stringContaining(path),
    });
    expect(lstatSync(path).ino).toBe(before.ino);
    expect(readdirSync(folder)).toEqual(['imap.sock']);
  });
});

describe('the folder of a socket file', () => {
  it('is asked for when it is missing, with the line that makes it', async () => {
    const missing = join(folder, 'run');
    await expect(listen({ path: join(missing, 'imap.sock') })).rejects.toMatchObject({
      code: 'listen-failed',
      hint: expect.stringContaining(`mkdir -p -m 0755 ${missing}`),
    });
  });

  it.each([[0o757], [0o775]])('is refused when others may replace files in it: %o', async (mode) => {
    // Group 0 is root's own: its members can do no more than root.
    if (root) chownSync(folder, 0, 12_345);
    chmodSync(folder, mode);
    await expect(listen()).rejects.toMatchObject({ code: 'listen-unsafe' });
    chmodSync(folder, 0o1000 | mode);
    await expect(listen()).resolves.toMatchObject({ skipped: [] });
  });

  it.skipIf(!root)('is refused when it belongs to somebody else', async () => {
    chownSync(folder, 12_345, 0);
    await expect(listen()).rejects.toMatchObject({
      code: 'listen-unsafe',
      message: expect.stringContaining('uid 12345'),
    });
  });

  it.each([[0o757], [0o775]])('is refused when others may replace one above it: %o', async (mode) => {
    const above = join(folder, 'above');
    const inside = join(above, 'run', 'imap.sock');
    mkdirSync(join(above, 'run'), { recursive: true });
    await listen({ path: inside });
    if (root) chownSync(above, 0, 12_345);
    chmodSync(above, mode);
    await expect(listen({ path: inside })).rejects.toMatchObject({
      code: 'listen-unsafe',
      message: expect.stringContaining(above),
      hint: expect.stringContaining(above),
    });
    chmodSync(above, 0o1000 | mode);
    await expect(listen({ path: join(above, 'run', 'pop.sock') })).resolves.toMatchObject({ skipped: [] });
  });

  it.skipIf(!root)('is refused when one above it belongs to somebody else', async () => {
    mkdirSync(join(folder, 'above', 'run'), { recursive: true });
    chownSync(join(folder, 'above'), 12_345, 0);
    await expect(listen({ path: join(folder, 'above', 'run', 'imap.sock') })).rejects.toMatchObject({
      code: 'listen-unsafe',
      message: expect.stringContaining(`${join(folder, 'above')} belongs to uid 12345`),
    });
  });

  it.each(['run', '../above/run', 'absolute'])('may be reached by a link of our own: %s', async (to) => {
    mkdirSync(join(folder, 'above', 'run'), { recursive: true });
    const link = join(folder, 'above', 'link');
    symlinkSync(to === 'absolute' ? join(folder, 'above', 'run') : to, link);
    await listen({ path: join(link, 'imap.sock') });
    expect(readdirSync(join(folder, 'above', 'run'))).toEqual(['imap.sock']);
  });

  it.skipIf(!root)(
    'is refused when the link to it, or what it leads through, is of somebody else',
    async () => {
      mkdirSync(join(folder, 'theirs', 'run'), { recursive: true });
      mkdirSync(join(folder, 'run'));
      symlinkSync('run', join(folder, 'link'));
      lchownSync(join(folder, 'link'), 12_345, 0);
      await expect(listen({ path: join(folder, 'link', 'imap.sock') })).rejects.toMatchObject({
        code: 'listen-unsafe',
        message: expect.stringContaining(`the link ${join(folder, 'link')} belongs to uid 12345`),
      });
      symlinkSync('theirs/run', join(folder, 'through'));
      chownSync(join(folder, 'theirs'), 12_345, 0);
      await expect(listen({ path: join(folder, 'through', 'imap.sock') })).rejects.toMatchObject({
        code: 'listen-unsafe',
        message: expect.stringContaining(join(folder, 'theirs')),
      });
    },
  );

  it('is refused when a link to it leads round and round', async () => {
    symlinkSync('round', join(folder, 'round'));
    await expect(listen({ path: join(folder, 'round', 'imap.sock') })).rejects.toMatchObject({
      code: 'listen-failed',
    });
  });

  it('must be a folder', async () => {
    writeFileSync(path, '');
    await expect(listen({ path: join(path, 'imap.sock') })).rejects.toMatchObject({ code: 'listen-failed' });
  });
});

const padded = (bytes: number): string => join(folder, 'x'.repeat(bytes - folder.length - 1));

describe('the path of a socket file', () => {
  it.skipIf(process.platform !== 'linux')('may have 106 bytes and not one more', async () => {
    (await door({ path: padded(106) })).serve = greeting;
    expect(await answer(padded(106))).toBe('hello');
    await expect(listen({ path: padded(107) })).rejects.toMatchObject({
      message: expect.stringContaining('107 bytes'),
      hint: expect.stringContaining('106'),
    });
  });

  it.each([['imap.sock'], ['\0imap'], ['/run/a\0b']])('must be absolute and whole: %j', async (bad) => {
    await expect(listen({ path: bad })).rejects.toMatchObject({ exit: 'config', code: 'listen-failed' });
  });
});

describe('a socket file that is listened on already', () => {
  it('is kept, and a new mode is given to it', async () => {
    const opened = await door();
    const { ino } = statSync(path);
    const again = await listen({ mode: 0o660, open: [opened] });
    expect(again).toMatchObject({ doors: [opened], opened: [] });
    expect(modeOf(path)).toBe(0o660);
    await again.undo();
    expect(modeOf(path)).toBe(0o600);
    expect(statSync(path).ino).toBe(ino);
  });

  it.skipIf(!root)('gets its own group back when the new place names none', async () => {
    const opened = await door({ mode: 0o660, group: '12345' });
    await listen({ mode: 0o660, open: [opened] });
    expect(statSync(path).gid).toBe(process.getegid?.());
  });

  it('is made anew when its file is gone', async () => {
    const opened = await door();
    unlinkSync(path);
    const again = await listen({ open: [opened] });
    expect(again.opened).toHaveLength(1);
    opened.close();
    expect(readdirSync(folder)).toEqual(['imap.sock']);
  });
});
