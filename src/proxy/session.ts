// One client connection, from accept to its one last event; read this first. The order is the product: no
// byte of the client goes anywhere before the server's key was judged, the server proved that it speaks the
// protocol, and what the verdict learnt is durable; no byte from before TLS reaches the client. The only way
// through is the relay; every other way out of `#serve` is an error that closes the server's side first.

import type { Socket } from 'node:net';
import { Failure, Refusal, refusals, type ClientRejection } from '../errors.ts';
import { recogniseFirstBytes } from '../mail/first-bytes.ts';
import { LoginFilter } from '../mail/login-filter.ts';
import { relay, type RelayEnd, type RelayFilter } from '../net/relay.ts';
import type { Suspicion } from '../net/suspicion.ts';
import type { Judged, Tofu } from '../tofu.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import { failureSentence, refusalSentence } from '../trust/refusal.ts';
import type { Vouched } from '../trust/vouched.ts';
import { ClientLeg, ClientRejected } from './client-leg.ts';
import { detailOf, endingOf, failureOf, type Ending } from './ending.ts';
import type { Listener, ProxyEvent } from './events.ts';
import type { Era } from './hold.ts';
import { confirmProof, prove, type Greeting } from './prove.ts';
import type { RouteDesk } from './route-desk.ts';
import { say, type Message } from './say.ts';
import type { Timing } from './timing.ts';
import { reach, secondsSince, secure, type Upstream } from './upstream.ts';

/** What every session of a proxy shares. */
export interface SessionTools {
  readonly tofu: Tofu;
  readonly on: Listener<ProxyEvent>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly timing: Timing;
  readonly suspicion: Suspicion;
}

export class Session {
  readonly desk: RouteDesk;
  readonly #id: number;
  readonly #client: Socket;
  readonly #tools: SessionTools;
  readonly #leg: ClientLeg;
  readonly #stop = new AbortController();
  readonly #started = performance.now();
  readonly #bytes = { up: 0, down: 0 };
  #basis: AcceptBasis | null = null;
  #spki: string | null = null;
  #reference: string | null = null;
  /** Refused, its candidate perhaps not recorded yet. */
  #refused: Judged | null = null;
  #era: Era;
  /** Whether a refusal now is news that the route should remember. */
  #news = true;
  #relaying = false;

