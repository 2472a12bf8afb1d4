import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serveMetrics } from '../../src/ops/metrics-server.ts';
import type { MetricsServer } from '../../src/ops/metrics-server.ts';

let server: MetricsServer;
let ready: boolean;
const page = { contentType: 'text/plain; version=0.0.4', text: async () => 'a 1\n', ready: () => ready };
beforeEach(async () => {
  ready = true;
  server = await serveMetrics({ host: '127.0.0.1', port: 0 }, page);
});
afterEach(() => server.close());

const port = () => Number(server.address.split(':').at(-1));

async function ask(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) {
  const outgoing = request({ host: '127.0.0.1', port: port(), path, method, headers, agent: false });
  const answered = new Promise<IncomingMessage>((resolve) => outgoing.once('response', resolve));
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

test('closing ends connections that are kept open', async () => {
  const socket = connect({ host: '127.0.0.1', port: port() });
  await once(socket, 'connect');
  socket.resume();
  const closed = once(socket, 'close');
  await server.close();
  await closed;
});
