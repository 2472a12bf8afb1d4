// From a finished handshake to Vouched or TrustError, for whoever made the handshake: judge, let a person decide
// where a program asks one, prove the protocol, settle. Nothing here touches a socket.

import type { Endpoint } from '../endpoint.ts';
import { Failure, Refusal, type RefusalReason } from '../errors.ts';
import { unlessAborted } from '../proxy/unless-aborted.ts';
import type { Judged, Tofu as Engine } from '../tofu.ts';
import type { Peer, Verdict } from '../trust/evidence.ts';
import type { Vouched } from '../trust/vouched.ts';
import type { Aid, Aids } from './aids.ts';
import type { Dialogue } from './decision.ts';
import type { Announcer } from './hooks.ts';
import type { Terms } from './settings.ts';
import { TrustError } from './trust-error.ts';

export interface Presented {
  readonly endpoint: Endpoint;
  readonly terms: Terms;
  readonly peer: Peer;
  /** Shows, once, that the server speaks its protocol; throws where it does not. The handshake alone where it is not given. */
  readonly prove?: (verdict: Verdict) => Promise<void>;
  readonly signal?: AbortSignal;
}

interface VouchingParts {
  readonly engine: Engine;
  readonly dialogue: Dialogue | null;
  readonly announcer: Announcer;
  readonly aids: Aids;
}

export class Vouching {
  readonly #parts: VouchingParts;

  constructor(parts: VouchingParts) {
    this.#parts = parts;
  }

  /**
   * Calls `use` in the tick in which the trust is compared once more; it must let the connection be used at once. Throws
   * TrustError, what `prove` throws, Failure `internal`, or the signal's reason.
   */
  async vouch(presented: Presented, use: (vouched: Vouched) => void): Promise<Vouched> {
    try {
      return await this.#used(presented, use);
    } catch (error) {
      const told = asTrustError(error, presented.endpoint);
      if (told instanceof TrustError) this.#parts.announcer.refused(told);
      throw told;
    }
  }

  /** Somebody may change the trust of this endpoint between verdict and use: then it is judged once more. */
  async #used(presented: Presented, use: (vouched: Vouched) => void): Promise<Vouched> {
    const { engine, announcer } = this.#parts;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const vouched = await this.#vouch(presented);
      // Nothing is awaited between the comparison and the use.
      if (!engine.isCurrent(vouched)) continue;
      use(vouched);
      announcer.connected(vouched);
      return vouched;
    }
    throw new Failure('internal', 'the trust of this endpoint changed while the connection was made');
  }

  async #vouch(presented: Presented): Promise<Vouched> {
    const aid = await this.#parts.aids.of(presented.endpoint, presented.terms);
    presented.signal?.throwIfAborted();
    const first = this.#judge(presented, aid);
    const refused = await this.#refusalOf(first, presented.endpoint);
    if (refused === null) return this.#settle(first, presented);
    if (!(await this.#approved(refused, presented.signal))) throw refused;
    presented.signal?.throwIfAborted();
    const second = this.#judge(presented, aid);
    const again = await this.#refusalOf(second, presented.endpoint);
    if (again !== null) throw again;
    return this.#settle(second, presented);
  }

  /** What helps to judge this endpoint. */
  aidFor(endpoint: Endpoint, terms: Terms): Promise<Aid> {
    return this.#parts.aids.of(endpoint, terms);
  }

  /** Tells of a refusal that came before there was anything to judge. */
  refused(error: TrustError): void {
    this.#parts.announcer.refused(error);
  }

  #judge({ endpoint, terms: { settings }, peer }: Presented, aid: Aid): Judged {
    // Where a person is asked, nothing is a first use by itself.
    const asked = this.#parts.dialogue !== null && settings.firstUse === 'accept';
    return this.#parts.engine.judge({
      endpoint,
      settings: asked ? { ...settings, firstUse: 'hold' } : settings,
      peer,
      ...aid,
    });
  }

  /** Null for an accepted one. Waits until the candidate is on record: the error names it. */
  async #refusalOf(judged: Judged, endpoint: Endpoint): Promise<TrustError | null> {
    const { verdict, evidence, reference } = judged;
    if (verdict.accept) return null;
    await this.#parts.engine.settle(judged);
    return new TrustError({ endpoint, reason: verdict.reason, reference, evidence, why: verdict.why });
  }

  /** A connection that is given up does not wait for the person, whose answer counts all the same. */
  async #approved(refused: TrustError, signal?: AbortSignal): Promise<boolean> {
    const { dialogue } = this.#parts;
    if (dialogue === null) return false;
    try {
      const asked = dialogue.ask(refused);
      return await (signal === undefined ? asked : unlessAborted(asked, signal));
    } catch (cause) {
      signal?.throwIfAborted();
      // Whatever went wrong with the question: the answer was not yes.
      refused.cause ??= cause;
      return false;
    }
  }

  async #settle(judged: Judged, { endpoint, prove, signal }: Presented): Promise<Vouched> {
    await prove?.(judged.verdict);
    signal?.throwIfAborted();
    const settled = await this.#parts.engine.settle(judged);
    if (settled.accept) return settled.vouched;
    const { reason, reference } = settled;
    throw new TrustError({ endpoint, reason, reference, evidence: judged.evidence, why: whyOf(reason) });
  }
}

const whyOf = (reason: RefusalReason): string =>
  reason === 'store-unavailable' || reason === 'store-damaged'
    ? 'What this connection teaches could not be stored.'
    : 'What is trusted changed while the server was asked.';

/** A refusal before there was a certificate is told in the same form. */
export function asTrustError(error: unknown, endpoint: Endpoint): unknown {
  if (error instanceof TrustError || !(error instanceof Refusal)) return error;
  const why = error.cause instanceof Error ? error.cause.message : error.message;
  return new TrustError(
    { endpoint, reason: error.code, reference: null, evidence: null, why },
    { cause: error },
  );
}
