// The library's face: one object that decides about every TLS connection of a program. It makes connections, looks
// after sockets that others make, answers what is trusted, and takes the decisions of people. What it says goes
// through the same judge as the proxy's sessions.

import { randomBytes } from 'node:crypto';
import type { Agent, AgentOptions } from 'node:https';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { pinsRows } from '../admin/pins-rows.ts';
import type { PinsRow } from '../admin/shapes.ts';
import { parseOwnResolver } from '../config/resolver-place.ts';
import { parseEndpoint } from '../endpoint.ts';
import type { ResolverPlace } from '../net/open-tlsa.ts';
import { awake } from '../sharing/awake.ts';
import { openMemoryStore } from '../store/memory.ts';
import type { PinStore } from '../store/pin-store.ts';
import type { Command, CommandAnswer } from '../trust/command.ts';
import type { Explanation } from '../trust/explanation.ts';
import type { Vouched } from '../trust/vouched.ts';
import { Aids } from './aids.ts';
import { connectorFor, type Connector } from './connector.ts';
import {
  connectOptionNames,
  connectTo,
  type Approach,
  type Connection,
  type ConnectOptions,
  type ConnectParts,
} from './connect.ts';
import { Dialogue, type Decide } from './decision.ts';
import { runEngine, type RunningEngine } from './engine.ts';
import { foreignOptions, vouchForeign } from './foreign-socket.ts';
import { TlsGuard } from './guard.ts';
import { Announcer, type Hooks } from './hooks.ts';
import { VouchingAgent } from './https-agent.ts';
import { inspectServer, type Inspection } from './inspect.ts';
import { install } from './install.ts';
import { Live } from './live.ts';
import { mailSocketFrom, type GetSocket } from './nodemailer-socket.ts';
import { checkNames, trustOptionNames, trustOptionsIn, type TrustOptions } from './options.ts';
import {
  addOrder,
  approveOrder,
  forgetOrder,
  rejectOrder,
  undoOrder,
  type AddOptions,
  type ApproveOptions,
  type ForgetOptions,
  type RejectOptions,
} from './orders.ts';
import { Settings, type SettingsOptions, type Terms } from './settings.ts';
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

export class Tofu {
  readonly #running: RunningEngine;
  readonly #store: PinStore;
  readonly #ownsStore: boolean;
  readonly #settings: Settings;
  readonly #connectParts: ConnectParts;
  readonly #guard: TlsGuard;
  readonly #now: () => number;

