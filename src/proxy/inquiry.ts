// What a session asks of its servers and knows of the one it asks: which one, what its key was judged as, and what is to
// be remembered of a refusal. The verdict is the engine's; here is what leads to it and what follows from it, and no byte
// of the client's.

import type { Socket } from 'node:net';
import { Refusal, type RefusalReason } from '../errors.ts';
import type { Judged } from '../tofu.ts';
import { isUncorroborated } from '../trust/corroboration.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import type { Vouched } from '../trust/vouched.ts';
import { remotePlace } from './address.ts';
import { approach, untilRefused, type Approached } from './approach.ts';
import { ClientRejected } from './client-leg.ts';
import type { ConnectionId } from './connection-id.ts';
import { corroborate } from './corroborate.ts';
import { eraOf, type Era, type RememberedRefusal } from './hold.ts';
import { mayHaveLostItsCa, type InForce } from './in-force.ts';
import { confirmProof, prove, type Greeting } from './prove.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';
import type { SessionTools } from './session-tools.ts';
import { unlessAborted } from './unless-aborted.ts';
import { secondsSince } from './upstream.ts';

export const outdated = 'the trust settings of its servers changed while it was being served';

export interface InquiryParts {
  readonly desk: RouteDesk;
  readonly tools: SessionTools & { readonly id: ConnectionId };
  /** Aborted when the session ends. */
  readonly signal: AbortSignal;
}

export class Inquiry {
  readonly #parts: InquiryParts;
  /** The server being asked, or relayed. */
  #target: TargetDesk;
  /** The connection to it; null before one was reached. */
  #raw: Socket | null = null;
  #basis: AcceptBasis | null = null;
  #spki: string | null = null;
  #reference: string | null = null;
  /** Refused, its candidate perhaps not recorded yet. */
  #refused: Judged | null = null;
  #era: Era;
  /** Whether a refusal now is news that the route should remember. */
  #news = true;

  constructor(parts: InquiryParts) {
    this.#parts = parts;
    [this.#target] = parts.desk.targets;
    this.#era = this.#eraNow();
  }

  get target(): TargetDesk {
    return this.#target;
  }

  /** `192.0.2.1:993`; null before one was reached, and through a proxy. The system is asked when somebody wants to know. */
  get server(): string | null {
    const direct = this.#parts.desk.route.via === null;
    return this.#raw === null || !direct ? null : remotePlace(this.#raw);
  }

  /** What events, refusals and the list of sessions tell of the server. */
  facts(): {
    readonly endpoint: string;
    readonly basis: AcceptBasis | null;
    readonly spki: string | null;
    readonly reference: string | null;
  } {
    return {
      endpoint: this.#target.target.endpoint.name,
      basis: this.#basis,
      spki: this.#spki,
      reference: this.#reference,
    };
  }

  /** Whether it is this key of this endpoint that was judged last. */
  isOf(endpoint: string, spki: string): boolean {
    return this.#target.target.endpoint.name === endpoint && this.#spki === spki;
  }

  /** The key, when it is accepted on the word of a CA whose anchors are not those in force any more. */
  keyWithoutItsCa(inForce: InForce): string | null {
    return mayHaveLostItsCa(this.#target, { basis: this.#basis, inForce }) ? this.#spki : null;
  }

  /** One finished handshake with one of the servers. Throws Refusal, Failure, ClientRejected, or the signal's reason. */
  async approach(): Promise<Approached> {
    const { desk, tools, signal } = this.#parts;
    this.#refuseOutdated();
    return approach(desk, {
      tools,
      signal,
      // Whoever waited for a turn to dial may find the question answered meanwhile.
      admitted: (target) => {
        this.#begin(target);
        this.#answerFromMemory();
      },
    });
  }

  /** Synchronous, on the records as they are now. Throws the Refusal. */
  judge({ raw, peer, desk, tlsa }: Approached): Judged {
    const { tools } = this.#parts;
    const { target, anchors, hold } = desk;
    this.#refuseOutdated();
    this.#target = desk;
    this.#raw = raw;
    this.#era = this.#eraNow();
    const asked = { endpoint: target.endpoint, settings: target.trust, peer, anchors, tlsa };
    const judged = tools.tofu.judge({ ...asked, session: tools.id });
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

  /** What the server says first, when it speaks the protocol of the route. Throws Refusal or Failure. */
  greeting({ socket, desk, greeting }: Approached): Promise<Greeting> {
    if (greeting !== null) return Promise.resolve(greeting);
    const { tools, signal, desk: routeDesk } = this.#parts;
    const { sieveProofMs } = tools.timing;
    const about = { target: desk.target, tofu: tools.tofu };
    return untilRefused(prove(socket, routeDesk.route, { sieveProofMs, signal }), about);
  }

  /** After the proof: what the verdict learnt is durable when this resolves. Throws the Refusal when that changed it. */
  async vouch(judged: Judged, greeting: Greeting, upstream: Approached): Promise<Vouched> {
    confirmProof(greeting, judged.verdict);
    const vouched = await this.#settle(await this.#corroborated(judged, upstream));
    this.#parts.signal.throwIfAborted();
    return vouched;
  }

  /** Has the route remember a refusal, and waits until the candidate it names is there for whoever looks it up. */
  async remember(reason: RefusalReason): Promise<RememberedRefusal> {
    const { tools, signal, desk } = this.#parts;
    const { target, hold } = this.#target;
    desk.warm?.drop(target.endpoint.name);
    const refusal = { reason, reference: this.#reference, spki: this.#spki };
    if (this.#news) hold.refused(refusal, { now: tools.now(), era: this.#era });
    if (this.#refused !== null)
      await unlessAborted(tools.tofu.settle(this.#refused), signal).catch(() => undefined);
    return refusal;
  }

  /** Of this server nothing is known yet; what was known of another one is not told of this one. */
  #begin(target: TargetDesk): void {
    this.#target = target;
    this.#raw = null;
    this.#era = this.#eraNow();
    this.#news = true;
    this.#basis = null;
    this.#spki = null;
    this.#reference = null;
  }

  #answerFromMemory(): void {
    const remembered = this.#target.hold.answer({ now: this.#parts.tools.now(), era: this.#eraNow() });
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
    if (this.#parts.desk.outdated) throw new ClientRejected('draining', outdated);
  }

  /** A first use with what is seen of its key from elsewhere, where the settings ask for that. */
  async #corroborated(judged: Judged, { raw, desk }: Approached): Promise<Judged> {
    const { tools, signal, desk: routeDesk } = this.#parts;
    const { verdict, evidence } = judged;
    const { spki, endpoint } = evidence;
    if (!verdict.accept || verdict.basis !== 'first-use' || spki === null || !isUncorroborated(evidence))
      return judged;
    const started = performance.now();
    const looking = corroborate(desk, {
      route: routeDesk.route,
      spki,
      reached: raw.remoteAddress ?? null,
      deadlineMs: tools.timing.corroborateMs,
      resolve: (host) => tools.lookups.resolve(host),
    });
    const corroboration = await unlessAborted(looking, signal);
    tools.on({
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

  /** Makes what the verdict learnt durable. Throws the Refusal when that changed the verdict. */
  async #settle(judged: Judged): Promise<Vouched> {
    const { tools, signal } = this.#parts;
    const settled = await unlessAborted(tools.tofu.settle(judged), signal);
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

  #eraNow(): Era {
    return eraOf(this.#parts.tools.tofu, this.#target.target.endpoint.name);
  }
}