  constructor(client: Socket, desk: RouteDesk, tools: SessionTools & { readonly id: number }) {
    this.desk = desk;
    this.#id = tools.id;
    this.#client = client;
    this.#tools = tools;
    this.#leg = new ClientLeg(client, {
      protocol: desk.route.protocol,
      over: (reason) => this.#stop.abort(reason),
    });
    this.#era = this.#eraNow();
  }

  /** Serves the client, or turns it away at once for `rejection`. Never rejects; closes the client whatever happens. */
  async run(rejection: ClientRejected | null = null): Promise<void> {
    const { route } = this.desk;
    const about = {
      session: this.#id,
      route: route.name,
      protocol: route.protocol,
      endpoint: route.endpoint.name,
    };
    this.#tools.on({ type: 'session-started', ...about });
    const ending = await (rejection === null ? this.#serve() : Promise.reject(rejection)).catch(
      (error: unknown) => this.#turnAway(error),
    );
    this.#leg.release();
    this.#tools.on({
      type: 'session-ended',
      ...about,
      basis: this.#basis,
      spki: this.#spki,
      reference: this.#reference,
      bytesUp: this.#bytes.up,
      bytesDown: this.#bytes.down,
      seconds: secondsSince(this.#started),
      ...ending,
    });
  }

  /** Resets both sides at once. */
  reset(rejection: ClientRejection, message: string): void {
    this.#stop.abort(new ClientRejected(rejection, message));
  }

  /** Resets both sides at once when the session is relayed on this key of this endpoint; says whether it was. */
  revoke(endpoint: string, spki: string): boolean {
    if (!this.#relaying || this.desk.route.endpoint.name !== endpoint || this.#spki !== spki) return false;
    this.#tools.on({ type: 'session-revoked', session: this.#id, endpoint, spki });
    this.#stop.abort(new Refusal('key-rejected'));
    return true;
  }

  async #serve(): Promise<Ending> {
    this.#leg.watch();
    this.#answerFromMemory();
    const upstream = await this.#approach();
    try {
      const judged = this.#judge(upstream);
      const greeting = await this.#prove(upstream, judged);
      return await this.#greetAndRelay(upstream, judged, greeting);
    } catch (error) {
      // The TLS socket only, the raw one follows: both in the tick of a handshake's end crash Node.
      upstream.socket.destroy();
      throw error;
    }
  }

  #answerFromMemory(): void {
    const remembered = this.desk.hold.answer({ now: this.#tools.now(), era: this.#eraNow() });
    if (remembered === null) return;
    this.#news = false;
    this.#spki = remembered.spki;
    this.#reference = remembered.reference;
    throw new Refusal(remembered.reason, undefined, {
      cause: new Error('answered from memory, without dialling'),
    });
  }

  async #approach(): Promise<Upstream> {
    const { route, anchors, dials } = this.desk;
    const options = { anchors, signal: this.#stop.signal, on: this.#tools.on };
    const deadline = performance.now() + route.limits.dialSeconds * 1_000;
    const release = await dials.wait({ deadlineMs: deadline - performance.now(), signal: options.signal });
    try {
      // Whoever waited for a turn may find the question answered meanwhile.
      this.#answerFromMemory();
      const raw = await reach(route, { ...options, deadlineMs: Math.max(1, deadline - performance.now()) });
      release();
      return await secure(raw, route, options);
    } finally {
      release();
    }
  }

  /** Synchronous, on the records as they are now. Throws the Refusal. */
  #judge({ peer }: Upstream): Judged {
    const { tofu } = this.#tools;
    const { route, anchors, hold } = this.desk;
    this.#era = this.#eraNow();
    const judged = tofu.judge({ endpoint: route.endpoint, settings: route.trust, peer, anchors });
    const { verdict } = judged;
    this.#spki = peer.spki;
    this.#reference = judged.reference;
    this.#basis = verdict.accept ? verdict.basis : null;
    this.#news = !verdict.accept;
    if (verdict.accept) {
      hold.clear();
      return judged;
    }
    this.#refused = judged;
    throw new Refusal(verdict.reason, undefined, { cause: new Error(verdict.why) });
  }

  #prove(upstream: Upstream, { verdict }: Judged): Promise<Greeting> {
    if (!verdict.accept) throw new TypeError('a refused peer proves nothing');
    const { sieveProofMs } = this.#tools.timing;
    return prove(upstream.socket, this.desk.route, {
      basis: verdict.basis,
      sieveProofMs,
      signal: this.#stop.signal,
    });
  }

  async #greetAndRelay(upstream: Upstream, judged: Judged, greeting: Greeting): Promise<Ending> {
    const { protocol } = this.desk.route;
    const filter = protocol === 'tls' ? null : new LoginFilter({ protocol, clientTls: 'off' });
    const toClient = filter === null ? greeting.bytes : filter.downstream(greeting.bytes);
    const first = await this.#settleAndRelay(upstream, judged, { greeting, toClient, filter });
    if (first.state !== 'stale') return this.#relayed(first);
    // Somebody changed the trust of this endpoint meanwhile: the same evidence, judged by the new record.
    const second = await this.#settleAndRelay(upstream, this.#judge(upstream), {
      greeting,
      toClient,
      filter,
    });
    if (second.state !== 'stale') return this.#relayed(second);
    throw new Failure('internal', 'the trust of this endpoint changed twice before the relay');
  }

  async #settleAndRelay(
    upstream: Upstream,
    judged: Judged,
    words: {
      readonly greeting: Greeting;
      readonly toClient: Uint8Array;
      readonly filter: RelayFilter | null;
    },
  ): Promise<RelayEnd> {
    const vouched = await this.#settle(judged);
    confirmProof(words.greeting, vouched.basis);
    this.#stop.signal.throwIfAborted();
    return this.#relay(upstream, vouched, words);
  }

  /** Makes what the verdict learnt durable. Throws the Refusal when that changed the verdict. */
  async #settle(judged: Judged): Promise<Vouched> {
    const settled = await this.#tools.tofu.settle(judged);
    if (!settled.accept) {
      this.#news = true;
      this.#basis = null;
      this.#reference = settled.reference;
      throw new Refusal(settled.reason);
    }
    const { vouched } = settled;
    if (vouched.endpoint !== this.desk.route.endpoint.name || vouched.spki !== judged.question.peer.spki) {
      throw new TypeError('vouched for another endpoint or key');
    }
    this.#basis = vouched.basis;
    return vouched;
  }

  async #relay(
    { raw, socket }: Upstream,
    vouched: Vouched,
    words: { readonly toClient: Uint8Array; readonly filter: RelayFilter | null },
  ): Promise<RelayEnd> {
    const { protocol, limits } = this.desk.route;
    const { tofu, timing, suspicion } = this.#tools;
    const toUpstream = this.#leg.release();
    this.#relaying = true;
    const end = await relay({
      vouched,
      epoch: tofu.isCurrent(vouched) ? vouched.epoch : Number.NaN,
      client: this.#client,
      upstream: socket,
      raw,
      toClient: words.toClient,
      toUpstream,
      filter: words.filter,
      firstBytes: protocol === 'tls' ? null : (bytes) => recogniseFirstBytes(bytes, protocol),
      idleMs: limits.idleMinutes * 60_000,
      drainMs: timing.drainMs,
      signal: this.#stop.signal,
      suspicion,
      counted: (direction, bytes) => this.#count(direction, bytes),
    });
    this.#relaying = false;
    if (end.state === 'stale') this.#leg.watch();
    return end;
  }

  #count(direction: 'up' | 'down', bytes: number): void {
    const { name, protocol } = this.desk.route;
    if (direction === 'down' && this.#bytes.down === 0 && bytes > 0 && protocol !== 'tls') {
      this.#tools.on({ type: 'greeted', route: name, seconds: secondsSince(this.#started) });
    }
    this.#bytes[direction] += bytes;
  }

  #relayed(end: Exclude<RelayEnd, { readonly state: 'stale' }>): Ending {
    const ending = endingOf(end, this.#stop.signal.reason);
    this.desk.state = 'ready';
    return ending;
  }

  async #turnAway(error: unknown): Promise<Ending> {
    const cause: unknown = this.#stop.signal.aborted ? this.#stop.signal.reason : error;
    const detail = detailOf(cause);
    if (cause instanceof Refusal) return this.#refuse(cause, detail);
    if (cause instanceof ClientRejected) {
      this.#client.resetAndDestroy();
      return { outcome: 'rejected', reason: cause.rejection, said: null, detail };
    }
    const reason = failureOf(cause);
    if (reason === 'client') {
      this.#client.resetAndDestroy();
      return { outcome: 'failed', reason, said: null, detail };
    }
    this.desk.state = 'failing';
    const text = failureSentence(this.desk.route.endpoint, reason);
    return {
      outcome: 'failed',
      reason,
      said: await this.#say({ kind: 'failure', permanence: 'temporary', text }),
      detail,
    };
  }

  async #refuse(refusal: Refusal, detail: string | null): Promise<Ending> {
    const { route, hold } = this.desk;
    const reason = refusal.code;
    const facts = { reason, reference: this.#reference, spki: this.#spki };
    if (this.#news) hold.refused({ ...facts, detail }, { now: this.#tools.now(), era: this.#era });
    this.desk.state = 'refusing';
    // The sentence names the candidate, so it must be there for whoever looks it up.
    if (this.#refused !== null) await this.#tools.tofu.settle(this.#refused);
    const text = refusalSentence(route.endpoint, facts);
    return {
      outcome: 'refused',
      reason,
      said: await this.#say({ kind: 'refusal', permanence: refusals[reason].permanence, text }),
      detail,
    };
  }

  /** Returns what was said. */
  async #say(message: Message): Promise<string | null> {
    const { route, delays } = this.desk;
    const { timing } = this.#tools;
    await say(this.#client, message, {
      route,
      early: () => this.#leg.release(),
      delays,
      timing,
      signal: this.#stop.signal,
    });
    return route.protocol === 'tls' ? null : message.text;
  }

  #eraNow(): Era {
    const { tofu } = this.#tools;
    return `${tofu.record(this.desk.route.endpoint.name)?.epoch ?? 0}/${tofu.health().state}`;
  }
}
