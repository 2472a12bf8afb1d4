import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findDaemon, noDaemon, socketsToTry } from '../../src/admin/find.ts';
import type { Lookup } from '../../src/admin/find.ts';
import { openOperator } from '../../src/admin/local.ts';
import { CommandError } from '../../src/errors.ts';

const lookup = (changes: Partial<Lookup>): Lookup => ({
  flag: null,
  config: null,
  env: {},
  stateSocket: null,
  ...changes,
});

let folder: string;
let servers: Server[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-find-'));
  servers = [];
});
afterEach(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

async function listenAt(path: string): Promise<string> {
  const server = createServer((socket) => socket.destroy());
  server.listen(path);
  await once(server, 'listening');
  servers.push(server);
  return path;
}

describe('order', () => {
  const wellKnown = { XDG_RUNTIME_DIR: '/run/user/5' };
  test.each<[string, Partial<Lookup>, readonly string[]]>([
    ['--socket alone', { flag: '/a', config: '/b', env: { ...wellKnown, LETTERLOCK_SOCKET: '/c' } }, ['/a']],
    ['the state of -c FILE alone', { config: '/b', env: { ...wellKnown, LETTERLOCK_SOCKET: '/c' } }, ['/b']],
    ['$LETTERLOCK_SOCKET alone', { env: { ...wellKnown, LETTERLOCK_SOCKET: '/c' } }, ['/c']],
    [
      'the system, the user, the default state',
      { env: wellKnown, stateSocket: '/s' },
      ['/run/letterlock/admin.sock', '/run/user/5/letterlock/admin.sock', '/s'],
    ],
    ['no runtime directory', {}, ['/run/letterlock/admin.sock']],
    [
      'a runtime directory that is not absolute',
      { env: { XDG_RUNTIME_DIR: 'run' } },
      ['/run/letterlock/admin.sock'],
    ],
    ['an empty variable', { env: { LETTERLOCK_SOCKET: '' } }, ['/run/letterlock/admin.sock']],
  ])('%s', (_name, changes, expected) => {
    expect(socketsToTry(lookup(changes))).toEqual(expected);
  });
});

describe('looking', () => {
  test('takes the first that answers and remembers the others', async () => {
    const wellKnown = [
      join(folder, 'none'),
      await listenAt(join(folder, 'one')),
      await listenAt(join(folder, 'two')),
    ];
    expect(await findDaemon(lookup({ wellKnown }))).toEqual({
      path: wellKnown[1],
      tried: [{ path: wellKnown[0], trouble: 'absent', detail: null }],
    });
  });

  test('never falls back from a socket that was named', async () => {
    const wellKnown = [await listenAt(join(folder, 'one'))];
    for (const named of [{ flag: '/none' }, { config: '/none' }, { env: { LETTERLOCK_SOCKET: '/none' } }]) {
      expect((await findDaemon(lookup({ ...named, wellKnown }))).path).toBeNull();
    }
  });

  test.each<[string, (path: string) => Promise<unknown> | void, object]>([
    [
      'a symbolic link',
      async (path) => symlinkSync(await listenAt(`${path}.real`), path),
      { trouble: 'not trustworthy', detail: 'it is a symbolic link' },
    ],
    [
      'a file',
      (path) => writeFileSync(path, ''),
      { trouble: 'not trustworthy', detail: 'it is not a socket' },
    ],
    ['nothing', () => undefined, { trouble: 'absent' }],
  ])('does not use %s', async (_name, place, expected) => {
    const path = join(folder, 'admin.sock');
    await place(path);
    expect(await findDaemon(lookup({ flag: path }))).toMatchObject({ path: null, tried: [expected] });
  });

  test('a path too long is told, not cut', async () => {
    const path = join(folder, 'x'.repeat(120));
    expect(await findDaemon(lookup({ flag: path }))).toMatchObject({ tried: [{ trouble: 'path too long' }] });
  });
});

describe.runIf(process.getuid?.() === 0)('a socket of another user', () => {
  const nobody = 65_534;
  const place = async (mode: number, owner: number): Promise<string> => {
    const inner = join(folder, 'run');
    mkdirSync(inner);
    const path = await listenAt(join(inner, 'admin.sock'));
    chownSync(path, nobody, nobody);
    chownSync(inner, owner, owner);
    chmodSync(inner, mode);
    return path;
  };

  test.each([
    ['in a folder of root', 0o755, 0, true],
    ['in its own folder', 0o700, nobody, true],
    ['in a folder of a third user', 0o755, 1, false],
    ['where everybody may write', 0o1777, 0, false],
  ])('%s is used: %s', async (_name, mode, owner, used) => {
    const path = await place(mode, owner);
    const found = await findDaemon(lookup({ flag: path }));
    expect(found.path).toBe(used ? path : null);
    if (!used) expect(found.tried[0]?.trouble).toBe('not trustworthy');
  });
});

const tried = (trouble: 'absent' | 'permission denied') => [
  { path: '/run/letterlock/admin.sock', trouble, detail: null },
];

describe('when there is none', () => {
  test('the error lists what was tried', () => {
    const error = noDaemon(tried('absent'), ['status']);
    expect(error.exit).toBe('no-daemon');
    expect(error.message).toBe(
      'no letterlock daemon is running; tried\n  /run/letterlock/admin.sock: absent',
    );
    expect(error.hint).toContain('-c FILE, --state DIR, or --socket PATH');
  });

  test('a denied one gives the line that works', () => {
    const error = noDaemon(tried('permission denied'), [
      'pins',
      'approve',
      "o'neill.example:993",
      '--expect',
      'sha256//A=',
    ]);
    expect(error.code).toBe('socket-denied');
    expect(error.hint).toBe(
      `Run: sudo letterlock pins approve 'o'\\''neill.example:993' --expect sha256//A= --socket /run/letterlock/admin.sock`,
    );
  });

  test('the line does not name the socket twice', () => {
    expect(noDaemon(tried('permission denied'), ['status', '--socket', '/x']).hint).toBe(
      'Run: sudo letterlock status --socket /x',
    );
  });
});

const open = (create: 'never' | 'if-missing') =>
  openOperator({
    state: join(folder, 'state'),
    create,
    settings: new Map(),
    now: Date.now,
    builtAt: 0,
    lookup: lookup({ flag: join(folder, 'none.sock') }),
    command: ['pins', 'list'],
  });

test('a question makes no store, and says where it looked', async () => {
  const error: unknown = await open('never').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CommandError);
  expect(error).toMatchObject({
    exit: 'store',
    code: 'store-missing',
    message: expect.stringContaining('none.sock (absent)'),
  });
  expect(() => rmSync(join(folder, 'state'), { recursive: true })).toThrow(/ENOENT/);
});

describe('without a daemon', () => {
  test('a command that may make a store makes one, for the next question', async () => {
    const first = await open('if-missing');
    const pin = 'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
    await first.command({
      command: 'add',
      endpoint: 'imap.example.org:993',
      pin,
      forMs: null,
      unreject: false,
    });
    await first.close();
    const second = await open('never');
    expect((await second.pins()).map(({ endpoint, state }) => [endpoint, state])).toEqual([
      ['imap.example.org:993', 'pinned'],
    ]);
    await second.close();
  });

  test('a store in use says by whom', async () => {
    const first = await open('if-missing');
    const error: unknown = await open('never').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      exit: 'store',
      code: 'store-locked',
      message: expect.stringContaining(`pid ${process.pid}`),
    });
    await first.close();
  });
});
