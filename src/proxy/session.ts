// One client connection, from accept to its one last event; read this first. The order is the product: no
// byte of the client goes anywhere before the server's key was judged, the server proved that it speaks the
// protocol, and what the verdict learnt is durable; no byte from before TLS reaches the client. The only way
// through is the relay; every other way out of `#serve` is an error that closes the server's side first.

import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Failure, Refusal, type ClientRejection } from '../errors.ts';
import { isGoodbye } from '../mail/goodbye.ts';
import { sameOffer } from '../mail/greeting-offer.ts';
import type { RelayEnd, RelayOver } from '../net/relay-options.ts';
import { relay } from '../net/relay.ts';
import { reset } from '../net/reset.ts';
import type { Protocol } from '../mail/protocol.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import type { Vouched } from '../trust/vouched.ts';
import { remotePlace } from './address.ts';
import type { Approached } from './approach.ts';
import { Carried } from './carried.ts';
import { ClientLeg, ClientRejected } from './client-leg.ts';
import { secureClient, startTlsWithClient } from './client-tls.ts';
import { closedWithin } from './closing.ts';
import { endingOf, type Ending } from './ending.ts';
import type { ConnectionId } from './connection-id.ts';
import type { InForce } from './in-force.ts';
import { Inquiry, outdated } from './inquiry.ts';
import type { Greeting } from './prove.ts';
import type { RouteDesk } from './route-desk.ts';
import { ofSession } from './of-session.ts';
import type { SessionTools } from './session-tools.ts';
import { refuseStrangers } from './strangers.ts';
import { turnAway } from './turn-away.ts';
import { secondsSince } from './upstream.ts';
import { wordsOf, type Words } from './words.ts';

/** A session as it is at one moment. */
export interface SessionFacts {
  /** As log, events and refusal call it. */
  readonly id: string;
  readonly route: string;
  readonly protocol: Protocol;
  /** `127.0.0.1:50312`; null over a socket file: the system does not tell us who is at its other end. */
  readonly client: string | null;
  readonly clientTls: string | null;
  readonly endpoint: string;
  /** Null before one was reached, and where it was reached through a proxy. */
  readonly server: string | null;
  readonly stage: 'asking' | 'relaying' | 'ending';
  readonly basis: AcceptBasis | null;
  readonly spki: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

type Unanswered = Extract<RelayEnd, { readonly state: 'unanswered' }>;

/** A relay that began. */
interface Begun {
  readonly over: Promise<RelayEnd>;
  /** What its client is greeted with, where that may have to be kept to with another server. */
  readonly greeting: Greeting | null;
}

export class Session {
  readonly desk: RouteDesk;
  readonly #id: ConnectionId;
  readonly #tools: SessionTools;
  readonly #leg: ClientLeg;
  readonly #stop = new AbortController();
  readonly #started = performance.now();
  readonly #startedAt: number;
  readonly #carried: Carried;
  /** What is asked of its servers, and known of the one being asked or relayed. */
  readonly #inquiry: Inquiry;
  /** What the client was greeted with, when the server that greeted it went without an answer. */
  #greeted: Greeting | null = null;
  /** Before the relay, in it, or on the way out: turned away, or letting the last bytes go. */
  #stage: 'asking' | 'relaying' | 'ending' = 'asking';

