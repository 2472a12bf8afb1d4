// Tries on this very Node whether sockets read into a buffer of ours as they must (read-into.ts): byte for byte, in the
// middle of a socket's life, with stops, to the end; an accepted socket, and TLS wrapped around one. The sockets are its own, between
// this process and itself; their TLS needs no certificate (a key known to both, RFC 4279) and carries nothing of anybody.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ReadBuffers } from './read-buffers.ts';
import { readInto } from './read-into.ts';
import { tlsConnect } from './tls-connect.ts';

export interface TrialOptions {
  /** A machine that is too busy for it in this time goes on without. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const words = Buffer.from('* OK first, as a stream\r\n');
/** More than a read, than a TLS record and than a stream buffers. */
const contentBytes = 200_000;
/** Two are our own. */
const mostAccepted = 64;

/** Each byte tells of its place. */
function makeContent(): Buffer {
  const content = Buffer.alloc(contentBytes);
  for (let at = 0; at < contentBytes; at += 1) content[at] = at * 31 + (at >> 8) * 17;
  return content;
}

/** Never rejects: false is also what could not be tried. Nothing of it is left open. */
export async function tryReadInto(
  buffers: ReadBuffers,
  { deadlineMs, signal }: TrialOptions,
): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const opened: { destroy(): unknown }[] = [];
  const accepted: Socket[] = [];
  try {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    opened.push({ destroy: () => server.close() });
    server.maxConnections = mostAccepted;
    server.on('connection', (socket) => void accepted.push(quiet(socket)));
    await once(server, 'listening', { signal: limit });
    for (const shape of [plain, secure]) {
      const { from, to } = await shape(await pairOf(server, { opened, accepted, limit }), limit);
      opened.push(from, to);
      if (!(await arrives({ from, to, buffers }, limit))) return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    for (const each of [...opened, ...accepted]) each.destroy();
  }
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

interface Way {
  readonly from: Socket;
  readonly to: Socket;
}

interface Place {
  readonly opened: { destroy(): unknown }[];
  /** Of whoever came: any user of this machine may connect here, and must neither spoil a trial nor break anything. */
  readonly accepted: readonly Socket[];
  readonly limit: AbortSignal;
}

async function pairOf(server: Server, { opened, accepted, limit }: Place): Promise<Pair> {
  const near = quiet(connect({ port: portOf(server), host: '127.0.0.1', noDelay: true }));
  opened.push(near);
  await once(near, 'connect', { signal: limit });
  const isFar = ({ remoteAddress, remotePort }: Socket): boolean =>
    remotePort === near.localPort && remoteAddress === near.localAddress;
  for (;;) {
    const far = accepted.find(isFar);
    if (far !== undefined) return { near, far };
    await once(server, 'connection', { signal: limit });
  }
}

/** What breaks a trial shows in what does not arrive. */
function quiet<S extends Socket>(socket: S): S {
  return socket.on('error', () => undefined).unref();
}

const portOf = (server: Server): number => {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const isSocket = (value: unknown): value is Socket => value instanceof Object && 'bytesRead' in value;

/** As a client comes: accepted. */
const plain = ({ near, far }: Pair): Promise<Way> => Promise.resolve({ from: near, to: far });

/** As a server is reached: TLS around a socket that was there before. */
async function secure({ near, far }: Pair, limit: AbortSignal): Promise<Way> {
  const psk = randomBytes(16);
  const profile = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const server = createTlsServer({ ...profile, pskCallback: () => psk });
  const secured = once(server, 'secureConnection', { signal: limit });
  server.emit('connection', far);
  const to = quiet(
    tlsConnect({
      ...profile,
      socket: near,
      pskCallback: () => ({ psk, identity: 'trial' }),
      checkServerIdentity: () => undefined,
    }),
  );
  const [from]: unknown[] = await secured;
  if (!isSocket(from)) throw new TypeError('no socket');
  return { from: quiet(from), to };
}

async function arrives(
  { from, to, buffers }: Way & { readonly buffers: ReadBuffers },
  limit: AbortSignal,
): Promise<boolean> {
  from.write(words);
  let greeting = 0;
  while (greeting < words.length) {
    const [chunk]: unknown[] = await once(to, 'data', { signal: limit });
    if (chunk instanceof Uint8Array) greeting += chunk.length;
  }
  await new Promise((resolve) => setImmediate(resolve));
  const content = makeContent();
  let at = 0;
  let exact = true;
  const taken = readInto(to, buffers.landing, (bytes) => {
    exact &&= buffers.landing.subarray(0, bytes).equals(content.subarray(at, at + bytes));
    at += bytes;
    to.pause();
    // The last time the trial may be over before.
    setImmediate(() => void (to.destroyed || to.resume()));
    return false;
  });
  if (!taken) return false;
  const ended = once(to, 'end', { signal: limit });
  for (const [start, end] of [
    [0, 1],
    [1, 1_400],
    [1_400, 20_000],
    [20_000, content.length],
  ])
    from.write(content.subarray(start, end));
  from.end();
  await ended;
  return exact && at === content.length;
}
