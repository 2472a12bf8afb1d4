// All routes at work: binds their listening addresses, all or none, hands each client to a session, and
// replaces, drains or resets them. It decides nothing about trust.

import type { Socket } from 'node:net';
import { CommandError } from '../errors.ts';
import type { Protocol } from '../mail/protocol.ts';
import type { Endpoint } from '../endpoint.ts';
import type { AnchorSet } from '../net/anchors.ts';
import type { ServerCredentials } from '../net/local-handshake.ts';
import { Lookups } from '../net/lookups.ts';
import { OwnReads } from '../net/own-reads.ts';
import { Suspicion } from '../net/suspicion.ts';
import { Pace } from '../pace.ts';
import type { Tofu } from '../tofu.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import { ClientRejected } from './client-leg.ts';
import { ConnectionIds } from './connection-id.ts';
import type { Door } from './door.ts';
import type { Listener, ProxyEvent } from './events.ts';
import { enterInForce } from './in-force.ts';
import { Inherited } from './inherited.ts';
import { Binding } from './listener.ts';
import { PeerTable } from './peer-table.ts';
import { Prober } from './prober.ts';
import type { Route, Target } from './route.ts';
import { RouteDesk, type RouteState, type TargetDesk } from './route-desk.ts';
import { Session, type SessionFacts } from './session.ts';
import { SessionTable } from './session-table.ts';
import type { SessionTools } from './session-tools.ts';
import { defaultTiming, type Timing } from './timing.ts';

export interface ProxyOptions {
  readonly routes: readonly Route[];
  readonly tofu: Tofu;
  /** The loaded anchors of a server; asked at `start` and `replace`. Throws when there are none loaded for it. */
  readonly anchorsFor: (target: Target) => AnchorSet;
  /** For a route whose client side has TLS; asked at `start` and `replace`. Throws CommandError when there are none. */
  readonly credentialsFor?: (route: Route) => ServerCredentials;
  /** Looks up TLSA records; must not reject. Absent: there is no resolver. */
  readonly findTlsa?: (endpoint: Endpoint) => Promise<TlsaAnswer>;
  readonly on: Listener<ProxyEvent>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly timing?: Partial<Timing>;
  readonly suspicion?: Suspicion;
  readonly lookups?: Lookups;
  /** The names of its connections. */
  readonly ids?: ConnectionIds;
  /** What the service manager passed; the proxy closes it in the end. */
  readonly inherited?: Inherited;
  /** Bound already for these routes; the proxy closes it in the end, started or not. */
  readonly binding?: Binding;
}

export interface RouteStatus {
  readonly name: string;
  /** Every place bound, comma-separated: `127.0.0.1:1143, [::1]:1143`, `unix:/run/imap.sock`. */
  readonly listen: string;
  /** The first TCP port bound, also where the route asked for any; null when it has none. */
  readonly port: number | null;
  readonly upstream: string;
  readonly endpoint: string;
  readonly protocol: Protocol;
  /** Open now. */
  readonly sessions: number;
  /** Connections kept ready now. */
  readonly warm: number;
  readonly state: RouteState | 'draining';
}

/** A desk and the doors that lead to it. */
interface Post {
  readonly desk: RouteDesk;
  readonly doors: readonly Door[];
}

/** What a configuration comes to, gathered with turns of the event loop between. */
interface Next {
  readonly posts: Post[];
  readonly inForce: Map<string, TargetDesk>;
  readonly doors: Set<Door>;
}

/** Nothing is bound before `start`. `drain` ends it for good: afterwards nothing of it keeps the process alive. */
export class Proxy {
  /** Asks the servers of the routes without a client. */
  readonly prober: Prober;
  readonly #options: ProxyOptions;
  readonly #tools: SessionTools;
  readonly #sessions = new SessionTable();
  readonly #inherited: Inherited;
  readonly #ids: ConnectionIds;
  /** Until it is used. */
  #binding: Binding | null;
  #posts: readonly Post[] = [];
  #turn: Promise<void> = Promise.resolve();
  #draining = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#inherited = options.inherited ?? new Inherited();
    this.#ids = options.ids ?? new ConnectionIds();
    this.#binding = options.binding ?? null;
    this.#tools = {
      tofu: options.tofu,
      on: options.on,
      now: options.now,
      timing: { ...defaultTiming, ...options.timing },
      suspicion: options.suspicion ?? new Suspicion(),
      peers: new PeerTable(),
      reads: new OwnReads(() => this.#tellOfStreams()),
      ...(options.findTlsa === undefined ? {} : { findTlsa: options.findTlsa }),
      lookups: options.lookups ?? new Lookups(),
    };
    this.prober = new Prober(this.#tools);
  }

  /** Binds every route or none. Throws CommandError (see listener.ts), or what `anchorsFor` throws. */
  start(): Promise<void> {
    return this.replace(this.#options.routes);
  }

  /**
   * Takes the new routes, or throws and goes on with the old ones. Addresses that stay keep their listening sockets; new
   * ones are bound before old ones are closed. Open sessions go on, but for those that would be judged, or are trusted, by
   * what changed. Every refusal hold is forgotten.
   */
  replace(routes: readonly Route[]): Promise<void> {
    const next = this.#turn.then(() => this.#replace(routes));
    this.#turn = next.catch(() => undefined);
    return next;
  }

  async #replace(routes: readonly Route[]): Promise<void> {
    const binding = this.#takeBinding();
    const next: Next = { posts: [], inForce: new Map(), doors: new Set() };
    const pace = new Pace();
    let opened: ReadonlySet<Door>;
    try {
      for (const route of routes) {
        const desk = this.#deskOf(route);
        const { doors, skipped } = await binding.listen(route);
        next.posts.push({ desk, doors });
        for (const door of doors) next.doors.add(door);
        enterInForce(next.inForce, desk);
        for (const { address, cause } of skipped)
          this.#tools.on({ type: 'listen-skipped', route: route.name, address, cause });
        if (pace.isDue) await pace.rest();
      }
      ({ opened } = binding);
      // What follows is one tick, so that nobody judges by one half of it.
      await pace.rest();
      if (this.#draining) throw new CommandError('internal', 'the proxy is shutting down');
    } catch (error) {
      await binding.undo();
      throw error;
    }
    this.#take(next, opened);
    this.#tellUnused(routes);
  }

  #takeBinding(): Binding {
    const early = this.#binding;
    this.#binding = null;
    return (
      early ??
      new Binding(
        this.#posts.flatMap(({ doors }) => doors),
        this.#inherited,
      )
    );
  }

