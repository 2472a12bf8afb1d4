// One client connection, from accept to its one last event; read this first. The order is the product: no
// byte of the client goes anywhere before the server's key was judged, the server proved that it speaks the
// protocol, and what the verdict learnt is durable; no byte from before TLS reaches the client. The only way
// through is the relay; every other way out of `#serve` is an error that closes the server's side first.

import type { Socket } from 'node:net';
import { Failure, Refusal, refusals, type ClientRejection } from '../errors.ts';
import { isGoodbye } from '../mail/goodbye.ts';
import { sameOffer } from '../mail/greeting-offer.ts';
import { relay, type RelayEnd, type RelayOver } from '../net/relay.ts';
import { reset } from '../net/reset.ts';
import type { Judged } from '../tofu.ts';
import { isUncorroborated } from '../trust/corroboration.ts';
import type { Protocol } from '../mail/protocol.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import { failureSentence, refusalSentence } from '../trust/refusal.ts';
import type { Vouched } from '../trust/vouched.ts';
import { remotePlace } from './address.ts';
import { approach, untilRefused, type Approached } from './approach.ts';
import { Carried } from './carried.ts';
import { ClientLeg, ClientRejected } from './client-leg.ts';
import { secureClient, startTlsWithClient } from './client-tls.ts';
import { closedWithin } from './closing.ts';
import { detailOf, endingOf, failureOf, type Ending } from './ending.ts';
import { eraOf, type Era } from './hold.ts';
import { corroborate } from './corroborate.ts';
import { mayHaveLostItsCa, type InForce } from './in-force.ts';
import { confirmProof, prove, type Greeting } from './prove.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';
import { say, type Message } from './say.ts';
import type { SessionTools } from './session-tools.ts';
import { refuseStrangers } from './strangers.ts';
import { unlessAborted } from './unless-aborted.ts';
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

const outdated = 'the trust settings of its servers changed while it was being served';

export class Session {
  readonly desk: RouteDesk;
  readonly #id: number;
  readonly #tools: SessionTools;
  readonly #leg: ClientLeg;
  readonly #stop = new AbortController();
  readonly #started = performance.now();
  readonly #startedAt: number;
  readonly #client: string | null;
  readonly #carried: Carried;
  #server: string | null = null;
  /** The server being asked, or relayed. */
  #target: TargetDesk;
  #basis: AcceptBasis | null = null;
  #spki: string | null = null;
  #reference: string | null = null;
  /** Refused, its candidate perhaps not recorded yet. */
  #refused: Judged | null = null;
  #era: Era;
  /** Whether a refusal now is news that the route should remember. */
  #news = true;
  /** What the client was greeted with, when the server that greeted it went without an answer. */
  #greeted: Greeting | null = null;
  /** Before the relay, in it, or on the way out: turned away, or letting the last bytes go. */
  #stage: 'asking' | 'relaying' | 'ending' = 'asking';