  private constructor(parts: TofuParts) {
    const { running, options, settings, live } = parts;
    const { engine } = running;
    this.#running = running;
    this.#store = parts.store;
    this.#ownsStore = options.store === 'memory';
    this.#settings = settings;
    this.#now = options.now ?? Date.now;
    const dialogue =
      options.decide === undefined ? null : new Dialogue(options.decide, (command) => this.#command(command));
    const aids = new Aids({ resolver: parts.resolver, now: this.#now });
    const vouching = new Vouching({ engine, announcer: parts.announcer, dialogue, aids });
    this.#connectParts = { vouching, live };
    this.#guard = new TlsGuard({
      settings,
      vouching: () => Promise.resolve(vouching),
      isEstablished: (endpoint, terms) => engine.isEstablished({ endpoint, settings: terms.settings }),
      live,
    });
  }

  /** @throws RangeError for an option that cannot be, AnchorError, StoreError */
  static async open(options: TofuOptions): Promise<Tofu> {
    // A misspelt policy must not quietly leave the default in force.
    checkNames(options, optionNames, 'Tofu.open');
    const { now = Date.now, hooks = {} } = options;
    const resolver = resolverFrom(options.resolver);
    const settings = new Settings(options, { resolver: resolver === null ? 'none' : 'named' });
    settings.load();
    const store = options.store === 'memory' ? openMemoryStore() : options.store;
    const live = new Live();
    const announcer = new Announcer(hooks);
    const secret = secretOf(store);
    const running = await runEngine({ store, secret, now, settings, announcer, live });
    return new Tofu({ running, store, settings, resolver, announcer, live, options });
  }

  /**
   * Connects to a URL (`imaps://imap.example.org`, `submission://…`, `tls://host:port`) or to HOST:PORT. Throws TrustError
   * when the server is refused, Failure when it cannot be reached, RangeError for what is no target.
   */
  async connect(target: string, options: ConnectOptions = {}): Promise<Connection> {
    const { approach, terms } = this.#approachTo(target, options);
    // A paused socket keeps no process.
    return awake(connectTo(approach, terms, this.#connectParts));
  }

  /** One handshake to look: a bad certificate is a result. Throws TrustError or Failure where none came about. */
  async inspect(target: string, options: ConnectOptions = {}): Promise<Inspection> {
    const { approach, terms } = this.#approachTo(target, options);
    const { endpoint } = approach.target;
    try {
      const aid = await this.#connectParts.vouching.aidFor(endpoint, terms);
      return await inspectServer(approach, { terms, aid, engine: this.#running.engine });
    } catch (error) {
      throw asTrustError(error, endpoint);
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
    return foreignOptions(found, this.#settings.of(found, given).anchors);
  }

  /**
   * Judges a socket that was made elsewhere, with `tlsOptions`, in its `secureConnect` and before anything was written
   * to it or read. Destroys it when it throws: TrustError, MisuseError `vouch-too-late`.
   */
  async vouch(socket: TLSSocket, endpoint: string, options: TrustOptions = {}): Promise<Vouched> {
    try {
      const found = parseEndpoint(endpoint);
      const terms = this.#settings.of(found, options);
      return await vouchForeign(socket, { endpoint: found, terms }, this.#connectParts);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** Trusts a key that was seen, or is known. Durable when it resolves. @throws CommandError, RangeError */
  async approve(endpoint: string, options: ApproveOptions): Promise<CommandAnswer> {
    return this.#command(approveOrder(endpoint, options));
  }

  /** Never trusts this key again; connections on it are closed at once. @throws CommandError, RangeError */
  async reject(endpoint: string, options: RejectOptions): Promise<CommandAnswer> {
    return this.#command(rejectOrder(endpoint, options));
  }

  /** Trusts a key in advance. @throws CommandError, RangeError */
  async add(endpoint: string, options: AddOptions): Promise<CommandAnswer> {
    return this.#command(addOrder(endpoint, options));
  }

  /** Forgets an endpoint: the next connection is a first use again. Rejections stay. @throws CommandError, RangeError */
  async forget(endpoint: string, options: ForgetOptions): Promise<CommandAnswer> {
    return this.#command(forgetOrder(endpoint, options));
  }

  /** Takes the last command of an endpoint back, once. @throws CommandError, RangeError */
  async undo(endpoint: string): Promise<CommandAnswer> {
    return this.#command(undoOrder(endpoint));
  }

  /** Everything that is remembered, in the shape of `letterlock pins list --json`. */
  list(): readonly PinsRow[] {
    return pinsRows({
      tofu: this.#running.engine,
      store: this.#store,
      now: this.#now,
      settings: () => this.#settings.configured(),
    });
  }

  /** Of a code, a reference or an endpoint: why, step by step, and what to do. @throws CommandError `not-found` */
  explain(target: string): Explanation {
    return this.#running.engine.explain(target);
  }

  /** Writes down what waits. Connections go on; nothing is vouched for any more once the store is closed. */
  async close(): Promise<void> {
    await this.#running.close();
    if (this.#ownsStore) await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Where to, how, and on what terms. @throws RangeError for what is no target, or an option that cannot be */
  #approachTo(
    target: string,
    options: ConnectOptions,
  ): { readonly approach: Approach; readonly terms: Terms } {
    const found = targetFrom(target, options.starttls);
    checkNames(options, connectOptionNames, found.endpoint.name);
    const terms = this.#settings.of(found.endpoint, trustOptionsIn(options));
    return { approach: { target: found, way: options }, terms };
  }

  #command(command: Command): Promise<CommandAnswer> {
    return this.#running.engine.command(command, { origin: 'library' });
  }
}

interface TofuParts {
  readonly running: RunningEngine;
  readonly store: PinStore;
  readonly settings: Settings;
  readonly resolver: ResolverPlace | null;
  readonly announcer: Announcer;
  readonly live: Live;
  readonly options: TofuOptions;
}

const optionNames = [...trustOptionNames, 'endpoints', 'store', 'hooks', 'resolver', 'decide', 'now'];

const resolverFrom = (resolver: string | undefined): ResolverPlace | null =>
  resolver === undefined ? null : { kind: 'loopback', ...parseOwnResolver(resolver) };

/** A store that keeps nothing beyond the process has references of this process alone. */
const secretOf = (store: PinStore & { readonly secret?: Uint8Array }): Uint8Array =>
  store.secret ?? randomBytes(32);