  #deskOf(route: Route): RouteDesk {
    const { anchorsFor, credentialsFor } = this.#options;
    const parts = { anchorsFor, tools: this.#tools };
    if (route.clientTls.mode === 'off') return new RouteDesk(route, { ...parts, credentials: null });
    if (credentialsFor === undefined) throw new TypeError('a route with client TLS needs credentials');
    return new RouteDesk(route, { ...parts, credentials: credentialsFor(route) });
  }

  #take({ posts, inForce, doors: kept }: Next, opened: ReadonlySet<Door>): void {
    for (const { desk, doors } of this.#posts) {
      for (const door of doors) if (!kept.has(door)) door.close();
      desk.warm?.close();
      desk.compare(inForce);
    }
    for (const session of this.#sessions) session.recheck(inForce);
    this.#posts = posts;
    this.prober.replace(
      posts.map(({ desk }) => desk),
      inForce,
    );
    for (const { desk, doors } of posts) {
      desk.warm?.start();
      const { name, upstream } = desk.route;
      for (const door of doors) {
        door.serve = (client) => this.#serve(client, desk);
        door.failed = (error) =>
          this.#tools.on({ type: 'warning', code: 'listener', message: `${door.text}: ${error.message}` });
        if (opened.has(door))
          this.#tools.on({ type: 'listening', route: name, address: door.text, upstream });
      }
    }
  }

  /** Who connects to a socket that nobody serves waits for ever. */
  #tellUnused(routes: readonly Route[]): void {
    const used = new Set(
      routes.flatMap(({ listen }) => listen).map((place) => place.kind === 'fd' && place.name),
    );
    const unused = [...this.#inherited.names].filter((name) => !used.has(name));
    if (unused.length === 0) return;
    const message = `no route listens on these sockets that were passed: ${unused.map((name) => `fd:${name}`).join(', ')}`;
    this.#tools.on({ type: 'warning', code: 'unused-socket', message });
  }

  #tellOfStreams(): void {
    const message = `Node.js ${process.version} does not read into buffers of ours as those versions do that letterlock was tried on; all is carried, at a higher cost`;
    this.#tools.on({ type: 'warning', code: 'plain-reads', message });
  }

  #serve(client: Socket, desk: RouteDesk): void {
    const session = new Session(client, desk, { ...this.#tools, id: this.#ids.next() });
    const rejection = this.#rejection(desk.route);
    this.#sessions.add(session);
    const over = (): void => this.#sessions.remove(session);
    session.run(rejection).then(over, over);
  }

  /** `limits.connections` counts the clients of one route, so that a storm on one port does not shut the others. */
  #rejection(route: Route): ClientRejected | null {
    if (this.#draining) return new ClientRejected('draining', 'letterlock is shutting down');
    const { connections } = route.limits;
    if (this.#sessions.of(route.name) < connections) return null;
    return new ClientRejected(
      'limit',
      `${connections} clients are connected to this route already (limits.connections)`,
    );
  }

  /** Stops accepting at once, waits up to `ms` for sessions to end by themselves, resets the rest. */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    this.#closeDoors();
    this.prober.close();
    for (const { desk } of this.#posts) desk.warm?.close();
    await this.#turn;
    await this.#binding?.undo();
    await this.#sessions.emptiedWithin(ms);
    for (const session of this.#sessions) session.reset('draining', 'letterlock is shutting down');
    await this.#sessions.emptiedWithin(null);
    this.#tools.reads.close();
  }

  #closeDoors(): void {
    for (const { doors } of this.#posts) for (const door of doors) door.close();
    this.#inherited.close();
  }

  /** Resets every session that is relayed on this key of this endpoint, at once; returns how many. */
  revoke(endpoint: string, spki: string): number {
    for (const { desk } of this.#posts) desk.warm?.drop(endpoint);
    return [...this.#sessions].filter((session) => session.revoke(endpoint, spki)).length;
  }

  /** Tells of bytes of sessions that are still open: an IMAP session lasts for hours, a scrape cannot wait for it. */
  async tellCarried(): Promise<void> {
    const pace = new Pace();
    for (const session of this.#sessions) {
      session.tellCarried();
      if (pace.isDue) await pace.rest();
    }
  }

  /** Open now, oldest first; each as it is when it is asked for, without those that ended meanwhile. */
  *sessions(): Generator<SessionFacts> {
    for (const session of this.#sessions) yield session.facts();
  }

  status(): readonly RouteStatus[] {
    return this.#posts.map(({ desk, doors }) => ({
      name: desk.route.name,
      listen: doors.map((door) => door.text).join(', '),
      port: doors.find(({ address }) => address !== null)?.address?.port ?? null,
      upstream: desk.route.upstream,
      endpoint: desk.route.endpoint.name,
      protocol: desk.route.protocol,
      sessions: this.#sessions.of(desk.route.name),
      warm: desk.warm?.size ?? 0,
      state: this.#draining ? 'draining' : desk.state,
    }));
  }
}
