// The library's face: one object that decides about every TLS connection of a program. It makes connections, looks
// after sockets that others make, answers what is trusted, and takes the decisions of people. What it says goes
// through the same judge as the proxy's sessions.

import { randomBytes } from 'node:crypto';
import type { Agent, AgentOptions } from 'node:https';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { pinsRows } from '../admin/tofu-operator.ts';
import type { PinsRow } from '../admin/shapes.ts';
import { parseOwnResolver } from '../config/resolver-place.ts';
import { parseEndpoint } from '../endpoint.ts';
import { MisuseError } from '../errors.ts';
import { peerOf, unverified } from '../net/handshake.ts';
import type { ResolverPlace } from '../net/open-tlsa.ts';
import { readBuild } from '../ops/build.ts';
import { awake } from '../sharing/awake.ts';
import { openMemoryStore } from '../store/memory.ts';
import type { PinStore } from '../store/pin-store.ts';
import { Tofu as Engine } from '../tofu.ts';
import type { Command, CommandAnswer } from '../trust/command.ts';
import type { Explanation } from '../trust/explanation.ts';
import type { Vouched } from '../trust/vouched.ts';
import { Aids } from './aids.ts';
import { connectorFor, type Connector } from './connector.ts';
import { connectTo, type Connection, type ConnectOptions } from './connect.ts';
import { Desk, type Decide } from './decision.ts';
import { TlsGuard } from './guard.ts';
import { Announcer, type Hooks } from './hooks.ts';
import { VouchingAgent } from './https-agent.ts';
import { inspectServer, type Inspection } from './inspect.ts';
import { install } from './install.ts';
import { Live } from './live.ts';
import { mailSocketFrom, type GetSocket } from './nodemailer-socket.ts';
import {
  checkOptionNames,
  Settings,
  trustOptionNames,
  trustOptionsIn,
  type SettingsOptions,
  type TrustOptions,
} from './settings.ts';
import { targetFrom } from './target.ts';
import { asTrustError, Vouching } from './vouching.ts';

export interface TofuOptions extends SettingsOptions {
  /**
   * What remembers the keys: `memory` forgets them with the process; `openLevelStore` of `letterlock/level` keeps them.
   * Who opened a store closes it, after the Tofu.
   */
  readonly store: 'memory' | (PinStore & { readonly secret?: Uint8Array });
  readonly hooks?: Hooks;
  /** For DANE: a validating resolver on this machine, `127.0.0.1` or `[::1]:5353`. One behind TLS is for the configuration file. */
  readonly resolver?: string;
  /** Asked about a new key, and about another than the known one, before anything is sent. */
  readonly decide?: Decide;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

export interface ApproveOptions {
  /** Full SHA-256 fingerprint of the key or its certificate, as the operator of the server gave it. */
  readonly expect: string;
  readonly as?: 'ca' | 'pin';
  /** Milliseconds. */
  readonly forMs?: number;
  readonly keep?: boolean;
  readonly endOld?: boolean;
  readonly unreject?: boolean;
}

const sweepEveryMs = 60_000;

export class Tofu {
  readonly #engine: Engine;
  readonly #store: PinStore;
  readonly #ownsStore: boolean;
  readonly #settings: Settings;
  readonly #vouching: Vouching;
  readonly #live = new Live();
  readonly #guard: TlsGuard;
  readonly #now: () => number;
  readonly #sweeping: NodeJS.Timeout;

