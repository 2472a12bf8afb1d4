// The door over raw HTTP: what is let in, and each thing that is not, by exactly the one fault under test.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { securityHeaders } from '../../../src/admin/web/headers.ts';
import { loadAssets } from '../../../src/admin/web/assets.ts';
import { openDoor } from '../../../src/admin/web/door.ts';
import { until } from '../../lab/wait.ts';
import { home, keyOf } from '../world.ts';
import { peersOf, script, World } from './world.ts';
import type { Reply, Sent } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const navigation = { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
const lowered = Object.entries(securityHeaders).map(([name, value]) => [name.toLowerCase(), value]);
type Headers = NonNullable<Sent['headers']>;

const codeOf = (reply: Reply): string | undefined => /"code":"([\w-]+)"/.exec(reply.text)?.[1];

describe('the page', () => {
  test.each<[string, Sent, string, string]>([
    ['/', {}, 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/app-ABCD1234.js', {}, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/app.css', {}, 'text/css; charset=utf-8', 'no-cache'],
  ])('%s is served with its type and as long as its name lasts', async (path, sent, type, caching) => {
    const reply = await world.send({ ...sent, path });
    expect([reply.status, reply.headers['content-type'], reply.headers['cache-control']]).toEqual([
      200,
      type,
      caching,
    ]);
    expect([world.served, world.rejected]).toEqual([['page 200'], []]);
  });

  test('is served whole to GET, without its body to HEAD, and not at all when it is known', async () => {
    const whole = await world.send({ path: '/assets/app-ABCD1234.js' });
    expect(whole.text).toBe(script);
    const head = await world.send({ method: 'HEAD', path: '/assets/app-ABCD1234.js' });
    expect([head.status, head.text, head.headers['content-length']]).toEqual([
      200,
      '',
      String(script.length),
    ]);
    const headers = { 'If-None-Match': String(whole.headers['etag']) };
    const known = await world.send({ path: '/assets/app-ABCD1234.js', headers });
    expect([known.status, known.text]).toEqual([304, '']);
  });

  test.each([
    '/index.html',
    '/assets',
    '/assets/',
    '/assets/../index.html',
    '/assets/..%2findex.html',
    '/assets/%2e%2e/index.html',
    '/assets/..\\index.html',
    '//etc/passwd',
    '/../../../../etc/passwd',
    '/assets/app-ABCD1234.js/',
    '/favicon.ico',
    '/constructor',
    'http://127.0.0.1/',
  ])('%s is no file of it', async (path) => {
    const reply = await world.send({ path });
    expect([reply.status, world.served]).toEqual([404, ['page 404']]);
  });

  test('says that it was not built where it was not', async () => {
    await world.close();
    world = await World.open({ assets: await loadAssets('/nowhere') });
    const reply = await world.send({});
    expect([reply.status, reply.text]).toEqual([503, expect.stringContaining('npm run build')]);
    expect((await world.ask('/v1/pins', { token: await world.token() })).status).toBe(200);
  });

  test.each<[string, Sent]>([
    ['the page', {}],
    ['a file', { path: '/assets/app.css' }],
    ['what is not there', { path: '/nothing' }],
    ['a wrong method', { method: 'PUT', headers: { 'Sec-Fetch-Site': 'same-origin' } }],
    ['a wrong Host', { headers: { Host: 'evil.test' } }],
    ['a wrong Origin', { headers: { Origin: 'http://evil.test' } }],
    ['no token', { path: '/v1/pins' }],
    ['no code', { method: 'POST', path: '/session', headers: { 'Sec-Fetch-Site': 'same-origin' } }],
    ['an expectation', { headers: { Expect: 'the unexpected' } }],
  ])('%s is answered with every header that protects, and none that tells what runs', async (_, sent) => {
    const { headers } = await world.send(sent);
    for (const [name = '', value] of lowered) expect([name, headers[name]]).toEqual([name, value]);
    expect(headers['server'] ?? headers['x-powered-by']).toBeUndefined();
    expect(headers['set-cookie'] ?? headers['access-control-allow-origin']).toBeUndefined();
  });

  test('allows no script but its own files, no frame, no form, and no HTML made of text', () => {
    const policy = securityHeaders['Content-Security-Policy'] ?? '';
    expect(policy).not.toMatch(/unsafe|\*|https?:|blob:|nonce|strict-dynamic/);
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "form-action 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ])
      expect(policy.split('; ')).toContain(rule);
  });
});

describe('who is not let in', () => {
  const good = { path: '/v1/pins' };

  test.each<[string, Headers, string]>([
    ['a name bound to this address', { Host: 'evil.test' }, 'bad-host'],
    ['that name with our port', { Host: 'evil.test:9466' }, 'bad-host'],
    ['a name that ends like ours', { Host: 'localhost.evil.test' }, 'bad-host'],
    ['our name without our port', { Host: 'localhost' }, 'bad-host'],
    ['our name with another port', { Host: '127.0.0.1:1' }, 'bad-host'],
    ['our address in another spelling', { Host: '127.1' }, 'bad-host'],
    ['user information', { Host: 'a@localhost' }, 'bad-host'],
    ['another origin', { Origin: 'http://evil.test' }, 'bad-origin'],
    ['another port of this machine', { Origin: 'http://127.0.0.1:8000' }, 'bad-origin'],
    ['no origin to speak of', { Origin: 'null' }, 'bad-origin'],
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }, 'bad-origin'],
    ['another port, by the browser’s word', { 'Sec-Fetch-Site': 'same-site' }, 'bad-origin'],
    ['a typed address that is not the page', { 'Sec-Fetch-Site': 'none' }, 'bad-origin'],
    ['a site nobody knows', { 'Sec-Fetch-Site': 'friendly' }, 'bad-origin'],
    ['a socket of a page', { 'Sec-Fetch-Mode': 'websocket' }, 'bad-origin'],
    ['a page that may not read the answer', { 'Sec-Fetch-Mode': 'no-cors' }, 'bad-origin'],
    ['a frame', { 'Sec-Fetch-Dest': 'iframe' }, 'bad-origin'],
    ['a script element', { 'Sec-Fetch-Dest': 'script' }, 'bad-origin'],
  ])('%s', async (_, headers, reason) => {
    const token = await world.token();
    world.served.length = 0;
    const reply = await world.ask('/v1/pins', { ...good, token, headers });
    expect([reply.status, codeOf(reply)]).toEqual([403, reason]);
    expect([world.served, world.rejected]).toEqual([[], [reason]]);
    expect((await world.ask('/v1/pins', { ...good, token })).status).toBe(200);
    expect([world.served, world.rejected]).toEqual([['pins 200'], [reason]]);
  });

  test('who sends no Host, or two', async () => {
    for (const lines of ['', `Host: ${world.door.address}\r\nHost: evil.test\r\n`]) {
      const socket = connect(world.port, '127.0.0.1');
      socket.write(`GET / HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
      expect(await replyOn(socket)).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect(world.rejected).toEqual(['bad-host', 'bad-host']);
  });

  test.each([
    ['127.0.0.1', (port: number) => `127.0.0.1:${port}`],
    ['localhost', (port: number) => `localhost:${port}`],
    ['::1', (port: number) => `[::1]:${port}`],
    ['LOCALHOST', (port: number) => `LOCALHOST:${port}`],
  ])('but who comes by %s is', async (_, host) => {
    const reply = await world.send({ headers: { Host: host(world.port), ...navigation } });
    expect([reply.status, world.served, world.rejected]).toEqual([200, ['page 200'], []]);
  });

  test.each<[string, Headers]>([
    ['from a link of another site', { ...navigation, 'Sec-Fetch-Site': 'cross-site' }],
    ['in a frame', { ...navigation, 'Sec-Fetch-Dest': 'iframe' }],
    ['as an object', { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'object' }],
    ['as an image', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
  ])('who opens the page %s', async (_, headers) => {
    expect((await world.send({ headers })).status).toBe(403);
    expect(world.rejected).toEqual(['bad-origin']);
    expect((await world.send({ headers: navigation })).status).toBe(200);
  });

  test('who writes without saying where from, even with a token', async () => {
    const token = await world.token('admin');
    const order = { method: 'POST', path: '/v1/reload', headers: { Authorization: `Bearer ${token}` } };
    expect((await world.send(order)).status).toBe(403);
    expect(world.rejected).toEqual(['bad-origin']);
    const said = { ...order, headers: { ...order.headers, Origin: world.origin } };
    expect((await world.send(said)).status).toBe(200);
  });

  test.each(['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])('who says %s', async (method) => {
    const reply = await world.ask('/v1/pins', { method });
    expect([reply.status, reply.headers['allow']]).toEqual([405, 'GET, HEAD, POST, DELETE']);
    expect(world.rejected).toEqual([]);
  });
});

/** All that comes on it until it ends. */
async function replyOn(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

const ask = (token: string): Promise<Reply> => world.ask('/v1/pins', { token });
const wrong = (): Promise<Reply> => ask('x'.repeat(43));

/** Begins to read events with this token. */
const follow = async (token: string): Promise<{ seen: () => string; over: Promise<string> }> => {
  const socket = connect(world.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const over = replyOn(socket);
  socket.write(
    `GET /v1/events HTTP/1.1\r\nHost: ${world.door.address}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  const seen = (): string => Buffer.concat(chunks).toString('latin1');
  await until('the event', () => seen().includes('it happened'));
  return { seen, over };
};

describe('a code', () => {
  test('becomes a token once', async () => {
    const { url, scope, expiresAt } = world.door.link({ scope: 'admin', uid: null });
    expect([scope, expiresAt]).toEqual(['admin', new Date(world.now + 60_000).toISOString()]);
    expect(url).toMatch(new RegExp(`^${world.origin}/#code=[\\w-]{32}$`));
    const code = new URL(url).hash.slice('#code='.length);
    const first = await world.exchange(code);
    expect([first.status, first.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(first.json()).toEqual({
      token: expect.stringMatching(/^[\w-]{43}$/),
      scope: 'admin',
      expiresAt: new Date(world.now + 12 * 3_600_000).toISOString(),
    });
    const second = await world.exchange(code);
    expect([second.status, codeOf(second)]).toEqual([401, 'bad-token']);
    expect([world.served, world.rejected, world.opened]).toEqual([['session 200'], ['bad-token'], ['admin']]);
  });

  test('exchanged twice at once becomes one token', async () => {
    const code = world.code();
    const replies = await Promise.all([...Array(8).keys()].map(() => world.exchange(code)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(world.opened).toEqual(['read']);
  });

  test('is good for a minute', async () => {
    const [late, early] = [world.code(), world.code()];
    world.now += 59_999;
    expect((await world.exchange(early)).status).toBe(200);
    world.now += 1;
    expect((await world.exchange(late)).status).toBe(401);
  });

  test('lives no longer because the clock is set back', async () => {
    const code = world.code();
    world.now -= 3_600_000;
    expect((await world.exchange(code)).status).toBe(401);
  });

  test('gives way to the latest sixteen', async () => {
    const codes = [...Array(17).keys()].map(() => world.code());
    expect((await world.exchange(codes[0] ?? '')).status).toBe(401);
    expect((await world.exchange(codes[1] ?? '')).status).toBe(200);
    expect((await world.exchange(codes[16] ?? '')).status).toBe(200);
  });

  test.each<[string, Sent, number]>([
    ['not in JSON', { body: '{' }, 400],
    ['in a form', { body: '{"code":"x"}', headers: { 'Content-Type': 'text/plain' } }, 415],
    ['without a body', {}, 400],
    ['of another kind', { body: '{"code":5}' }, 400],
    ['without end', { body: JSON.stringify({ code: 'x'.repeat(200) }) }, 400],
    ['in a body without end', { body: `"${'x'.repeat(70_000)}"` }, 413],
  ])('%s is no code', async (_, sent, status) => {
    expect((await world.ask('/session', { method: 'POST', ...sent })).status).toBe(status);
    expect([world.served, world.rejected]).toEqual([[`session ${status}`], []]);
  });
});

describe('a code that was handed to a browser', () => {
  let uid: number | null = 1000;
  beforeEach(async () => {
    await world.close();
    world = await World.open({ peers: peersOf(() => uid) });
  });

  test.each([
    ['another user', 1001],
    ['root', 0],
    ['whoever cannot be told', null],
  ])('is not good for %s, who does not use it up', async (_, who) => {
    const code = world.code('admin', 1000);
    uid = who;
    expect((await world.exchange(code)).status).toBe(401);
    expect(world.rejected).toEqual(['bad-token']);
    uid = 1000;
    expect((await world.exchange(code)).status).toBe(200);
  });

  test('is good for nobody where all users of elsewhere look like one', async () => {
    uid = 65_534;
    expect((await world.exchange(world.code('admin', 65_534))).status).toBe(401);
  });

  test('is good once however many of its user ask at once', async () => {
    uid = 1000;
    const code = world.code('admin', 1000);
    const replies = await Promise.all([...Array(8).keys()].map(() => world.exchange(code)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is good for its user by the tables of this kernel', async () => {
    await world.close();
    world = await World.open();
    const own = process.getuid?.() ?? 0;
    expect((await world.exchange(world.code('read', own + 1))).status).toBe(401);
    expect((await world.exchange(world.code('read', own))).status).toBe(200);
  });
});

describe('a token', () => {
  test('is needed', async () => {
    const reply = await world.ask('/v1/pins');
    expect([reply.status, codeOf(reply), reply.headers['www-authenticate']]).toEqual([
      401,
      'no-token',
      'Bearer realm="letterlock"',
    ]);
    expect([world.served, world.rejected]).toEqual([[], ['no-token']]);
    expect((await ask(await world.token())).status).toBe(200);
  });

  test.each([
    ['wrong', () => 'x'.repeat(43), 'bad-token'],
    ['of another length', () => 'x', 'bad-token'],
    ['a code', () => world.code(), 'bad-token'],
  ])('that is %s is refused', async (_, token, reason) => {
    const reply = await ask(token());
    expect([reply.status, codeOf(reply)]).toEqual([401, reason]);
    expect(world.rejected).toEqual([reason]);
  });

  test.each(['Basic eDp5', 'Bearer', 'bearer x', 'Bearer a b', `Bearer ${'x'.repeat(200)}`])(
    'is not read out of "%s"',
    async (Authorization) => {
      expect(codeOf(await world.ask('/v1/pins', { headers: { Authorization } }))).toBe('no-token');
    },
  );

  test('is not taken from the query or a cookie', async () => {
    const token = await world.token();
    const headers = { Cookie: `token=${token}; Authorization=Bearer ${token}` };
    expect((await world.ask(`/v1/pins?token=${token}`, { headers })).status).toBe(401);
  });

  test('ends after twelve hours, and after two that it was not used', async () => {
    const [used, idle] = [await world.token(), await world.token()];
    for (let hours = 0; hours < 11; hours += 1) {
      world.now += 3_600_000;
      expect((await ask(used)).status).toBe(200);
    }
    expect((await ask(idle)).status).toBe(401);
    world.now += 3_599_999;
    expect((await ask(used)).status).toBe(200);
    world.now += 1;
    expect((await ask(used)).status).toBe(401);
  });

  test('tells what it is for, and ends when it is told to', async () => {
    const [token, other] = [await world.token('admin'), await world.token()];
    const expiresAt = new Date(world.now + 12 * 3_600_000).toISOString();
    expect((await world.ask('/session', { token })).json()).toEqual({ scope: 'admin', expiresAt });
    expect((await world.ask('/session', { method: 'DELETE', token })).json()).toEqual({ ended: true });
    expect([(await ask(token)).status, (await ask(other)).status]).toEqual([401, 200]);
  });

  test('of a reader ends itself too', async () => {
    const token = await world.token('read');
    expect((await world.ask('/session', { method: 'DELETE', token })).status).toBe(200);
    expect((await ask(token)).status).toBe(401);
  });

  test('gives way when there are more than thirty-two, the one longest unused first', async () => {
    const first = await world.token();
    world.now += 1;
    const second = await world.token();
    world.now += 1;
    await ask(first);
    for (let more = 0; more < 31; more += 1) await world.token();
    expect([(await ask(first)).status, (await ask(second)).status]).toEqual([200, 401]);
  });

  test('dies with the door', async () => {
    const token = await world.token();
    const other = await World.open();
    expect((await other.ask('/v1/pins', { token })).status).toBe(401);
    await other.close();
  });
});

describe('a reader', () => {
  test.each(['/v1/commands', '/v1/import', '/v1/reload', '/v1/verify', '/v1/probes', '/v1/nothing'])(
    'orders nothing at %s',
    async (path) => {
      const token = await world.token('read');
      world.served.length = 0;
      const reply = await world.ask(path, { method: 'POST', token, body: '{}' });
      expect([reply.status, codeOf(reply)]).toEqual([403, 'read-only']);
      const route = path === '/v1/nothing' ? 'none' : path.slice('/v1/'.length);
      expect([world.served, world.rejected]).toEqual([[`${route} 403`], []]);
    },
  );

  test('approves nothing; an operator does, and it is written down as one of the page', async () => {
    const order = {
      method: 'POST',
      body: JSON.stringify({
        command: 'approve',
        endpoint: home,
        expect: keyOf(world.story.fresh),
        forMs: null,
        as: null,
        keep: false,
        endOld: false,
        unreject: false,
      }),
    };
    const pins = async () => (await world.operator.pin(home)).pins.length;
    const refused = await world.ask('/v1/commands', { ...order, token: await world.token('read') });
    expect([refused.status, await pins()]).toEqual([403, 1]);
    const done = await world.ask('/v1/commands', { ...order, token: await world.token('admin') });
    expect([done.status, await pins()]).toEqual([200, 2]);
    const history = await world.operator.history(home);
    expect(history.find(({ event }) => event === 'approved')).toMatchObject({ origin: 'admin' });
  });

  test('reads what there is to read', async () => {
    const token = await world.token('read');
    for (const path of ['/v1/pins', '/v1/history', '/v1/explain/pin-mismatch', '/v1/records'])
      expect((await world.ask(path, { token })).status).toBe(200);
    expect((await world.ask('/v1/status', { token })).text).not.toContain('a secret of the inside');
  });
});

test('nobody makes an address of the page through the page', async () => {
  const body = JSON.stringify({ scope: 'admin', uid: null });
  const token = await world.token('admin');
  const reply = await world.ask('/v1/dashboard', { method: 'POST', token, body });
  expect(reply.status).toBe(404);
});

describe('who guesses', () => {
  test('is told so ten times, then to wait, and shuts out nobody', async () => {
    const token = await world.token();
    const code = world.code();
    for (let guess = 0; guess < 10; guess += 1) expect((await wrong()).status).toBe(401);
    const late = await wrong();
    expect([late.status, codeOf(late), late.headers['retry-after']]).toEqual([429, 'rate', '6']);
    expect((await world.exchange('nonsense')).status).toBe(429);
    expect(world.rejected).toEqual([...Array(10).fill('bad-token'), 'rate', 'rate']);
    expect((await world.ask('/v1/pins', { token })).status).toBe(200);
    expect((await world.exchange(code)).status).toBe(200);
    world.now += 6000;
    expect([(await wrong()).status, (await wrong()).status]).toEqual([401, 429]);
  });

  test('gains nothing when the clock is set back', async () => {
    for (let guess = 0; guess < 10; guess += 1) await wrong();
    world.now -= 3_600_000;
    expect((await wrong()).status).toBe(429);
    world.now += 6000;
    expect((await wrong()).status).toBe(401);
  });
});

describe('a stream of events', () => {
  beforeEach(async () => {
    await world.close();
    world = await World.open({
      live: {
        async *follow({ signal, hello }) {
          hello?.({ id: 1, dropped: false });
          yield { id: 2, at: '', level: 'info', event: 'test', message: 'it happened', fields: {} };
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        },
      },
    });
  });

  test('comes through, with the headers that protect', async () => {
    const { seen } = await follow(await world.token());
    expect(seen()).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen()).toContain('Content-Type: text/event-stream');
    expect(seen()).toContain("default-src 'none'");
    expect(world.served).toContain('events 200');
  });

  test('ends with the token', async () => {
    const token = await world.token();
    const { over } = await follow(token);
    await world.ask('/session', { method: 'DELETE', token });
    expect(await over).toContain('it happened');
  });

  test('keeps the token in use, not beyond its end', async () => {
    const token = await world.token();
    const { over } = await follow(token);
    world.now += 11 * 3_600_000;
    expect((await world.ask('/v1/pins', { token })).status).toBe(200);
    world.now += 3_600_000;
    expect((await world.ask('/v1/pins', { token })).status).toBe(401);
    expect(await over).toContain('it happened');
  });
});

describe('connections', () => {
  test('that say nothing are closed, and keep out nobody who has a token', async () => {
    const token = await world.token();
    const idle = [...Array(80).keys()].map(() => connect(world.port, '127.0.0.1'));
    for (const socket of idle) socket.on('error', () => undefined).resume();
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    const closed = idle.map((socket) => once(socket, 'close'));
    expect((await world.ask('/v1/pins', { token })).status).toBe(200);
    await until('the oldest to go', () => idle.filter(({ closed: isClosed }) => isClosed).length >= 16);
    await Promise.all(closed);
  });

  test('that send a header a byte at a time are closed', async () => {
    const socket = connect(world.port, '127.0.0.1');
    const over = replyOn(socket);
    socket.write('GET / HTTP/1.1\r\n');
    const timer = setInterval(() => socket.write('a'), 200);
    try {
      expect(await over).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(timer);
    }
  });

  test('that ask again before they were answered are closed, and keep out nobody', async () => {
    const socket = connect(world.port, '127.0.0.1');
    const over = new Promise((resolve) => socket.once('close', resolve));
    let heard = '';
    socket.on('error', () => undefined).on('data', (chunk) => (heard += chunk.toString()));
    socket.write(`GET / HTTP/1.1\r\nHost: ${world.door.address}\r\n\r\n`.repeat(5000));
    await over;
    expect((heard.match(/^HTTP/gm) ?? []).length).toBeLessThanOrEqual(1);
    const token = await world.token();
    expect((await world.ask('/v1/pins', { token })).status).toBe(200);
  });

  test('with a header without end are refused', async () => {
    const reply = await world.send({ headers: { 'X-Long': 'x'.repeat(9000) } });
    expect(reply.status).toBe(431);
  });

  test('with two lengths of a body are refused', async () => {
    const socket = connect(world.port, '127.0.0.1');
    socket.write(
      `POST /session HTTP/1.1\r\nHost: ${world.door.address}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    expect(await replyOn(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test('a busy port is told with whose it is', async () => {
  await expect(
    openDoor({
      listen: { host: '127.0.0.1', port: world.port },
      assets: null,
      operator: world.operator,
      now: Date.now,
      served: () => undefined,
      rejected: () => undefined,
      opened: () => undefined,
    }),
  ).rejects.toMatchObject({
    exit: 'network',
    code: 'listen-busy',
    message: expect.stringContaining('in use'),
  });
});
