// After a change of trust: which keys that were trusted are not trusted any more. Sessions on them must be reset
// at once, so every key a session relies on is judged again by the new record, whatever changed it.

import type { Evidence, TrustSettings } from '../trust/evidence.ts';
import type { Situation } from '../trust/command.ts';
import { evidenceOf } from '../trust/known-key.ts';
import { judge } from '../trust/policy.ts';
import { recalled } from '../trust/seen.ts';
import type { Listener, TrustEvent } from './event.ts';
import type { Entry, Move } from './mirror.ts';
import { ReliedKeys } from './relied.ts';

export class Untrusting {
  readonly #on: Listener<TrustEvent>;
  readonly #relied = new ReliedKeys();

  constructor(on: Listener<TrustEvent>) {
    this.#on = on;
  }

  /** A session goes on with this key from now on. */
  relyOn(evidence: Evidence): void {
    if (evidence.spki !== null) this.#relied.keep(evidence, evidence.spki);
  }

  /** Tells of every key that this change took trust from. */
  changed({ before, after }: Move, situation: Situation): void {
    const { endpoint } = situation;
    const relied = this.#relied.of(endpoint);
    const lost = new Set<string>();
    for (const [spki, evidence] of relied) {
      const now = { ...evidence, ...situation, recordVerified: after.verified, settings: evidence.settings };
      if (!isTrusted(now)) lost.add(spki);
    }
    const keys = [...pinnedBefore(before), ...rejectedSince(before, after)];
    for (const spki of keys) if (!relied.has(spki) && !isTrusted(recallOf(spki, situation))) lost.add(spki);
    this.#tell(endpoint, lost);
  }

  /** Whether any session relies on a key of this endpoint. */
  reliesOn(endpoint: string): boolean {
    return this.#relied.of(endpoint).size > 0;
  }

  /** Tells of every key that the settings now in force would not accept: a reload can take trust away too. */
  configured(situation: Situation, { verified }: { readonly verified: boolean }): void {
    const { endpoint, settings } = situation;
    const lost = [...this.#relied.of(endpoint)]
      .filter(([, evidence]) => !isSame(evidence.settings, settings))
      .filter(([, evidence]) => !isTrusted({ ...evidence, ...situation, recordVerified: verified }))
      .map(([spki]) => spki);
    this.#tell(endpoint, lost);
  }

  /** Tells of every key in use whose certificate, examined again, is revoked. */
  revoked(reexamined: (evidence: Evidence) => Evidence): void {
    for (const [endpoint, keys] of this.#relied.all()) {
      const lost = [...keys].filter(([, evidence]) => {
        const verdict = judge(reexamined(evidence));
        return !verdict.accept && verdict.reason === 'certificate-revoked';
      });
      this.#tell(
        endpoint,
        lost.map(([spki]) => spki),
      );
    }
  }

  #tell(endpoint: string, lost: Iterable<string>): void {
    for (const spki of lost) {
      this.#relied.drop(endpoint, spki);
      this.#on({ type: 'key-untrusted', endpoint, spki });
    }
  }
}

const isSame = (one: TrustSettings, other: TrustSettings): boolean =>
  one.policy === other.policy &&
  one.firstUse === other.firstUse &&
  (one.dane ?? 'off') === (other.dane ?? 'off') &&
  one.continuity === other.continuity &&
  one.configPins.join(' ') === other.configPins.join(' ');

/** A key that would be taken in again as new is not a trusted one. */
function isTrusted(evidence: Evidence): boolean {
  const verdict = judge(evidence);
  return verdict.accept && verdict.basis !== 'first-use';
}

/** The key as it was last seen, or, if nothing is known of its certificate, as one nothing good is known of. */
function recallOf(spki: string, situation: Situation): Evidence {
  const grounds = { ...situation, recordVerified: true };
  return recalled(grounds, { endpoint: situation.endpoint, spki, evidence: evidenceOf(situation, spki) });
}

const pinnedBefore = ({ record }: Entry): readonly string[] =>
  (record?.pins ?? [])
    .filter(
      (pin) =>
        // An anchor is no key that a session could be on.
        pin.kind === 'leaf' &&
        pin.endedAt === null &&
        !record?.rejected.some((rejection) => rejection.spki === pin.spki),
    )
    .map((pin) => pin.spki);

function rejectedSince(before: Entry, after: Entry): readonly string[] {
  const known = new Set(before.record?.rejected.map((rejection) => rejection.spki));
  return (after.record?.rejected ?? []).map((rejection) => rejection.spki).filter((spki) => !known.has(spki));
}
