// Whether a server is one we know, asked before its key is seen: for what is shown to servers before any verdict,
// a client certificate. It accepts nothing. Kept in memory until the settings are read anew.

import type { Evidence, Verdict } from '../trust/evidence.ts';
import { isKnownByDane, standingOf, type Grounds } from '../trust/standing.ts';

interface Judgement {
  /** Empty for a key that could not be read. */
  readonly spki: string;
  readonly accepted: boolean;
}

export class Established {
  /** By endpoint, the last one. */
  readonly #judged = new Map<string, Judgement>();
  /** The epoch of the endpoint when something else than its key was refused of it. */
  readonly #refused = new Map<string, number>();

  /** That a probe was accepted says nothing of who answers clients: only that one was refused counts. */
  judged({ endpoint, spki, by }: Evidence, { accept }: Verdict): void {
    if (accept && by === 'probe') return;
    if (accept) this.#refused.delete(endpoint);
    this.#judged.set(endpoint, { spki: spki ?? '', accepted: accept });
  }

  /** Refused before its key was judged, or for what it said after. */
  refused(endpoint: string, record: Grounds['record']): void {
    this.#refused.set(endpoint, record?.epoch ?? 0);
  }

  forget(): void {
    this.#judged.clear();
    this.#refused.clear();
  }

  /**
   * A CA verified this endpoint for a session before, a pin of it is live, or it is known by DANE and was accepted since the
   * start; and the key it showed last, which is the one it will most likely show again, was accepted and not rejected since, or refused and
   * pinned since. If anything else was refused of it, it was accepted since, or its trust changed.
   */
  is(endpoint: string, grounds: Grounds): boolean {
    if (this.#refused.get(endpoint) === (grounds.record?.epoch ?? 0)) return false;
    const last = this.#judged.get(endpoint);
    const { live, rejected, anyLivePin, column } = standingOf(grounds, last?.spki ?? '');
    if (last !== undefined && (rejected || !(last.accepted || live))) return false;
    // Without a basis, the certificate on record may be one that only a probe saw.
    const served = last !== undefined || grounds.record?.basis === 'ca';
    return anyLivePin || (served && (column === 'ca' || isKnownByDane(grounds)));
  }
}
