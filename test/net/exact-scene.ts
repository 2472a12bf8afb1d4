// The real sockets of one session, as the proxy has them when it calls the relay: the client's accepted and watched until
// then, in clear or inside its own TLS; the server's dialled, greeted in clear before STARTTLS, shaken hands with, greeted.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { dial } from '../../src/net/dial.ts';
import { handshake } from '../../src/net/handshake.ts';
import { localHandshake } from '../../src/net/local-handshake.ts';
import { speak, type Spoken } from '../../src/net/speak.ts';
import { portOf, selfSigned, type Identity } from './peers.ts';

export interface Shape {
  /** How the mail client comes: in clear over TCP, in clear over a socket file, or with TLS over TCP. */
  readonly client: 'tcp' | 'unix' | 'tls';
  readonly upstream: 'implicit' | 'starttls';
  /** The client reads into a buffer of so many bytes, not as much as the system gives; in clear only. */
  readonly sipBytes?: number;
  /** The longest TLS record that the peers write; 512 at least. */
  readonly recordBytes?: number;
}

/** Made once for many scenes; `folder` is for socket files. */
export interface Stage {
  readonly folder: string;
  readonly identity: Identity;
  readonly context: SecureContext;
  readonly anchors: AnchorSet;
}

export const stageIn = async (folder: string): Promise<Stage> => {
  const identity = await selfSigned();
  return { folder, identity, context: createSecureContext({ ...identity }), anchors: await loadAnchors([]) };
};

export interface Scene {
  /** The mail client's end. */
  readonly user: Socket;
  /** The socket under `user`, or itself. */
  readonly userRaw: Socket;
  readonly client: Socket;
  readonly clientRaw: Socket;
  readonly upstream: TLSSocket;
  readonly raw: Socket;
  /** The mail server's end. */
  readonly host: TLSSocket;
  readonly hostRaw: Socket;
  /** Takes what a client reads by a buffer of its own. */
  readonly sipped: { take: (chunk: Uint8Array) => void };
}

const never = new AbortController().signal;
const deadlines = { deadlineMs: 20_000, signal: never };
const heldBytes = 4096;
const greeting = '* OK ready\r\n';

export async function sceneOf(shape: Shape, stage: Stage): Promise<Scene> {
  const local = await clientSide(shape, stage);
  const remote = await serverSide(shape, stage);
  if (shape.recordBytes !== undefined) {
    remote.host.setMaxSendFragment(shape.recordBytes);
    if (local.user instanceof TLSSocket) local.user.setMaxSendFragment(shape.recordBytes);
  }
  return { ...local, ...remote };
}

/** What the proxy heard of both before it relays. */
export interface Words {
  /** What came behind the server's greeting. */
  readonly toClient: Uint8Array;
  /** What the client said until now; it is watched no more. */
  readonly toUpstream: () => Uint8Array;
}

export async function greeted({ client, upstream }: Scene): Promise<Words> {
  const toUpstream = watched(client);
  const { left } = await hear(upstream, { says: '', until: greeting });
  return { toClient: left, toUpstream };
}

export const socketsOf = ({
  user,
  userRaw,
  client,
  clientRaw,
  upstream,
  raw,
  host,
  hostRaw,
}: Scene): Socket[] => [user, userRaw, client, clientRaw, upstream, raw, host, hostRaw];

type ClientSide = Pick<Scene, 'user' | 'userRaw' | 'client' | 'clientRaw' | 'sipped'>;
type ServerSide = Pick<Scene, 'upstream' | 'raw' | 'host' | 'hostRaw'>;

async function clientSide(shape: Shape, stage: Stage): Promise<ClientSide> {
  // As a door's.
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });
  const path = shape.client === 'unix' ? `${stage.folder}/${process.pid}-${performance.now()}` : null;
  const accepted = listening(server, path);
  const sipped: Scene['sipped'] = { take: () => undefined };
  const userRaw = connect({
    ...(path === null
      ? { port: await portWhenOpen(server), host: '127.0.0.1' }
      : { path: await pathWhenOpen(server, path) }),
    allowHalfOpen: true,
    ...(shape.sipBytes === undefined ? {} : { onread: sip(shape.sipBytes, sipped) }),
  });
  quiet(userRaw);
  const [clientRaw] = await Promise.all([accepted, once(userRaw, 'connect')]);
  server.close();
  if (path !== null) clientRaw.resetAndDestroy = () => clientRaw.destroy();
  if (shape.client !== 'tls') return { user: userRaw, userRaw, client: clientRaw, clientRaw, sipped };
  const secured = localHandshake(clientRaw, {
    credentials: { context: () => stage.context },
    alpn: null,
    ...deadlines,
  });
  const user = connectTls({ socket: userRaw, servername: 'mail.test', ca: stage.identity.cert });
  quiet(user);
  const end = await secured;
  if (end.state !== 'secured') throw new Error(`the client’s handshake: ${JSON.stringify(end)}`);
  if (!user.authorized) await once(user, 'secureConnect');
  return { user, userRaw, client: end.socket, clientRaw, sipped };
}

