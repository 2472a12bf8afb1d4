// Whether a server is one we know, asked before its key is seen: for what is shown to servers before any verdict,
// a client certificate. It accepts nothing. Kept in memory until the settings are read anew.

import type { Evidence, Verdict } from '../trust/evidence.ts';
import { standingOf, type Grounds } from '../trust/standing.ts';

export class Established {
  /** By endpoint: the key last judged, where it was refused; null for one that could not be read. */
  readonly #refused = new Map<string, string | null>();

  judged({ endpoint, spki }: Evidence, verdict: Verdict): void {
    if (verdict.accept) this.#refused.delete(endpoint);
    else this.#refused.set(endpoint, spki);
  }

  forget(): void {
    this.#refused.clear();
  }

  /** A CA verified this endpoint before or a pin of it is live, and nothing was refused last but a key pinned since. */
  is(endpoint: string, grounds: Grounds): boolean {
    const refused = this.#refused.get(endpoint);
    const { live, anyLivePin, column } = standingOf(grounds, refused ?? '');
    if (refused !== undefined && !live) return false;
    return anyLivePin || column === 'ca';
  }
}