  private constructor(parts: {
    readonly engine: Engine;
    readonly store: PinStore;
    readonly settings: Settings;
    readonly announcer: Announcer;
    readonly options: TofuOptions;
    readonly live: Live;
  }) {
    const { engine, options, announcer } = parts;
    this.#engine = engine;
    this.#store = parts.store;
    this.#ownsStore = options.store === 'memory';
    this.#settings = parts.settings;
    this.#live = parts.live;
    this.#now = options.now ?? Date.now;
    const desk =
      options.decide === undefined ? null : new Desk(options.decide, (command) => this.#command(command));
    const aids = new Aids({ resolver: resolverFrom(options.resolver), now: this.#now });
    this.#vouching = new Vouching({ engine, announcer, desk, aids });
    this.#guard = new TlsGuard({
      settings: this.#settings,
      vouching: () => Promise.resolve(this.#vouching),
      isEstablished: (endpoint, { settings }) => engine.isEstablished({ endpoint, settings }),
      live: this.#live,
    });
    // A program that has nothing else to do ends all the same.
    this.#sweeping = setInterval(() => void engine.sweep().catch(() => undefined), sweepEveryMs).unref();
  }

  /** @throws RangeError for an option that cannot be, AnchorError, StoreError */
  static async open(options: TofuOptions): Promise<Tofu> {
    checkNames(options);
    const settings = new Settings(options);
    settings.load();
    const store = options.store === 'memory' ? openMemoryStore() : options.store;
    const secret = secretOf(store);
    const live = new Live();
    const late: { engine: Engine | null } = { engine: null };
    const announcer = new Announcer(
      options.hooks ?? {},
      (endpoint, spki) => late.engine?.reference(endpoint, spki) ?? '',
    );
    const engine = await Engine.open({
      store,
      secret,
      now: options.now ?? Date.now,
      builtAt: readBuild().builtAt,
      settings: 'asked',
      on: (event) => {
        if (event.type === 'key-untrusted') live.revoke(event);
        announcer.engine(event);
      },
    });
    late.engine = engine;
    engine.configure(settings.configured());
    return new Tofu({ engine, store, settings, announcer, options, live });
  }

  /**
   * Connects to a URL (`imaps://imap.example.org`, `submission://…`, `tls://host:port`) or to HOST:PORT. Throws TrustError
   * when the server is refused, Failure when it cannot be reached, RangeError for what is no target.
   */
  async connect(target: string, options: ConnectOptions = {}): Promise<Connection> {
    const found = targetFrom(target, options.starttls);
    const standing = this.#settings.of(found.endpoint, options);
    const parts = { vouching: this.#vouching, live: this.#live };
    // A paused socket keeps no process.
    return awake(connectTo({ target: found, way: options }, standing, parts));
  }

  /** One handshake to look: a bad certificate is a result. Throws TrustError or Failure where none came about. */
  async inspect(target: string, options: ConnectOptions = {}): Promise<Inspection> {
    const found = targetFrom(target, options.starttls);
    const standing = this.#settings.of(found.endpoint, options);
    try {
      const aid = await this.#vouching.aidFor(found.endpoint, standing);
      return await inspectServer({ target: found, way: options }, { standing, aid, engine: this.#engine });
    } catch (error) {
      throw asTrustError(error, found.endpoint);
    }
  }

  /**
   * As Node's `tls.connect(options, secure)`, for programs that make their connections themselves: the socket is given at
   * once and speaks when its server is vouched for; else it ends with `error` (TrustError, Failure).
   */
  tlsConnect(options: ConnectionOptions & TrustOptions, secure?: () => void): TLSSocket {
    const socket = this.#guard.connect(options, trustOptionsIn(options));
    if (secure !== undefined) socket.once('secureConnect', secure);
    return socket;
  }

  /**
   * Puts `tlsConnect` in the place of Node's own for the whole process, with its libraries; the preload
   * `letterlock/register` does the same for programs that cannot be changed. False where that was done before.
   */
  install(): boolean {
    return install((options) => this.#guard.connect(options));
  }

  /** For `https.request({ agent })` and everything that takes one. */
  httpsAgent(options: AgentOptions = {}): Agent {
    return new VouchingAgent((given) => this.tlsConnect(given), options);
  }

  /** For `createTransport({ host, port, secure, getSocket: tofu.mailSocket() })` of nodemailer. */
  mailSocket(options: ConnectOptions = {}): GetSocket {
    return mailSocketFrom((target, given) => this.connect(target, given), options);
  }

  /** For `new Agent({ connect: tofu.connector() })` of undici, the dispatcher of fetch. */
  connector({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Connector {
    return connectorFor((given) => this.tlsConnect(given), { timeoutMs });
  }

  /** The options for `tls.connect` under which `vouch` can tell whether a CA vouches for the server. */
  tlsOptions(endpoint: string, given: TrustOptions = {}): ConnectionOptions {
    const found = parseEndpoint(endpoint);
    const { anchors } = this.#settings.of(found, given);
    // An answer that came stapled could not be told to `vouch`: it is not asked for.
    const { requestOCSP: _, ...options } = unverified(found, anchors.contexts.of('modern', null));
    return options;
  }

  /**
   * Judges a socket that was made elsewhere, with `tlsOptions`, in its `secureConnect` and before anything was written
   * to it or read. Destroys it when it throws: TrustError, MisuseError `vouch-too-late`.
   */
  async vouch(socket: TLSSocket, endpoint: string, options: TrustOptions = {}): Promise<Vouched> {
    try {
      const found = parseEndpoint(endpoint);
      checkUntouched(socket);
      const standing = this.#settings.of(found, options);
      const peer = peerOf(socket, 'modern');
      return await this.#vouching.vouch({ endpoint: found, standing, peer }, ({ spki }) => {
        checkUntouched(socket);
        this.#live.add(socket, { endpoint: found.name, spki });
      });
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** Trusts a key that was seen, or is known. Durable when it resolves. @throws CommandError */
  approve(endpoint: string, options: ApproveOptions): Promise<CommandAnswer> {
    const { expect, as = null, forMs = null, keep = false, endOld = false, unreject = false } = options;
    return this.#ordered(endpoint, (name) => ({
      command: 'approve',
      endpoint: name,
      expect,
      as,
      forMs,
      keep,
      endOld,
      unreject,
    }));
  }

  /** Never trusts this key again; connections on it are closed at once. @throws CommandError */
  reject(endpoint: string, { expect }: { readonly expect: string }): Promise<CommandAnswer> {
    return this.#ordered(endpoint, (name) => ({ command: 'reject', endpoint: name, expect }));
  }

  /** Trusts a key in advance. @throws CommandError */
  add(
    endpoint: string,
    options: { readonly pin: string; readonly forMs?: number; readonly unreject?: boolean },
  ): Promise<CommandAnswer> {
    const { pin, forMs = null, unreject = false } = options;
    return this.#ordered(endpoint, (name) => ({ command: 'add', endpoint: name, pin, forMs, unreject }));
  }

  /** Forgets an endpoint: the next connection is a first use again. Rejections stay. @throws CommandError */
  forget(
    endpoint: string,
    options: { readonly expect?: string; readonly yes?: boolean },
  ): Promise<CommandAnswer> {
    const { expect = null, yes = false } = options;
    return this.#ordered(endpoint, (name) => ({ command: 'forget', endpoint: name, expect, yes }));
  }

  /** Takes the last command of an endpoint back, once. @throws CommandError */
  undo(endpoint: string): Promise<CommandAnswer> {
    return this.#ordered(endpoint, (name) => ({ command: 'undo', endpoint: name }));
  }

  /** Everything that is remembered, in the shape of `letterlock pins list --json`. */
  list(): readonly PinsRow[] {
    return pinsRows({
      tofu: this.#engine,
      store: this.#store,
      now: this.#now,
      settings: () => this.#settings.configured(),
    });
  }

  /** Of a code, a reference or an endpoint: why, step by step, and what to do. @throws CommandError `not-found` */
  explain(target: string): Explanation {
    return this.#engine.explain(target);
  }

  /** Writes down what waits. Connections go on; nothing is vouched for any more once the store is closed. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#engine.close();
    if (this.#ownsStore) await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ordered(endpoint: string, commandOf: (name: string) => Command): Promise<CommandAnswer> {
    return this.#command(commandOf(parseEndpoint(endpoint).name));
  }

  #command(command: Command): Promise<CommandAnswer> {
    return this.#engine.command(command, { origin: 'library' });
  }
}

const optionNames = [...trustOptionNames, 'endpoints', 'store', 'hooks', 'resolver', 'decide', 'now'];

/** A misspelt policy must not quietly leave the default in force. */
function checkNames(options: TofuOptions): void {
  checkOptionNames(options, optionNames, 'Tofu.open');
  const asksDane = [options, ...Object.values(options.endpoints ?? {})].some(({ dane }) => dane === 'prefer');
  if (asksDane && options.resolver === undefined)
    throw new RangeError(
      'dane: prefer asks a resolver: name one that validates with resolver, such as 127.0.0.1',
    );
}

function resolverFrom(resolver: string | undefined): ResolverPlace | null {
  return resolver === undefined ? null : { kind: 'loopback', ...parseOwnResolver(resolver) };
}

/** A store that keeps nothing beyond the process has references of this process alone. */
const secretOf = (store: PinStore & { readonly secret?: Uint8Array }): Uint8Array =>
  store.secret ?? randomBytes(32);

/** A byte that left, or one that was taken for the server's, cannot be made good by a verdict. */
function checkUntouched(socket: TLSSocket): void {
  if (Reflect.get(socket, 'secureConnecting') === true)
    throw new MisuseError(
      'vouch-too-late',
      'this socket has not finished its handshake: call vouch in its secureConnect',
    );
  if (socket.bytesWritten === 0 && !socket.readableDidRead) return;
  throw new MisuseError('vouch-too-late');
}
