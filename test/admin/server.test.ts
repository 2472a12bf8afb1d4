// The socket and what may come over it, with an engine on a memory store behind.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { remoteOperator } from '../../src/admin/client.ts';
import type { Operator } from '../../src/admin/operator.ts';
import { serveAdmin } from '../../src/admin/server.ts';
import type { AdminServer } from '../../src/admin/server.ts';
import { operateOn } from '../../src/admin/tofu-operator.ts';
import { CommandError } from '../../src/errors.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import { home, keyOf, makeStory, openTofu, tell, silent } from './world.ts';
import type { Story } from './world.ts';

let folder: string;
let path: string;
let operator: Operator;
let server: AdminServer | null;
let served: string[];
let rejected: string[];
let story: Story;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-socket-'));
  path = join(folder, 'run', 'admin.sock');
  [served, rejected, server] = [[], [], null];
  const store = openMemoryStore();
  const tofu = await openTofu(store);
  story = await makeStory();
  await tell(tofu, story);
  operator = operateOn({
    source: 'daemon',
    tofu,
    store,
    origin: 'cli',
    now: Date.now,
    settings: () => new Map(),
    status: () => Promise.reject(new TypeError('a secret of the inside')),
    reload: async () => ({ reloaded: false, problems: [] }),
    live: silent,
    close: async () => undefined,
  });
});
afterEach(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

const serve = async (
  changes: object = {},
  limits: { readonly drainMs?: number } = {},
): Promise<AdminServer> => {
  server = await serveAdmin({
    socket: { path, mode: 0o600, group: null, ...changes },
    operator,
    served: (route, status) => served.push(`${route} ${status}`),
    rejected: (reason) => rejected.push(reason),
    ...limits,
  });
  return server;
};

interface Sent {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

async function send({ method = 'GET', url = '/v1/pins', headers = {}, body }: Sent) {
  const outgoing = request({
    socketPath: path,
    method,
    path: url,
    headers: { Host: 'letterlock', ...headers },
    agent: false,
  });
  outgoing.on('error', () => undefined);
  const answered = new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve));
  outgoing.end(body);
  const response = await answered;
  const value: unknown = JSON.parse(await text(response));
  return { status: response.statusCode, value };
}

const json = { 'Content-Type': 'application/json' };
const order = (value: unknown): Sent => ({
  method: 'POST',
  url: '/v1/commands',
  headers: json,
  body: JSON.stringify(value),
});

