// The world around a proxy: servers that follow a script and write down every byte they were sent, clients
// that say what they are told, certificates made for this run, and the rig that holds one proxy between them.

import { randomBytes, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  TLSSocket,
  type ConnectionOptions,
  type SecureContext,
} from 'node:tls';
import * as x509 from '@peculiar/x509';
import { endpointOf } from '../../src/endpoint.ts';
import type { Protocol, UpstreamTls } from '../../src/mail/protocol.ts';
import type { AnchorSet } from '../../src/net/anchors.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import { Proxy } from '../../src/proxy/proxy.ts';
import type { Limits, Route } from '../../src/proxy/route.ts';
import { PeerTable } from '../../src/proxy/peer-table.ts';
import type { SessionTools } from '../../src/proxy/session-tools.ts';
import { defaultTiming, type Timing } from '../../src/proxy/timing.ts';
import { Lookups } from '../../src/net/lookups.ts';
import { OwnReads } from '../../src/net/own-reads.ts';
import { Suspicion } from '../../src/net/suspicion.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore } from '../../src/store/pin-store.ts';
import { Tofu } from '../../src/tofu.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { portOf, type Identity } from '../net/peers.ts';
import { plainRoute, testLimits } from './route.ts';

// ---- certificates

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);

export interface Authority {
  readonly pem: string;
  issue(): Promise<Identity>;
}

/** A CA of this run, and server certificates for 127.0.0.1 it vouches for. */
export async function makeAuthority(): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test Root',
    serialNumber: randomBytes(8).fill(1, 0, 1).toString('hex'),
    notBefore: days(-2),
    notAfter: days(30),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { pem: ca.toString('pem'), issue: () => issue(ca, keys.privateKey) };
}

async function issue(ca: x509.X509Certificate, signingKey: webcrypto.CryptoKey): Promise<Identity> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const leaf = await x509.X509CertificateGenerator.create({
    subject: 'CN=mail.test',
    issuer: ca.subject,
    serialNumber: randomBytes(8).fill(1, 0, 1).toString('hex'),
    notBefore: days(-1),
    notAfter: days(10),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    cert: leaf.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}

export function keyOf(identity: Identity): string {
  const spki = spkiOfCertificate(new Uint8Array(new x509.X509Certificate(identity.cert).rawData));
  if (spki === null) throw new TypeError('no key');
  return spki;
}

// ---- servers

/** One step of a scripted server. */
export type Step =
  | { readonly say: string | Uint8Array }
  /** Goes on once everything received since the last step contains this text. */
  | { readonly hear: string }
  /** The TLS handshake, as the server; everything after it is inside. */
  | { readonly do: 'tls' }
  | { readonly do: 'end' }
  | { readonly do: 'reset' }
  /** Sends back whatever comes, and the end as well. */
  | { readonly do: 'echo' }
  | { readonly wait: Promise<unknown> };

/** What one connection brought. */
export class Visit {
  clear = Buffer.alloc(0);
  secured = Buffer.alloc(0);
  ended = false;
  closed = false;
  error: string | null = null;
  socket: Socket;
  /** Under a TLS socket; it alone can be reset. */
  readonly #raw: Socket;
  #unread = '';
  #changed: () => void = () => undefined;
  /** Takes this visit's readers off the socket it reads now. */
  #deafen: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#raw = socket;
  }

  /** Hears of a finished handshake. */
  onSecured: (socket: TLSSocket) => void = () => undefined;

  async play(steps: readonly Step[], identity: () => Identity): Promise<void> {
    this.#listen(this.socket);
    for (const step of steps) await this.#step(step, identity);
  }

  async #step(step: Step, identity: () => Identity): Promise<void> {
    if ('say' in step) this.socket.write(step.say);
    else if ('wait' in step) await step.wait;
    else if ('hear' in step) await this.#hear(step.hear);
    else if (step.do === 'tls') await this.#secure(identity());
    else if (step.do === 'end') this.socket.end();
    else if (step.do === 'reset') this.#raw.resetAndDestroy();
    else this.#echo();
  }

  async #hear(text: string): Promise<void> {
    while (!this.#unread.includes(text)) {
      if (this.closed) throw new Error(`closed before ${text}`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
    this.#unread = this.#unread.slice(this.#unread.indexOf(text) + text.length);
  }

  async #secure(identity: Identity): Promise<void> {
    const raw = this.#raw;
    this.#deafen();
    const socket = new TLSSocket(raw, { isServer: true, ...identity });
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error ??= error.code ?? 'error'));
    this.socket = socket;
    const secured = once(socket, 'secure');
    this.#listen(socket);
    await Promise.race([
      secured,
      once(socket, 'close').then(() => Promise.reject(new Error('no handshake'))),
    ]);
    this.onSecured(socket);
  }

  #listen(socket: Socket): void {
    const data = (chunk: Buffer): void => {
      if (socket instanceof TLSSocket) this.secured = Buffer.concat([this.secured, chunk]);
      else this.clear = Buffer.concat([this.clear, chunk]);
      this.#unread += chunk.toString('latin1');
      this.#changed();
    };
    const end = (): void => void (this.ended = true);
    socket.on('data', data);
    socket.on('end', end);
    this.#deafen = () => {
      socket.removeListener('data', data);
      socket.removeListener('end', end);
    };
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error ??= error.code ?? 'error'));
    socket.on('close', () => {
      this.closed = true;
      this.#changed();
    });
  }

  #echo(): void {
    const { socket } = this;
    if (this.#unread !== '') socket.write(Buffer.from(this.#unread, 'latin1'));
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
    socket.on('end', () => socket.end());
    if (this.ended) socket.end();
  }
}

