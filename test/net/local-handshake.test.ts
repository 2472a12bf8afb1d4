import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { localHandshake, type LocalHandshakeOptions } from '../../src/net/local-handshake.ts';
import { drink, selfSigned, socketPair, type Identity } from './peers.ts';

let identity: Identity;
const pairs: { readonly close: () => void }[] = [];
const never = new AbortController().signal;

beforeAll(async () => {
  identity = await selfSigned();
});
afterEach(() => {
  for (const { close } of pairs.splice(0)) close();
});

async function pair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const made = await socketPair();
  pairs.push(made);
  for (const socket of [made.near, made.far]) socket.on('error', () => undefined);
  return made;
}

const options = (changes: Partial<LocalHandshakeOptions> = {}): LocalHandshakeOptions => ({
  credentials: { context: () => createSecureContext({ ...identity }) },
  alpn: ['imap'],
  deadlineMs: 5_000,
  signal: never,
  ...changes,
});

function client(socket: Socket, more: ConnectionOptions = {}): TLSSocket {
  // The client of a test does not look at the certificate.
  const secured = connect({ socket, rejectUnauthorized: false, ...more });
  secured.on('error', () => undefined);
  return secured;
}

it('gives a paused socket that has read nothing', async () => {
  const { near, far } = await pair();
  const ended = localHandshake(far, options());
  client(near).write('a1 NOOP\r\n');
  const end = await ended;
  expect(end).toMatchObject({ state: 'secured', version: 'TLSv1.3' });
  if (end.state !== 'secured') throw new TypeError('not secured');
  expect(end.socket.isPaused()).toBe(true);
  await once(end.socket.resume(), 'data').then(([data]) => expect(String(data)).toBe('a1 NOOP\r\n'));
});

it('refuses bytes that were there before it could begin', async () => {
  const { near, far } = await pair();
  near.write('x');
  await once(far, 'readable');
  expect(await localHandshake(far, options())).toEqual({ state: 'rejected', found: 'early' });
  expect(far.destroyed).toBe(true);
});

it('tells silence from a handshake that does not come to its end', async () => {
  const silent = await pair();
  expect(await localHandshake(silent.far, options({ deadlineMs: 50 }))).toEqual({
    state: 'failed',
    detail: 'silence',
  });
  const slow = await pair();
  slow.near.write(Buffer.from('1603010200010001fc0303', 'hex'));
  expect(await localHandshake(slow.far, options({ deadlineMs: 50 }))).toEqual({
    state: 'failed',
    detail: 'timeout',
  });
  expect([silent.far.destroyed, slow.far.destroyed]).toEqual([true, true]);
});

it.each([
  ['before its first byte', ''],
  ['in the middle of its hello', '1603010200010001fc0303'],
])('ends at once when the client ends %s', async (_, hello) => {
  const { near, far } = await pair();
  const ended = localHandshake(far, options({ deadlineMs: 15_000 }));
  near.end(Buffer.from(hello, 'hex'));
  expect(await ended).toEqual({ state: 'failed', detail: 'closed' });
});

it('gives a socket that ends with an error when its TLS breaks later', async () => {
  const { near, far } = await pair();
  const ended = localHandshake(far, options());
  client(near);
  const end = await ended;
  if (end.state !== 'secured') throw new TypeError('not secured');
  const seen = drink(end.socket);
  near.write(Buffer.concat([Buffer.from('1703030020', 'hex'), Buffer.alloc(32, 7)]));
  expect(await seen).toMatchObject({ ended: false, error: expect.stringMatching(/^ERR_SSL_/) });
});

it('ends when the client leaves, and at once when it is aborted', async () => {
  const left = await pair();
  const ended = localHandshake(left.far, options());
  left.near.destroy();
  expect(await ended).toMatchObject({ state: 'failed' });
  const aborted = await pair();
  const abort = new AbortController();
  const running = localHandshake(aborted.far, options({ signal: abort.signal }));
  abort.abort(new Error('enough'));
  await expect(running).rejects.toThrow();
  expect(aborted.far.destroyed).toBe(true);
});