describe('the socket', () => {
  test('is for its owner alone, in a folder for its owner alone', async () => {
    await serve();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
  });

  test('has the mode that was asked for, and leaves the umask as it was', async () => {
    const before = process.umask(0o022);
    try {
      await serve({ mode: 0o660, group: String(process.getgid?.()) });
      expect(statSync(path).mode & 0o777).toBe(0o660);
      expect(process.umask()).toBe(0o022);
    } finally {
      process.umask(before);
    }
  });

  test.each([
    ['open to everybody', { mode: 0o666 }, /must not be open to everybody/],
    ['of a group nobody has', { group: 'no-such-group' }, /no group/],
  ])('%s is refused', async (_name, changes, message) => {
    await expect(serve(changes)).rejects.toThrow(message);
    expect(existsSync(path)).toBe(false);
  });

  test('with a path too long for the system is refused', async () => {
    await expect(serve({ path: join(folder, 'x'.repeat(120)) })).rejects.toThrow(/longer than 103 bytes/);
  });

  test('left behind by a crash is replaced', async () => {
    mkdirSync(join(folder, 'run'));
    const crash = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    const { signal } = spawnSync(process.execPath, ['-e', crash, path]);
    expect([signal, lstatSync(path).isSocket()]).toEqual(['SIGKILL', true]);
    await serve();
    expect((await send({})).status).toBe(200);
  });

  test('somebody answers at is left alone', async () => {
    await serve();
    await expect(
      serveAdmin({
        socket: { path, mode: 0o600, group: null },
        operator,
        served: () => undefined,
        rejected: () => undefined,
      }),
    ).rejects.toThrow(/another program answers/);
    expect((await send({})).status).toBe(200);
  });

  test.each([
    ['a file', (at: string) => writeFileSync(at, 'mine')],
    ['a symbolic link', (at: string) => symlinkSync('/nowhere', at)],
  ])('does not replace %s', async (_name, place) => {
    mkdirSync(join(folder, 'run'));
    place(path);
    await expect(serve()).rejects.toThrow(/is not a socket/);
    expect(lstatSync(path).isSocket()).toBe(false);
  });

  test('is not put where everybody may replace it', async () => {
    mkdirSync(join(folder, 'run'));
    chmodSync(join(folder, 'run'), 0o777);
    await expect(serve()).rejects.toThrow(/everybody may replace/);
    chmodSync(join(folder, 'run'), 0o1777);
    await serve();
    expect((await send({})).status).toBe(200);
  });

  test.runIf(process.getuid?.() === 0).each([
    { name: 'of another user', uid: 65_534, gid: 0, mode: 0o755, why: /belongs to uid 65534/ },
    { name: 'that another group may write to', uid: 0, gid: 65_534, mode: 0o775, why: /group 65534/ },
  ])('is not put below a folder $name', async ({ uid, gid, mode, why }) => {
    chownSync(folder, uid, gid);
    chmodSync(folder, mode);
    await expect(serve()).rejects.toThrow(why);
    chownSync(folder, 0, 0);
    chmodSync(folder, 0o755);
    await serve();
  });

  test('is gone after closing', async () => {
    await (await serve()).close();
    expect(existsSync(path)).toBe(false);
  });
});

describe('requests', () => {
  beforeEach(() => serve());

  test.each([
    ['GET', '/v1/pins', 200],
    ['GET', `/v1/pins/${encodeURIComponent(home)}`, 200],
    ['GET', '/v1/pins/nobody.example%3A1', 404],
    ['GET', '/v1/history', 200],
    ['GET', `/v1/history?endpoint=${encodeURIComponent(home)}`, 200],
    ['GET', '/v1/history?endpoint=', 404],
    ['GET', '/v1/history?other=1', 404],
    ['GET', '/v1/explain/pin-mismatch', 200],
    ['GET', '/v1/explain', 404],
    ['GET', '/v1/explain/%', 404],
    ['GET', `/v1/explain/${'x'.repeat(400)}`, 404],
    ['POST', '/v1/verify', 200],
    ['POST', '/v1/reload', 200],
    ['GET', '/v1/commands', 405],
    ['GET', '/v1/reload', 405],
    ['DELETE', '/v1/pins', 405],
    ['GET', '/v1/pins?x=1', 404],
    ['GET', '/v1', 404],
    ['GET', '/', 404],
    ['GET', '/v2/pins', 404],
    ['GET', '/v1/pins/a/b', 404],
    ['GET', '/v1/__proto__', 404],
  ])('%s %s answers %i', async (method, url, status) => {
    expect((await send({ method, url })).status).toBe(status);
  });

  test('a mistake inside is told without its inside', async () => {
    const { status, value } = await send({ url: '/v1/status' });
    expect(status).toBe(500);
    expect(value).toEqual({
      error: {
        code: 'internal',
        message: 'letterlock made a mistake',
        hint: expect.any(String),
        exit: 'internal',
      },
    });
  });

  test.each([
    [{ Origin: 'http://localhost' }, 'bad-origin'],
    [{ Referer: 'http://localhost/' }, 'bad-origin'],
    [{ 'Sec-Fetch-Site': 'none' }, 'bad-origin'],
    [{ Cookie: 'a=b' }, 'bad-origin'],
    [{ Host: 'imap.example.org' }, 'bad-host'],
    [{ Host: '127.0.0.1:9465' }, 'bad-host'],
  ])('with %j is turned away and counted', async (headers, reason) => {
    const { status } = await send({
      ...order({ command: 'undo', endpoint: home }),
      headers: { ...json, ...headers },
    });
    expect(status).toBe(403);
    expect(rejected).toEqual([reason]);
    expect(served).toEqual([]);
  });

  test('as curl sends it is answered', async () => {
    expect(
      (await send({ headers: { Host: 'localhost', 'User-Agent': 'curl/8', Accept: '*/*' } })).status,
    ).toBe(200);
    expect(served).toEqual(['pins 200']);
  });
});

