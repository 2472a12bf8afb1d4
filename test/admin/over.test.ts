import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { endUnread } from '../../src/admin/over.ts';
import { portOf } from '../net/peers.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A server whose answer is more than the buffers of the system take. */
async function serve(answerMs: number): Promise<{ readonly ended: () => boolean }> {
  let isEnded = false;
  server = createServer();
  endUnread(server, answerMs);
  server.on('request', (request, response) => {
    request.socket.once('close', () => (isEnded = true));
    response.end(Buffer.alloc(2 ** 25));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { ended: () => isEnded };
}

test('whoever does not read a finished answer is let go', async () => {
  const { ended } = await serve(100);
  const deaf = connect(portOf(server), '127.0.0.1');
  deaf.on('error', () => undefined).pause();
  deaf.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(ended).toBe(true);
  deaf.destroy();
});

test('whoever reads it is not', async () => {
  const { ended } = await serve(60_000);
  const reader = connect(portOf(server), '127.0.0.1');
  let length = 0;
  reader.on('data', (chunk: Buffer) => (length += chunk.length));
  reader.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(() => length).toBeGreaterThan(2 ** 25);
  expect(ended()).toBe(false);
  reader.destroy();
});
