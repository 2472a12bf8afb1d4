// Gathers evidence: what a peer showed, what is remembered, what store and seal say, all at one moment. It
// decides nothing. What does not change with time is cached by the examiner.

import { ClockWatch } from './clock.ts';
import type { Ledger } from './ledger.ts';
import type { Question, TofuOptions } from './question.ts';
import { heldSettings } from './settings.ts';
import { daneResult, type DaneResult } from '../trust/dane.ts';
import type { Evidence, Examined } from '../trust/evidence.ts';
import { Examiner } from '../trust/examine.ts';

export class Witness {
  readonly #options: TofuOptions;
  readonly #ledger: Ledger;
  readonly #examiner = new Examiner();
  readonly #clock: ClockWatch;
  /** What was asked, while somebody holds what came of it. */
  readonly #asked = new WeakMap<Examined, Question>();

  constructor(options: TofuOptions, ledger: Ledger) {
    this.#options = options;
    this.#ledger = ledger;
    this.#clock = new ClockWatch(options.builtAt);
  }

  /** Everything the judge may use for this question, now. */
  evidence(question: Question): Evidence {
    const { endpoint, peer, settings, anchors } = question;
    return this.again({
      endpoint: endpoint.name,
      settings,
      spki: peer.spki,
      resumed: peer.resumed,
      profile: peer.tls.profile,
      examined: this.#examine(question),
      anchors: anchors.certificates.length,
      dane: this.#daneResult(question),
      ...(question.by === undefined ? {} : { by: question.by }),
    });
  }

  /** The same peer, examined once more under the anchors and revocation lists in force now; null: those of then. */
  reexamined(seen: Evidence, anchors: Question['anchors'] | null): Evidence {
    const question = seen.examined === null ? undefined : this.#asked.get(seen.examined);
    if (question === undefined) return this.again(seen);
    return this.again({
      ...seen,
      examined: this.#examine({ ...question, anchors: anchors ?? question.anchors }),
    });
  }

  /** The same peer, with everything that can have moved since read anew. */
  again(
    seen: Pick<
      Evidence,
      | 'endpoint'
      | 'settings'
      | 'spki'
      | 'resumed'
      | 'profile'
      | 'examined'
      | 'anchors'
      | 'dane'
      | 'corroboration'
      | 'by'
    >,
  ): Evidence {
    const { store, now } = this.#options;
    const { record, verified } = this.#ledger.mirror.entry(seen.endpoint);
    return {
      ...seen,
      now: now(),
      settings: heldSettings(seen.settings, { held: store.held().has(seen.endpoint) }),
      record,
      recordVerified: verified,
      store: this.#ledger.health().state,
      sealed: store.sealed(seen.endpoint),
    };
  }

  /** A clock in doubt is doubted for this certificate too, so its dates are noted before it is asked. */
  #examine(question: Question): Examined | null {
    if (question.peer.chain.length === 0 || question.peer.resumed) return null;
    const examined = this.#examineNow(question);
    this.#asked.set(examined, question);
    return examined;
  }

  #examineNow({ endpoint, peer, anchors }: Question): Examined {
    const now = this.#options.now();
    const { chainError, staple, tls } = peer;
    const circumstances = { anchors, endpoint, chainError, profile: tls.profile, staple, now };
    const examined = this.#examiner.examine(peer.chain, { ...circumstances, clockSuspect: false });
    this.#noteDates(endpoint.name, examined);
    if (!this.#clock.isSuspect(now)) return examined;
    return this.#examiner.examine(peer.chain, { ...circumstances, clockSuspect: true });
  }

  #daneResult({ endpoint, peer, tlsa }: Question): DaneResult | null {
    if (tlsa === undefined || tlsa === null) return null;
    const now = this.#options.now();
    const clockSuspect = this.#clock.isSuspect(now);
    return daneResult(tlsa, { chain: peer.chain, endpoint, now, clockSuspect, examiner: this.#examiner });
  }

  #noteDates(endpoint: string, { chain: [leaf] }: Examined): void {
    if (leaf === undefined || leaf.notBefore === null || leaf.notAfter === null) return;
    this.#clock.note(endpoint, {
      notBefore: Date.parse(leaf.notBefore),
      notAfter: Date.parse(leaf.notAfter),
    });
  }
}