const good = () => ({
  command: 'approve',
  endpoint: home,
  expect: keyOf(story.fresh),
  forMs: null,
  as: null,
  keep: false,
  endOld: false,
  unreject: false,
});

describe('orders', () => {
  beforeEach(() => serve());

  test('that are right are carried out', async () => {
    expect((await send(order(good()))).status).toBe(200);
    expect((await operator.pin(home)).pins).toHaveLength(2);
  });

  test.each<[string, object]>([
    ['an unknown field', { more: 1 }],
    ['an unknown command', { command: 'trust' }],
    ['an endpoint that is not canonical', { endpoint: 'IMAP.example.org:993' }],
    ['no port', { endpoint: 'imap.example.org' }],
    ['a number for a fingerprint', { expect: 5 }],
    ['no fingerprint', { expect: '' }],
    ['a fingerprint without end', { expect: 'A'.repeat(600) }],
    ['a time that is over', { forMs: -1 }],
    ['a time without measure', { forMs: 1e300 }],
    ['another basis', { as: 'yes' }],
    ['a truth that is a text', { unreject: 'true' }],
  ])('with %s are refused, and nothing changes', async (_name, change) => {
    const { status, value } = await send(order({ ...good(), ...change }));
    expect(status).toBe(400);
    expect(value).toMatchObject({ error: { code: 'usage', exit: 'usage' } });
    expect((await operator.pin(home)).pins).toHaveLength(1);
  });

  test.each<[string, Sent, number]>([
    ['no body', { method: 'POST', url: '/v1/commands', headers: json }, 400],
    ['a body that is not JSON', { method: 'POST', url: '/v1/commands', headers: json, body: '{' }, 400],
    [
      'a body that is not UTF-8',
      { method: 'POST', url: '/v1/commands', headers: json, body: Buffer.from([0x22, 0xff, 0x22]) },
      400,
    ],
    [
      'a form',
      { method: 'POST', url: '/v1/commands', headers: { 'Content-Type': 'text/plain' }, body: '{}' },
      415,
    ],
    ['a list', { method: 'POST', url: '/v1/commands', headers: json, body: '[]' }, 400],
    [
      'a body over 64 KiB',
      { method: 'POST', url: '/v1/commands', headers: json, body: ' '.repeat(70_000) },
      413,
    ],
    [
      'a body of many MiB',
      { method: 'POST', url: '/v1/commands', headers: json, body: ' '.repeat(8_000_000) },
      413,
    ],
  ])('with %s are refused', async (_name, sent, status) => {
    expect((await send(sent)).status).toBe(status);
    expect((await operator.pin(home)).pins).toHaveLength(1);
  });

  test('in something else than UTF-8 are not guessed at', async () => {
    const body = Buffer.from(JSON.stringify(good()).replace('"expect":"', '"expect":"~'));
    body[body.indexOf('~')] = 0xff;
    const { value } = await send({ method: 'POST', url: '/v1/commands', headers: json, body });
    expect(value).toMatchObject({ error: { message: 'the body is not JSON' } });
  });
});