  constructor(client: Socket, desk: RouteDesk, tools: SessionTools & { readonly id: ConnectionId }) {
    this.desk = desk;
    this.#id = tools.id;
    this.#tools = { ...tools, on: ofSession(tools.id, tools.on) };
    this.#startedAt = tools.now();
    this.#carried = new Carried(desk.route, { session: tools.id, on: tools.on, started: this.#started });
    this.#leg = new ClientLeg(client, {
      protocol: desk.route.protocol,
      mode: desk.route.clientTls.mode,
      over: (reason) => this.#stop.abort(reason),
    });
    this.#inquiry = new Inquiry({
      desk,
      tools: { ...this.#tools, id: tools.id },
      signal: this.#stop.signal,
    });
  }

  /** Serves the client, or turns it away at once for `rejection`. Never rejects; closes the client whatever happens. */
  async run(rejection: ClientRejected | null = null): Promise<void> {
    const { route } = this.desk;
    const about = {
      session: this.#id,
      route: route.name,
      protocol: route.protocol,
    };
    this.#tools.on({ type: 'session-started', ...about, endpoint: route.endpoint.name });
    const ending = await (rejection === null ? this.#serve() : Promise.reject(rejection)).catch(
      (error: unknown) => this.#turnAway(error),
    );
    this.#leg.release();
    this.tellCarried();
    const { endpoint, basis, spki, reference } = this.#inquiry.facts();
    this.#tools.on({
      type: 'session-ended',
      ...about,
      endpoint,
      clientTls: this.#leg.version,
      basis,
      spki,
      reference,
      bytesUp: this.#carried.up,
      bytesDown: this.#carried.down,
      seconds: secondsSince(this.#started),
      ...ending,
    });
  }

  facts(): SessionFacts {
    const { name, protocol } = this.desk.route;
    const { endpoint, basis, spki } = this.#inquiry.facts();
    const { server } = this.#inquiry;
    return {
      id: this.#id,
      route: name,
      protocol,
      client: remotePlace(this.#leg.raw),
      clientTls: this.#leg.version,
      endpoint,
      server,
      stage: this.#stage,
      basis,
      spki,
      startedAt: this.#startedAt,
      bytesUp: this.#carried.up,
      bytesDown: this.#carried.down,
    };
  }

  /** Tells of the bytes carried since it was last told of them. */
  tellCarried(): void {
    this.#carried.tell();
  }

  /** Resets both sides at once. */
  reset(rejection: ClientRejection, message: string): void {
    this.#stop.abort(new ClientRejected(rejection, message));
  }

  /** Resets both sides at once when the session is relayed on this key of this endpoint; says whether it was. */
  revoke(endpoint: string, spki: string): boolean {
    if (this.#stage !== 'relaying' || !this.#inquiry.isOf(endpoint, spki)) return false;
    this.#tools.on({ type: 'session-revoked', session: this.#id, endpoint, spki });
    this.#stop.abort(new Refusal('key-rejected'));
    return true;
  }

  /**
   * The routes were replaced. Resets both sides when the session is relayed on the word of a CA and its endpoint has other
   * anchors now, and when it still asks and one of its servers would be judged by anchors or settings that went.
   */
  recheck(inForce: InForce): void {
    this.desk.compare(inForce);
    if (this.#stage === 'asking' && this.desk.outdated) return this.reset('draining', outdated);
    const spki = this.#inquiry.keyWithoutItsCa(inForce);
    if (spki !== null) this.revoke(this.#inquiry.facts().endpoint, spki);
  }

  async #serve(): Promise<Ending> {
    const { route } = this.desk;
    const { signal } = this.#stop;
    await refuseStrangers(this.#leg.raw, { route, peers: this.#tools.peers, signal });
    if (route.clientTls.mode === 'implicit') await secureClient(this.#leg, { desk: this.desk, signal });
    this.#leg.watch();
    await this.#unlessGone();
    const kept = (await this.desk.warm?.take()) ?? null;
    const ending = kept === null ? null : await this.#ask(kept);
    if (ending !== null) return ending;
    const anew = await this.#ask(await this.#inquiry.approach());
    if (anew === null) throw new TypeError('only a connection kept ready can have gone unnoticed');
    return anew;
  }

  /** Who connects and leaves at once, as in a flood, costs no look-up, no dial and no connection kept ready. */
  async #unlessGone(): Promise<void> {
    // The end lies there already: the first turn is over before sockets are read again, the second is not.
    for (let turns = 0; turns < 2; turns += 1) await turn();
    this.#stop.signal.throwIfAborted();
    // Of a reset Node tells a turn later.
    if (this.#leg.raw.destroyed) throw new Failure('client');
  }

  /** Null when it was kept ready and has gone unnoticed: nothing of the client's was answered, so another server may be. */
  #ask(upstream: Approached): Promise<Ending | null> {
    const { raw, socket } = upstream;
    return this.#toItsEnd(this.#begin(upstream), { raw, socket });
  }

  async #toItsEnd(
    begun: Promise<Begun>,
    sockets: Pick<Approached, 'raw' | 'socket'>,
  ): Promise<Ending | null> {
    try {
      const { over, greeting } = await begun;
      const end = await over;
      if (end.state === 'stale') throw new TypeError('its epoch was compared in the tick of the relay');
      this.#leave(end, greeting);
      return await this.#relayed(end, sockets);
    } catch (error) {
      // The TLS socket only, the raw one follows: both in the tick of a handshake's end crash Node.
      sockets.socket.destroy();
      throw error;
    }
  }

  /** All that is known only until the relay begins is known here alone: who waits for its end would keep it in memory. */
  async #begin(upstream: Approached): Promise<Begun> {
    const judged = this.#inquiry.judge(upstream);
    const greeting = await this.#inquiry.greeting(upstream);
    const words = this.#wordsOf(greeting);
    const vouched = await this.#inquiry.vouch(judged, greeting, upstream);
    if (this.desk.route.clientTls.mode === 'starttls' && this.#leg.version === null) await this.#startTls();
    const first = this.#relay(upstream, vouched, words);
    if (first !== null) return first;
    // Somebody changed the trust of this endpoint meanwhile: the same evidence, judged by the new record.
    const again = await this.#inquiry.vouch(this.#inquiry.judge(upstream), greeting, upstream);
    const second = this.#relay(upstream, again, words);
    if (second !== null) return second;
    throw new Failure('internal', 'the trust of this endpoint changed twice before the relay');
  }

  /** A client that was greeted already goes by that greeting. Throws Failure `relay` when it cannot. */
  #wordsOf(greeting: Greeting): Words {
    const words = wordsOf(this.desk.route, greeting);
    const { verdict, behind, bytes, quote } = greeting;
    if (this.#greeted === null) return words;
    if (
      verdict === 'positive' &&
      behind === 0 &&
      sameOffer(this.desk.route.protocol, this.#greeted.bytes, bytes)
    )
      return { ...words, toClient: new Uint8Array(0) };
    const cause = new Error(`a connection kept ready went, and another greets otherwise: ${quote}`);
    throw new Failure('relay', undefined, { cause });
  }

  /** After the verdict and before the relay: what a client of a STARTTLS port says until then is for us alone. */
  async #startTls(): Promise<void> {
    await startTlsWithClient(this.#leg, {
      desk: this.desk,
      signal: this.#stop.signal,
      timing: this.#tools.timing,
      greeted: () => this.#carried.greeted(),
    });
    this.#leg.watch();
  }

  /** Null when the trust of this endpoint moved since it was vouched for. */
  #relay(upstream: Approached, vouched: Vouched, words: Words): Begun | null {
    const { tofu, timing, suspicion, reads } = this.#tools;
    if (!tofu.isCurrent(vouched)) return null;
    const { raw, socket, letGo } = upstream;
    const { limits, protocol } = this.desk.route;
    const toUpstream = this.#leg.release();
    if (letGo?.() === false) {
      socket.destroy();
      return { over: Promise.resolve({ state: 'unanswered', asked: toUpstream }), greeting: null };
    }
    this.#served();
    const { toClient, filter, firstBytes } = words;
    const over = relay({
      vouched,
      // Asked once more: whatever was told meanwhile, the relay compares what is so when it attaches.
      epoch: tofu.isCurrent(vouched) ? vouched.epoch : Number.NaN,
      client: this.#leg.socket,
      clientRaw: this.#leg.raw,
      upstream: socket,
      raw,
      toClient,
      filter,
      firstBytes,
      toUpstream,
      idleMs: limits.idleMinutes * 60_000,
      drainMs: timing.drainMs,
      signal: this.#stop.signal,
      suspicion,
      buffers: reads.buffers,
      counted: (direction, bytes) => this.#carried.count(direction, bytes),
      ...(letGo === undefined ? {} : { isGoodbye: (first) => isGoodbye(protocol, first) }),
    });
    // Only a connection kept ready can leave its client unanswered, and its greeting to be kept to.
    return { over, greeting: letGo === undefined || toClient.length === 0 ? null : words.greeting };
  }

  #leave(end: RelayOver | Unanswered, greeting: Greeting | null): void {
    this.#stage = end.state === 'unanswered' ? 'asking' : 'ending';
    if (end.state !== 'unanswered') return;
    this.#leg.hold(end.asked);
    if (greeting !== null) this.#greeted = greeting;
    this.#leg.watch();
  }

  #served(): void {
    this.#stage = 'relaying';
    this.desk.state = 'ready';
    this.desk.warm?.served();
  }

  /** A side that ended but never takes what was written for it must not hold its socket for ever. */
  async #relayed(
    end: RelayOver | Unanswered,
    { raw, socket }: Pick<Approached, 'raw' | 'socket'>,
  ): Promise<Ending | null> {
    if (end.state === 'unanswered') return null;
    const { mode } = this.desk.route.clientTls;
    const ending = endingOf(end, { reason: this.#stop.signal.reason, mode });
    const { signal } = this.#stop;
    const client = this.#leg.socket;
    await closedWithin([client, socket], { ms: this.#tools.timing.drainMs, signal });
    if (!client.destroyed) this.#leg.reset();
    reset(raw, socket);
    return ending;
  }

  #turnAway(error: unknown): Promise<Ending> {
    this.#stage = 'ending';
    return turnAway(error, {
      id: this.#id,
      leg: this.#leg,
      desk: this.desk,
      inquiry: this.#inquiry,
      timing: this.#tools.timing,
      signal: this.#stop.signal,
      isGreeted: this.#greeted !== null,
    });
  }
}