  constructor(client: Socket, desk: RouteDesk, tools: SessionTools & { readonly id: number }) {
    this.desk = desk;
    [this.#target] = desk.targets;
    this.#id = tools.id;
    this.#tools = tools;
    this.#startedAt = tools.now();
    this.#client = remotePlace(client);
    this.#carried = new Carried(desk.route, { on: tools.on, started: this.#started });
    this.#leg = new ClientLeg(client, {
      protocol: desk.route.protocol,
      mode: desk.route.clientTls.mode,
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
    };
    this.#tools.on({ type: 'session-started', ...about, endpoint: route.endpoint.name });
    const ending = await (rejection === null ? this.#serve() : Promise.reject(rejection)).catch(
      (error: unknown) => this.#turnAway(error),
    );
    this.#leg.release();
    this.tellCarried();
    this.#tools.on({
      type: 'session-ended',
      ...about,
      endpoint: this.#target.target.endpoint.name,
      clientTls: this.#leg.version,
      basis: this.#basis,
      spki: this.#spki,
      reference: this.#reference,
      bytesUp: this.#carried.up,
      bytesDown: this.#carried.down,
      seconds: secondsSince(this.#started),
      ...ending,
    });
  }

  facts(): SessionFacts {
    const { name, protocol } = this.desk.route;
    return {
      id: `${this.#id}`,
      route: name,
      protocol,
      client: this.#client,
      clientTls: this.#leg.version,
      endpoint: this.#target.target.endpoint.name,
      server: this.#server,
      stage: this.#stage,
      basis: this.#basis,
      spki: this.#spki,
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
    if (this.#stage !== 'relaying' || this.#target.target.endpoint.name !== endpoint || this.#spki !== spki)
      return false;
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
    if (this.#stage === 'asking' && this.desk.outdated) this.reset('draining', outdated);
    else if (this.#spki !== null && mayHaveLostItsCa(this.#target, { basis: this.#basis, inForce }))
      this.revoke(this.#target.target.endpoint.name, this.#spki);
  }

  async #serve(): Promise<Ending> {
    const { route } = this.desk;
    const { signal } = this.#stop;
    await refuseStrangers(this.#leg.raw, { route, peers: this.#tools.peers, signal });
    if (route.clientTls.mode === 'implicit') await secureClient(this.#leg, { desk: this.desk, signal });
    this.#leg.watch();
    const kept = (await this.desk.warm?.take()) ?? null;
    const ending = kept === null ? null : await this.#ask(kept);
    if (ending !== null) return ending;
    const anew = await this.#ask(await this.#approach());
    if (anew === null) throw new TypeError('only a connection kept ready can have gone unnoticed');
    return anew;
  }

  /** Null when it was kept ready and has gone unnoticed: nothing of the client's was answered, so another server may be. */
  async #ask(upstream: Approached): Promise<Ending | null> {
    try {
      const judged = this.#judge(upstream);
      const { sieveProofMs } = this.#tools.timing;
      const { signal } = this.#stop;
      const proof = (): Promise<Greeting> =>
        prove(upstream.socket, this.desk.route, { sieveProofMs, signal });
      const about = { target: upstream.desk.target, tofu: this.#tools.tofu };
      const greeting = upstream.greeting ?? (await untilRefused(proof(), about));
      return await this.#greetAndRelay(upstream, judged, greeting);
    } catch (error) {
      // The TLS socket only, the raw one follows: both in the tick of a handshake's end crash Node.
      upstream.socket.destroy();
      throw error;
    }
  }

  #answerFromMemory(): void {
    const remembered = this.#target.hold.answer({ now: this.#tools.now(), era: this.#eraNow() });
    if (remembered === null) return;
    this.#news = false;
    this.#spki = remembered.spki;
    this.#reference = remembered.reference;
    throw new Refusal(remembered.reason, undefined, {
      cause: new Error('answered from memory, without dialling'),
    });
  }

  /** A session that was relayed through a reload may go on, not ask anew: it would be judged by what went. */
  #refuseOutdated(): void {
    if (this.desk.outdated) throw new ClientRejected('draining', outdated);
  }

  /** Of this server nothing is known yet; what was known of another one is not told of this one. */
  #begin(target: TargetDesk): void {
    this.#target = target;
    this.#server = null;
    this.#era = this.#eraNow();
    this.#news = true;
    this.#basis = null;
    this.#spki = null;
    this.#reference = null;
  }

  async #approach(): Promise<Approached> {
    this.#refuseOutdated();
    return approach(this.desk, {
      tools: this.#tools,
      signal: this.#stop.signal,
      // Whoever waited for a turn to dial may find the question answered meanwhile.
      admitted: (target) => {
        this.#begin(target);
        this.#answerFromMemory();
      },
    });
  }

  /** Synchronous, on the records as they are now. Throws the Refusal. */
  #judge({ raw, peer, desk, tlsa }: Approached): Judged {
    const { tofu } = this.#tools;
    const { target, anchors, hold } = desk;
    this.#refuseOutdated();
    this.#target = desk;
    this.#server = this.desk.route.via === null ? remotePlace(raw) : null;
    this.#era = this.#eraNow();
    const judged = tofu.judge({ endpoint: target.endpoint, settings: target.trust, peer, anchors, tlsa });
    const { verdict } = judged;
    this.#spki = peer.spki;
    this.#reference = judged.reference;
    // A first use is not one before its proof and its record.
    this.#basis = verdict.accept && verdict.basis !== 'first-use' ? verdict.basis : null;
    this.#news = !verdict.accept;
    if (verdict.accept) {
      hold.clear();
      return judged;
    }
    this.#refused = judged;
    throw new Refusal(verdict.reason, undefined, { cause: new Error(verdict.why) });
  }

  async #greetAndRelay(upstream: Approached, judged: Judged, greeting: Greeting): Promise<Ending | null> {
    const words = this.#wordsOf(greeting);
    const vouched = await this.#vouch(judged, words, upstream);
    if (this.desk.route.clientTls.mode === 'starttls' && this.#leg.version === null) await this.#startTls();
    const first = await this.#relay(upstream, vouched, words);
    if (first.state !== 'stale') return this.#relayed(first, upstream);
    // Somebody changed the trust of this endpoint meanwhile: the same evidence, judged by the new record.
    const again = await this.#vouch(this.#judge(upstream), words, upstream);
    const second = await this.#relay(upstream, again, words);
    if (second.state !== 'stale') return this.#relayed(second, upstream);
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

  async #vouch(judged: Judged, words: Words, upstream: Approached): Promise<Vouched> {
    confirmProof(words.greeting, judged.verdict);
    const vouched = await this.#settle(await this.#corroborated(judged, upstream));
    this.#stop.signal.throwIfAborted();
    return vouched;
  }

  /** A first use with what is seen of its key from elsewhere, where the settings ask for that. */
  async #corroborated(judged: Judged, { raw, desk }: Approached): Promise<Judged> {
    const { verdict, evidence } = judged;
    const { spki, endpoint } = evidence;
    if (!verdict.accept || verdict.basis !== 'first-use' || spki === null || !isUncorroborated(evidence))
      return judged;
    const started = performance.now();
    const looking = corroborate(desk, {
      route: this.desk.route,
      spki,
      reached: raw.remoteAddress ?? null,
      deadlineMs: this.#tools.timing.corroborateMs,
      resolve: (host) => this.#tools.lookups.resolve(host),
    });
    const corroboration = await unlessAborted(looking, this.#stop.signal);
    this.#tools.on({
      type: 'corroborated',
      endpoint,
      spki,
      agreed: corroboration.agreed,
      differing: corroboration.differing.map(({ where }) => where),
      unreached: corroboration.unreached,
      seconds: secondsSince(started),
    });
    return { ...judged, evidence: { ...evidence, corroboration } };
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

  /** Makes what the verdict learnt durable. Throws the Refusal when that changed the verdict. */
  async #settle(judged: Judged): Promise<Vouched> {
    const settled = await unlessAborted(this.#tools.tofu.settle(judged), this.#stop.signal);
    if (!settled.accept) {
      this.#news = true;
      this.#basis = null;
      this.#reference = settled.reference;
      throw new Refusal(settled.reason);
    }
    const { vouched } = settled;
    if (
      vouched.endpoint !== this.#target.target.endpoint.name ||
      vouched.spki !== judged.question.peer.spki
    ) {
      throw new TypeError('vouched for another endpoint or key');
    }
    this.#basis = vouched.basis;
    return vouched;
  }

  async #relay(upstream: Approached, vouched: Vouched, words: Words): Promise<RelayEnd> {
    const { raw, socket, letGo } = upstream;
    const { limits, protocol } = this.desk.route;
    const { tofu, timing, suspicion } = this.#tools;
    const toUpstream = this.#leg.release();
    const current = tofu.isCurrent(vouched);
    if (current && letGo?.() === false) {
      socket.destroy();
      this.#leg.watch();
      return { state: 'unanswered', asked: toUpstream };
    }
    if (current) this.#served();
    const end = await relay({
      vouched,
      epoch: current ? vouched.epoch : Number.NaN,
      client: this.#leg.socket,
      clientRaw: this.#leg.raw,
      upstream: socket,
      raw,
      ...words,
      toUpstream,
      idleMs: limits.idleMinutes * 60_000,
      drainMs: timing.drainMs,
      signal: this.#stop.signal,
      suspicion,
      counted: (direction, bytes) => this.#carried.count(direction, bytes),
      ...(letGo === undefined ? {} : { isGoodbye: (first) => isGoodbye(protocol, first) }),
    });
    const goesOn = end.state === 'stale' || end.state === 'unanswered';
    this.#stage = goesOn ? 'asking' : 'ending';
    if (end.state === 'unanswered') this.#leg.hold(end.asked);
    if (end.state === 'unanswered' && words.toClient.length > 0) this.#greeted = words.greeting;
    if (goesOn) this.#leg.watch();
    return end;
  }

  #served(): void {
    this.#stage = 'relaying';
    this.desk.state = 'ready';
    this.desk.warm?.served();
  }

  /** A side that ended but never takes what was written for it must not hold its socket for ever. */
  async #relayed(
    end: RelayOver | Extract<RelayEnd, { readonly state: 'unanswered' }>,
    { raw, socket }: Approached,
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

  async #turnAway(error: unknown): Promise<Ending> {
    this.#stage = 'ending';
    const { aborted, reason: interruption } = this.#stop.signal;
    // A refusal stands, also when the client does not wait for it.
    const cause: unknown = aborted && !(error instanceof Refusal) ? interruption : error;
    const detail = detailOf(cause);
    if (cause instanceof Refusal) return this.#refuse(cause, detail);
    if (cause instanceof ClientRejected) {
      this.#leg.reset();
      return { outcome: 'rejected', reason: cause.rejection, said: null, detail };
    }
    const reason = failureOf(cause);
    if (reason === 'client') {
      this.#leg.reset();
      return { outcome: 'failed', reason, said: null, detail };
    }
    this.desk.state = 'failing';
    const text = failureSentence(this.#target.target.endpoint, reason);
    const said = await this.#say({ kind: 'failure', permanence: 'temporary', text });
    return { outcome: 'failed', reason, said, detail };
  }

  async #refuse(refusal: Refusal, detail: string | null): Promise<Ending> {
    const { target, hold } = this.#target;
    const reason = refusal.code;
    const { permanence } = refusals[reason];
    this.desk.warm?.drop(target.endpoint.name);
    const facts = { reason, reference: this.#reference, spki: this.#spki };
    if (this.#news) hold.refused(facts, { now: this.#tools.now(), era: this.#era });
    this.desk.state = 'refusing';
    // The sentence names the candidate, so it must be there for whoever looks it up.
    if (this.#refused !== null)
      await unlessAborted(this.#tools.tofu.settle(this.#refused), this.#stop.signal).catch(() => undefined);
    const text = refusalSentence(target.endpoint, facts);
    const said = await this.#say({ kind: 'refusal', permanence, text });
    return { outcome: 'refused', reason, said, detail };
  }

  /** A client that was greeted has heard that all is well; what is said now would be taken for an answer. */
  async #say(message: Message): Promise<string | null> {
    if (this.#greeted !== null) {
      this.#leg.reset();
      return null;
    }
    return say(this.#leg, message, {
      desk: this.desk,
      timing: this.#tools.timing,
      signal: this.#stop.signal,
    });
  }

  #eraNow(): Era {
    return eraOf(this.#tools.tofu, this.#target.target.endpoint.name);
  }
}
