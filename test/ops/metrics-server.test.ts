import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serveMetrics } from '../../src/ops/metrics-server.ts';
import type { MetricsServer } from '../../src/ops/metrics-server.ts';

let server: MetricsServer;
let ready: boolean;
/** How many times the page was written, and how it is. */
let written: number;
let write: () => Promise<string>;
const page = {
  contentType: 'text/plain; version=0.0.4',
  text: () => {
    written += 1;
    return write();
  },
  ready: () => ready,
};
beforeEach(async () => {
  ready = true;
  written = 0;
  write = async () => 'a 1\n';
  server = await serveMetrics({ host: '127.0.0.1', port: 0 }, page);
});
afterEach(() => server.close());

function gate(): { readonly promise: Promise<string>; readonly resolve: (value: string) => void } {
  const opened = new EventEmitter();
  return {
    promise: once(opened, 'open').then(([value]) => String(value)),
    resolve: (value) => void opened.emit('open', value),
  };
}

const port = () => Number(server.address.split(':').at(-1));

async function ask(
  path: string,
  {
    method = 'GET',
    headers = {},
    agent = false,
  }: { method?: string; headers?: Record<string, string>; agent?: Agent | false } = {},
) {
  const outgoing = request({ host: '127.0.0.1', port: port(), path, method, headers, agent });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  outgoing.end();
  const response = await answered;
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    allow: response.headers.allow,
    body: await text(response),
  };
}

test.each([
  ['/metrics', 200, 'a 1\n'],
  ['/metrics?x=1', 200, 'a 1\n'],
  ['/healthz', 200, 'ok\n'],
  ['/readyz', 200, 'ready\n'],
  ['/', 404, 'not found\n'],
  ['/v1/status', 404, 'not found\n'],
])('GET %s answers %i', async (path, status, body) => {
  expect(await ask(path)).toMatchObject({ status, body });
});

test('a daemon that is not ready is alive and says so', async () => {
  ready = false;
  expect((await ask('/readyz')).status).toBe(503);
  expect((await ask('/healthz')).status).toBe(200);
});

test.each([
  ['/healthz', true, 200],
  ['/readyz', true, 200],
  ['/readyz', false, 503],
])('HEAD %s answers as GET does, ready: %j', async (path, state, status) => {
  ready = state;
  expect(await ask(path, { method: 'HEAD' })).toMatchObject({ status, body: '' });
});

test('HEAD has the header and no body; metrics have the type of their format', async () => {
  expect(await ask('/metrics', { method: 'HEAD' })).toMatchObject({
    status: 200,
    body: '',
    type: 'text/plain; version=0.0.4',
  });
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused', async (method) => {
  expect(await ask('/metrics', { method })).toMatchObject({ status: 405, allow: 'GET, HEAD' });
});

describe('on loopback', () => {
  test.each(['attacker.example', '127.0.0.1.attacker.example', 'localhost.attacker.example:80'])(
    'a Host of %j learns nothing',
    async (host) => {
      const { status, body } = await ask('/metrics', { headers: { Host: host } });
      expect(status).toBe(403);
      expect(body).not.toContain('a 1');
    },
  );

  test.each(['localhost', 'LOCALHOST:9465', '127.0.0.1:1', '[::1]:9465'])(
    'a Host of %j is ours',
    async (host) => {
      expect((await ask('/metrics', { headers: { Host: host } })).status).toBe(200);
    },
  );
});

test('off loopback any Host is answered', async () => {
  const open = await serveMetrics({ host: '0.0.0.0', port: 0 }, page);
  await server.close();
  server = open;
  expect((await ask('/metrics', { headers: { Host: 'node7.cluster.example:9465' } })).status).toBe(200);
});

test('a header without end is cut off', async () => {
  const socket = connect({ host: '127.0.0.1', port: port() });
  socket.write(`GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 431/);
});

test.each(['Content-Length: 10000000', 'Transfer-Encoding: chunked'])(
  'a body (%s) is refused, and its end not waited for',
  async (header) => {
    const socket = connect({ host: '127.0.0.1', port: port() });
    socket.write(`GET /metrics HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 /);
  },
);

