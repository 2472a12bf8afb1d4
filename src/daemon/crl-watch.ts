// Looks after the revocation lists in force: reads a file again when it changed, and says once what is wrong with
// one, loudly: a list that is out of date is the quietest way to trust what was revoked.

import type { CrlFiles } from '../net/crl-files.ts';
import type { Listener, ProxyEvent } from '../proxy/events.ts';
import type { AnchorSets } from './anchor-sets.ts';

export class CrlWatch {
  readonly #on: Listener<ProxyEvent>;
  /** Problems that were told and still are. */
  #told: ReadonlySet<string> = new Set();

  constructor(on: Listener<ProxyEvent>) {
    this.#on = on;
  }

  /** Whether lists in force are others now. Never rejects. */
  async look(sets: AnchorSets, now: number): Promise<boolean> {
    const looks = await Promise.all([...filesOf(sets)].map((files) => files.look(now)));
    const problems = new Set(looks.flatMap((look) => look.problems));
    for (const message of problems)
      if (!this.#told.has(message)) this.#on({ type: 'warning', code: 'crl', message });
    this.#told = problems;
    const changed = looks.some((look) => look.changed);
    if (changed) this.#on({ type: 'crl-reloaded' });
    return changed;
  }
}

const filesOf = (sets: AnchorSets): ReadonlySet<CrlFiles> =>
  new Set([...sets.values()].flatMap(({ crls }) => (crls === undefined ? [] : [crls])));