async function serverSide({ upstream: kind }: Shape, stage: Stage): Promise<ServerSide> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const accepted = listening(server, null);
  const port = await portWhenOpen(server);
  const raw = await dial({ host: '127.0.0.1', port }, deadlines);
  const hostRaw = await accepted;
  server.close();
  if (kind === 'starttls') await startTls(raw, hostRaw);
  const host = new TLSSocket(hostRaw, { isServer: true, secureContext: stage.context });
  quiet(host);
  const { socket: upstream } = await handshake(raw, {
    endpoint: endpointOf('mail.test', port),
    anchors: stage.anchors,
    ...deadlines,
  });
  host.write(greeting);
  return { upstream, raw, host, hostRaw };
}

/** The words in clear before the handshake. */
async function startTls(raw: Socket, hostRaw: Socket): Promise<void> {
  hostRaw.write('* OK in clear\r\n');
  const asked = hear(hostRaw, { says: '', until: 'a STARTTLS\r\n' });
  await hear(raw, { says: 'a STARTTLS\r\n', until: '* OK in clear\r\n' });
  await asked;
  hostRaw.write('a OK go ahead\r\n');
  await hear(raw, { says: '', until: 'a OK go ahead\r\n' });
}

/** By the very function by which the proxy speaks before it relays. */
async function hear(
  socket: Socket,
  { says, until }: { readonly says: string; readonly until: string },
): Promise<{ left: Uint8Array }> {
  let heard = Buffer.alloc(0);
  const fault = { write: Buffer.alloc(0), state: 'fault', fault: 'ended' } as const;
  const talk: Spoken<null> = {
    start: () => ({ write: Buffer.from(says), state: 'open' }),
    feed: (chunk) => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length < until.length) return { write: Buffer.alloc(0), state: 'open' };
      if (heard.toString('latin1', 0, until.length) !== until) return fault;
      return { write: Buffer.alloc(0), state: 'done', result: null, left: heard.subarray(until.length) };
    },
    end: () => fault,
  };
  const end = await speak(socket, talk, deadlines);
  if (end.state !== 'done') throw new Error(`${end.fault} while waiting for ${JSON.stringify(until)}`);
  return { left: end.left };
}

/** As the proxy watches a client until it is relayed; returns what it said, a few bytes of it, and watches no more. */
function watched(client: Socket): () => Uint8Array {
  let held = Buffer.alloc(0);
  const read = (): void => {
    while (held.length < heldBytes) {
      const ready = Math.min(client.readableLength, heldBytes - held.length);
      const chunk: unknown = ready > 0 ? client.read(ready) : client.read();
      if (!(chunk instanceof Uint8Array)) return;
      held = Buffer.concat([held, chunk]);
    }
  };
  client.on('readable', read);
  read();
  return () => {
    client.removeListener('readable', read);
    return held;
  };
}

const sip = (
  bytes: number,
  sipped: Scene['sipped'],
): { buffer: Uint8Array; callback: (length: number, buffer: Uint8Array) => boolean } => ({
  buffer: Buffer.alloc(bytes),
  callback: (length, buffer) => {
    sipped.take(buffer.subarray(0, length));
    return true;
  },
});

/** The first socket that comes, from when it listens on. */
function listening(server: Server, path: string | null): Promise<Socket> {
  const accepted = new Promise<Socket>((resolve) =>
    server.once('connection', (socket) => {
      quiet(socket);
      resolve(socket);
    }),
  );
  if (path === null) server.listen(0, '127.0.0.1');
  else server.listen(path);
  return accepted;
}

async function portWhenOpen(server: Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  return portOf(server);
}

async function pathWhenOpen(server: Server, path: string): Promise<string> {
  if (!server.listening) await once(server, 'listening');
  return path;
}

const quiet = (socket: Socket): void => void socket.on('error', () => undefined);