test('connections that say nothing keep out nobody who asks', async () => {
  const idle = Array.from({ length: 200 }, () => connect({ host: '127.0.0.1', port: port() }));
  for (const socket of idle) socket.on('error', () => undefined).resume();
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  expect(await ask('/metrics')).toMatchObject({ status: 200, body: 'a 1\n' });
  await expect.poll(() => idle.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(168);
  for (const socket of idle) socket.destroy();
});

test('a scrape is not ended by those who come while it is answered', async () => {
  const opened = gate();
  write = () => opened.promise;
  const scrape = ask('/metrics');
  await expect.poll(() => written).toBe(1);
  const idle = Array.from({ length: 100 }, () => connect({ host: '127.0.0.1', port: port() }));
  for (const socket of idle) socket.on('error', () => undefined).resume();
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  opened.resolve('b 2\n');
  expect(await scrape).toMatchObject({ status: 200, body: 'b 2\n' });
  for (const socket of idle) socket.destroy();
});

test('who asks and takes no answer keeps out nobody', async () => {
  write = async () => 'x'.repeat(2 ** 25);
  const deaf = Array.from({ length: 32 }, () => connect({ host: '127.0.0.1', port: port() }));
  for (const socket of deaf) {
    socket.on('error', () => undefined).pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  }
  await expect.poll(() => written).toBeGreaterThan(0);
  expect((await ask('/healthz')).status).toBe(200);
  for (const socket of deaf) socket.destroy();
});

test('a header that comes a byte at a time is ended at its limit, not half a minute later', async () => {
  const socket = connect({ host: '127.0.0.1', port: port() });
  socket.write('GET /metrics HTTP/1.1\r\n');
  const began = performance.now();
  const timer = setInterval(() => socket.write('a'), 200);
  try {
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - began).toBeLessThan(9000);
  } finally {
    clearInterval(timer);
  }
}, 15_000);

test('many who ask while a page is written share the next, which tells of all that happened before they asked', async () => {
  const opened = gate();
  write = () => opened.promise;
  const first = ask('/metrics');
  await expect.poll(() => written).toBe(1);
  write = async () => 'c 3\n';
  const scrapes = Array.from({ length: 20 }, () => ask('/metrics'));
  await ask('/healthz');
  opened.resolve('b 2\n');
  expect((await first).body).toBe('b 2\n');
  expect((await Promise.all(scrapes)).map(({ body }) => body)).toEqual(Array(20).fill('c 3\n'));
  expect(written).toBe(2);
  write = async () => 'd 4\n';
  expect((await ask('/metrics')).body).toBe('d 4\n');
});

test('a page that cannot be written is not kept: the next one is', async () => {
  write = () => Promise.reject(new Error('no'));
  await expect(fetch(`http://${server.address}/metrics`)).rejects.toThrow();
  write = async () => 'e 5\n';
  expect((await ask('/metrics')).body).toBe('e 5\n');
});

test('whoever asks thousands of times without waiting for an answer is let go', async () => {
  write = () => new Promise((resolve) => setImmediate(resolve, 'x'.repeat(200_000)));
  const socket = connect({ host: '127.0.0.1', port: port() });
  const over = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined).resume();
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(5000));
  await over;
  expect(written).toBeLessThanOrEqual(1);
  expect((await ask('/metrics')).status).toBe(200);
});

test('a connection that is kept is asked again and again', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const number of [1, 2, 3]) {
      write = async () => `f ${number} ${'x'.repeat(1_000_000)}\n`;
      expect((await ask('/metrics', { agent })).body.slice(0, 4)).toBe(`f ${number} `);
    }
  } finally {
    agent.destroy();
  }
});

test('closing ends connections that are kept open', async () => {
  const socket = connect({ host: '127.0.0.1', port: port() });
  await once(socket, 'connect');
  socket.resume();
  const closed = once(socket, 'close');
  await server.close();
  await closed;
});
