// What follows from a DANE result: the policy `dane`, and `dane: prefer` beside `auto`. Pure; policy.ts calls it after
// what is refused before any policy. Only a proof counts: whoever stands between us and the server can keep answers
// from us, so a missing one must be no better than none, and a proven contradiction is never explained away.

import { accept, refuse, type Bench } from './bench.ts';
import type { DaneResult, DaneState } from './dane.ts';
import type { Evidence, Verdict } from './evidence.ts';
import { isKnownByDane } from './standing.ts';

/** What TLSA records say. */
function asked({ evidence, path }: Bench): DaneResult {
  const result = resultOf(evidence);
  return path.note('dane', result, () => `${result.state}: ${result.detail}`);
}

/** Neither record nor CA is asked. */
export function byDane(bench: Bench): Verdict {
  const { state, detail } = asked(bench);
  switch (state) {
    case 'match':
      return accept(bench, 'dane', `A TLSA record proven by DNSSEC is of this key: ${detail}.`);
    case 'mismatch':
      return refuse(
        bench,
        'dane-mismatch',
        `The TLSA records proven by DNSSEC are not of this certificate: ${detail}.`,
      );
    case 'unusable':
    case 'absent':
    case 'insecure':
    case 'bogus':
    case 'failed':
      return refuse(bench, 'dane-unproven', `${unproven[state]}: ${detail}.`);
  }
}

const unproven: Readonly<Record<Exclude<DaneState, 'match' | 'mismatch'>, string>> = {
  unusable: 'The TLSA records are of kinds that prove nothing here',
  absent: 'DNSSEC proves that there are no TLSA records',
  insecure: 'The answer about TLSA records is not signed',
  bogus: 'The signatures of the TLSA records do not verify',
  failed: 'TLSA records could not be looked up',
};

/**
 * `auto` where DANE is preferred; `plain` is what it says without. A match counts as much as a CA where nothing is known yet,
 * and no more: pins, rejections and the ratchet stand. A mismatch refuses, except a key that an operator approved.
 */
export function preferDane(plain: Verdict, bench: Bench): Verdict {
  if (bench.evidence.settings.dane !== 'prefer') return plain;
  const { state } = asked(bench);
  switch (bench.column) {
    case 'none':
      if (state === 'mismatch') return byDane(bench);
      return state === 'match' && !bench.caValid ? byDane(bench) : plain;
    case 'ca':
    case 'live':
      return state === 'mismatch' && !bench.approved ? byDane(bench) : plain;
    case 'unknown':
      return plain;
    case 'emptied':
      // What is known by DANE alone is not taken without it, on whatever other word.
      return isKnownByDane(bench.evidence) ? byDane(bench) : plain;
  }
}

const notAsked: DaneResult = { state: 'failed', detail: 'nobody asked for them' };

const resultOf = ({ dane }: Evidence): DaneResult => dane ?? notAsked;