describe('the client', () => {
  test('gives back the error of the daemon, exit and hint included', async () => {
    await serve();
    await expect(remoteOperator(path).pin('nobody.example:1')).rejects.toMatchObject({
      exit: 'not-found',
      hint: expect.stringContaining('letterlock pins list'),
    });
  });

  test('says no-daemon where nobody listens', async () => {
    await expect(remoteOperator(path).pins()).rejects.toMatchObject({ exit: 'no-daemon' });
  });

  test.each<[string, (socket: Socket) => void, object]>([
    ['says nothing', () => undefined, { exit: 'no-daemon' }],
    ['closes at once', (socket) => socket.destroy(), { exit: 'no-daemon' }],
    ['speaks something else', (socket) => socket.end('* OK IMAP4rev1\r\n'), { exit: 'no-daemon' }],
    [
      'says no JSON',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<>'),
      { exit: 'internal' },
    ],
    [
      'stops in the middle',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]'),
      { exit: 'no-daemon' },
    ],
    [
      'says an error of another kind',
      (socket) => socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}'),
      { exit: 'internal' },
    ],
    [
      'claims an error is done',
      (socket) =>
        socket.end(
          'HTTP/1.1 500 Oops\r\nContent-Length: 52\r\n\r\n{"error":{"code":"x","message":"y","exit":"done"}}  ',
        ),
      { exit: 'internal', message: 'y' },
    ],
    [
      'never ends',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.write(Buffer.alloc(4096, 0x20));
      },
      { exit: 'internal', message: expect.stringContaining('too long') },
    ],
  ])('bears a program that %s', async (_name, behave, expected) => {
    mkdirSync(join(folder, 'run'));
    const impostor = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => behave(socket));
    });
    impostor.listen(path);
    await once(impostor, 'listening');
    try {
      const answer = remoteOperator(path, { deadlineMs: 300, maxAnswerBytes: 1024 }).pins();
      await expect(answer).rejects.toBeInstanceOf(CommandError);
      await expect(answer).rejects.toMatchObject(expected);
    } finally {
      impostor.close();
    }
  });
});

test('the client asks nothing of a socket that somebody put in the place of the one it knew', async () => {
  await serve();
  const daemon = remoteOperator(path);
  await daemon.pins();
  renameSync(path, `${path}.other`);
  symlinkSync(`${path}.other`, path);
  const doubted = {
    exit: 'no-daemon',
    code: 'socket-doubtful',
    message: expect.stringContaining('symbolic link'),
  };
  await expect(daemon.pins()).rejects.toMatchObject(doubted);
  const follow = daemon.follow({ after: null, signal: AbortSignal.timeout(5000) });
  await expect(follow[Symbol.asyncIterator]().next()).rejects.toMatchObject(doubted);
});

test('who reads no answer is let go, and nobody else', async () => {
  const [row] = await operator.pins();
  if (row === undefined) throw new TypeError('there are pins');
  // More than the buffers of the system take.
  operator = { ...operator, pins: async () => Array.from({ length: 5000 }, () => row) };
  await serve({}, { drainMs: 100 });
  const idle = connect({ path });
  idle.on('error', () => undefined).pause();
  idle.write('GET /v1/pins HTTP/1.1\r\nHost: letterlock\r\n\r\n');
  await expect.poll(() => served.length).toBe(1);
  const gone = async (): Promise<boolean> => {
    idle.write('\r\n');
    return idle.destroyed;
  };
  await expect.poll(gone, { timeout: 5000 }).toBe(true);
  expect((await send({})).status).toBe(200);
});

test('who asks again before it was answered is let go, and nobody else', async () => {
  await serve();
  const hasty = connect({ path });
  hasty.on('error', () => undefined).resume();
  const over = new Promise((resolve) => hasty.once('close', resolve));
  hasty.write('GET /v1/schema HTTP/1.1\r\nHost: letterlock\r\n\r\n'.repeat(5000));
  await over;
  expect(served.length).toBeLessThanOrEqual(1);
  expect((await send({})).status).toBe(200);
});

test('a connection that says nothing holds up no other', async () => {
  await serve();
  const idle = connect({ path });
  await once(idle, 'connect');
  expect((await send({})).status).toBe(200);
  idle.destroy();
});