export class FakeServer {
  readonly visits: Visit[] = [];
  /** Hears of each finished handshake. */
  secured: (socket: TLSSocket) => void = () => undefined;
  identity: Identity;
  script: readonly Step[];
  readonly #server: Server;

  constructor(identity: Identity, script: readonly Step[]) {
    this.identity = identity;
    this.script = script;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const visit = new Visit(socket);
      this.visits.push(visit);
      visit.onSecured = (tls) => this.secured(tls);
      // A script that cannot go on ends there: the test sees it in what was said and heard.
      visit.play(this.script, () => this.identity).catch(() => undefined);
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** Everything any connection was sent inside TLS. */
  get heard(): string {
    return this.visits.map(({ secured }) => secured.toString('latin1')).join('');
  }

  close(): void {
    this.#server.close();
    for (const { socket } of this.visits) socket.destroy();
  }
}

// ---- clients

export class FakeClient {
  socket: Socket;
  received = Buffer.alloc(0);
  ended = false;
  closed = false;
  error: string | null = null;
  #changed: () => void = () => undefined;

  /** To a port of 127.0.0.1, or to another place. */
  constructor(place: number | { readonly host: string; readonly port: number } | { readonly path: string }) {
    const at = typeof place === 'number' ? { port: place, host: '127.0.0.1' } : place;
    this.socket = connect({ ...at, allowHalfOpen: true });
    this.#listen(this.socket);
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#take);
    socket.on('end', () => {
      this.ended = true;
      this.#changed();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error ??= error.code ?? 'error'));
    socket.on('close', () => {
      this.closed = true;
      this.#changed();
    });
  }

  readonly #take = (chunk: Buffer): void => {
    this.received = Buffer.concat([this.received, chunk]);
    this.#changed();
  };

  /** Begins TLS on the connection; what was received is forgotten. Rejects when the handshake fails. */
  async secure(options: ConnectionOptions = {}): Promise<this> {
    const raw = this.socket;
    raw.removeListener('data', this.#take);
    // A test's client looks at what it is sent, not at certificates.
    const socket = connectTls({ ...options, socket: raw, rejectUnauthorized: false });
    this.socket = socket;
    this.received = Buffer.alloc(0);
    this.#listen(socket);
    await Promise.race([
      once(socket, 'secureConnect'),
      once(socket, 'close').then(() => Promise.reject(new Error(`no handshake (${this.error})`))),
    ]);
    return this;
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  say(text: string | Uint8Array): this {
    this.socket.write(text);
    return this;
  }

  /** Resolves once `text` was received; throws when the connection is over without it. */
  async hear(text: string): Promise<this> {
    while (!this.text.includes(text)) {
      if (this.ended || this.closed)
        throw new Error(`over without "${text}", received "${this.text}" (${this.error})`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
    return this;
  }

  /** Resolves when the other side ended or broke. */
  async over(): Promise<this> {
    while (!this.ended && !this.closed) await new Promise<void>((resolve) => (this.#changed = resolve));
    return this;
  }
}

// ---- the rig

export type Ended = Extract<ProxyEvent, { readonly type: 'session-ended' }>;

export interface RigOptions {
  readonly protocol?: Protocol;
  readonly upstreamTls?: UpstreamTls;
  readonly route?: Partial<Route>;
  readonly limits?: Partial<Limits>;
  readonly timing?: Partial<Timing>;
  readonly script: readonly Step[];
  readonly identity: Identity;
  readonly anchors: AnchorSet;
  /** In place of `anchors`, where they change. */
  readonly anchorsFor?: () => AnchorSet;
  readonly store?: PinStore;
  /** Absent: there is no resolver. */
  readonly findTlsa?: NonNullable<SessionTools['findTlsa']>;
  readonly lookups?: Lookups;
  /** What clients are shown in place of the server's own identity. */
  readonly clientIdentity?: Identity;
  /** In place of a context of that identity. */
  readonly clientContext?: () => SecureContext;
}

const quick: Partial<Timing> = {
  farewellDelayMs: 1,
  farewellMs: 300,
  smtpFarewellMs: 300,
  lingerMs: 50,
  sieveProofMs: 2_000,
};

/** What the sessions of a proxy of its own would share; nobody hears its events. */
export const toolsOf = (tofu: Tofu, changes: Partial<SessionTools> = {}): SessionTools => ({
  tofu,
  on: () => undefined,
  now: Date.now,
  timing: { ...defaultTiming, ...quick },
  suspicion: new Suspicion(),
  peers: new PeerTable(),
  reads: new OwnReads(),
  lookups: new Lookups(),
  ...changes,
});

/** One route from 127.0.0.1 to one scripted server, trusted by policy tofu. */
export class Rig {
  readonly server: FakeServer;
  readonly tofu: Tofu;
  readonly proxy: Proxy;
  readonly route: Route;
  readonly events: ProxyEvent[];
  readonly #clients: FakeClient[] = [];
  readonly #changed: Set<() => void>;
  /** Added to the clock, milliseconds. */
  readonly clock: { ahead: number };

  private constructor(
    parts: Pick<Rig, 'server' | 'tofu' | 'proxy' | 'route' | 'events' | 'clock'> & {
      readonly changed: Set<() => void>;
    },
  ) {
    this.server = parts.server;
    this.tofu = parts.tofu;
    this.proxy = parts.proxy;
    this.route = parts.route;
    this.events = parts.events;
    this.clock = parts.clock;
    this.#changed = parts.changed;
  }

  static async open(options: RigOptions): Promise<Rig> {
    const server = await new FakeServer(options.identity, options.script).listen();
    const events: ProxyEvent[] = [];
    const changed = new Set<() => void>();
    const clock = { ahead: 0 };
    const now = (): number => Date.now() + clock.ahead;
    let proxy: Proxy | null = null;
    const on = (event: ProxyEvent): void => {
      events.push(event);
      if (event.type === 'key-untrusted') proxy?.revoke(event.endpoint, event.spki);
      for (const wake of changed) wake();
    };
    const tofu = await Tofu.open({
      store: options.store ?? openMemoryStore(),
      secret: randomBytes(32),
      now,
      builtAt: 0,
      on,
    });
    const route = routeTo(server, options);
    const context = createSecureContext({ ...(options.clientIdentity ?? options.identity) });
    proxy = new Proxy({
      routes: [route],
      tofu,
      anchorsFor: options.anchorsFor ?? (() => options.anchors),
      ...(options.findTlsa === undefined ? {} : { findTlsa: options.findTlsa }),
      credentialsFor: () => ({ context: options.clientContext ?? (() => context) }),
      on,
      now,
      timing: { ...quick, ...options.timing },
      ...(options.lookups === undefined ? {} : { lookups: options.lookups }),
    });
    await proxy.start();
    return new Rig({ server, tofu, proxy, route, events, clock, changed });
  }

  get endpoint(): string {
    return this.route.endpoint.name;
  }

  get port(): number {
    return this.proxy.status()[0]?.port ?? 0;
  }

  client(place: ConstructorParameters<typeof FakeClient>[0] = this.port): FakeClient {
    const client = new FakeClient(place);
    this.#clients.push(client);
    return client;
  }

  get ends(): readonly Ended[] {
    return this.events.filter((event) => event.type === 'session-ended');
  }

  /** The end of the `count`th session. */
  async end(count = 1): Promise<Ended> {
    await this.until(() => this.ends.length >= count);
    const end = this.ends[count - 1];
    if (end === undefined) throw new TypeError('no end');
    return end;
  }

  /** Resolves when `holds`, looked at after each event. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#changed.delete(wake);
          resolve();
        };
        this.#changed.add(wake);
      });
    }
  }

  count(type: ProxyEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  async close(): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy();
    await this.proxy.drain(0);
    this.server.close();
    await this.tofu.close();
  }
}

export function routeTo(
  server: FakeServer,
  options: Pick<RigOptions, 'protocol' | 'upstreamTls' | 'route' | 'limits'>,
): Route {
  const protocol = options.protocol ?? 'imap';
  return {
    ...plainRoute,
    name: `${protocol}-test`,
    endpoint: endpointOf('127.0.0.1', server.port),
    upstream: `${protocol}://127.0.0.1:${server.port}`,
    protocol,
    upstreamTls: options.upstreamTls ?? 'implicit',
    ...options.route,
    limits: { ...testLimits, ...options.limits },
  };
}
