// A first use that was looked at from elsewhere: what the judge makes of what was seen, and what is remembered of it.

import { describe, expect, it } from 'vitest';
import { corroborationText, isUncorroborated, type Corroboration } from '../../src/trust/corroboration.ts';
import type { Evidence, Verdict } from '../../src/trust/evidence.ts';
import { learn } from '../../src/trust/learn.ts';
import { judge } from '../../src/trust/policy.ts';
import { lastEvidence, recalled } from '../../src/trust/seen.ts';
import {
  caValid,
  endpoint,
  evidenceOf,
  examinedAs,
  keyNamed,
  noon,
  pinOf,
  recordOf,
  selfSigned,
  settingsOf,
  withFaults,
} from './evidence.ts';

const told = (verdict: Verdict): string => (verdict.accept ? `+${verdict.basis}` : verdict.reason);
const seen = (agreed: number, differing: number, unreached: number): Corroboration => ({
  spki: keyNamed('server'),
  agreed: Array.from({ length: agreed }, (_, at) => `port ${at + 1}`),
  differing: Array.from({ length: differing }, (_, at) => ({
    where: `port ${at + 101}`,
    spki: keyNamed('other'),
  })),
  unreached: Array.from({ length: unreached }, (_, at) => `port ${at + 201}`),
});

/** agreed, differing, unreached; then the verdict with atLeast 0, 1 and 2. */
const rows: readonly (readonly [number, number, number, string, string, string])[] = [
  [0, 0, 0, '+first-use', 'first-use-held', 'first-use-held'],
  [0, 0, 3, '+first-use', 'first-use-held', 'first-use-held'],
  [1, 0, 0, '+first-use', '+first-use', 'first-use-held'],
  [1, 0, 2, '+first-use', '+first-use', 'first-use-held'],
  [2, 0, 1, '+first-use', '+first-use', '+first-use'],
  [2, 1, 0, 'first-use-held', 'first-use-held', 'first-use-held'],
  [0, 1, 0, 'first-use-held', 'first-use-held', 'first-use-held'],
];
const cells = rows.flatMap(([agreed, differing, unreached, ...verdicts]) =>
  verdicts.map((verdict, atLeast) => ({ agreed, differing, unreached, atLeast, verdict })),
);

const evidenceFor = (part: Partial<Evidence>, atLeast = 1): Evidence =>
  evidenceOf({ settings: settingsOf({ policy: 'tofu', corroborate: { atLeast } }), ...part });

describe('a first use seen from elsewhere', () => {
  it.each(cells)(
    '$agreed agree, $differing differ, $unreached silent, at least $atLeast: $verdict',
    ({ agreed, differing, unreached, atLeast, verdict }) => {
      expect(told(judge(evidenceFor({ corroboration: seen(agreed, differing, unreached) }, atLeast)))).toBe(
        verdict,
      );
    },
  );

  it('is provisional until somebody looked, and stays unsafe what is unsafe', () => {
    expect(told(judge(evidenceFor({})))).toBe('+first-use');
    const bad = { examined: withFaults('weak-key'), corroboration: seen(2, 0, 0) };
    expect(told(judge(evidenceFor(bad)))).toBe('first-use-unsafe');
    expect(
      told(judge(evidenceOf({ settings: settingsOf({ policy: 'tofu' }), corroboration: seen(0, 1, 0) }))),
    ).toBe('+first-use');
  });

  it('is to be looked for where the setting asks for it and nobody has looked at this very key', () => {
    const ofAnother = { ...seen(2, 0, 0), spki: keyNamed('other') };
    expect(isUncorroborated(evidenceFor({}))).toBe(true);
    expect(isUncorroborated(evidenceFor({ corroboration: ofAnother }))).toBe(true);
    expect(isUncorroborated(evidenceFor({ corroboration: seen(0, 0, 1) }))).toBe(false);
    expect(isUncorroborated(evidenceOf({ settings: settingsOf({ policy: 'tofu' }) }))).toBe(false);
  });

  it('says nothing about a key that is pinned or CA-verified', () => {
    const corroboration = seen(0, 1, 0);
    const record = recordOf({ basis: 'pinned', pins: [pinOf('server')] });
    expect(told(judge(evidenceFor({ record, corroboration })))).toBe('+pin');
    const settings = settingsOf({ corroborate: { atLeast: 1 } });
    expect(told(judge(evidenceOf({ settings, examined: caValid, corroboration })))).toBe('+ca');
  });

  it('names who agreed, and who saw another key', () => {
    expect(judge(evidenceFor({ corroboration: seen(2, 0, 1) })).why).toContain(
      '2 of 3 vantage points showed the same key (port 1, port 2), 1 could not be asked (port 201)',
    );
    expect(corroborationText(seen(2, 3, 1))).toMatch(/^2 of 6 vantage points showed the same key/);
    expect(judge(evidenceFor({ corroboration: seen(2, 2, 0) })).why).toBe(
      `Seen from port 101 (and 1 more) the server shows another key, ${keyNamed('other')}.`,
    );
    const unreadable = { ...seen(0, 0, 0), differing: [{ where: 'port 1', spki: null }] };
    expect(judge(evidenceFor({ corroboration: unreadable })).why).toContain('a key that cannot be read');
  });
});

const recordAfter = (evidence: Evidence) => learn(evidence, judge(evidence))?.record ?? null;

describe('what was seen from elsewhere', () => {
  it('is kept with the pin, in the audit log, and when the certificate is renewed', () => {
    const evidence = evidenceFor({ corroboration: seen(1, 0, 0) });
    const lesson = learn(evidence, judge(evidence));
    expect(lesson?.audit[0]?.detail).toContain('1 of 1 vantage points showed the same key (port 1)');
    expect(lesson?.record.pins[0]?.evidence?.corroboration).toEqual(seen(1, 0, 0));
    const [leaf] = selfSigned.chain;
    const renewed = examinedAs({
      chain: leaf === undefined ? [] : [{ ...leaf, sha256: 'AB', notAfter: '2030-01-01T00:00:00Z' }],
    });
    const next = recordAfter(evidenceFor({ record: lesson?.record ?? null, examined: renewed }));
    expect(next?.pins[0]?.evidence).toMatchObject({ sha256: 'AB', corroboration: seen(1, 0, 0) });
  });

  it('is kept with the candidate, follows what is seen later, and is what explains it', () => {
    const held = recordAfter(evidenceFor({ corroboration: seen(0, 1, 0) }));
    expect(held?.candidates).toMatchObject([
      { spki: keyNamed('server'), reason: 'first-use-held', evidence: { corroboration: seen(0, 1, 0) } },
    ]);
    const evidence = lastEvidence(held, keyNamed('server'));
    const grounds = { ...evidenceFor({ record: held }), now: noon };
    const again = judge(recalled(grounds, { endpoint, spki: keyNamed('server'), evidence }));
    expect(told(again)).toBe('first-use-held');
    const later = recordAfter(evidenceFor({ record: held, corroboration: seen(0, 2, 0) }));
    expect(later?.candidates[0]?.evidence.corroboration).toEqual(seen(0, 2, 0));
    const [known] = held?.candidates ?? [];
    expect(known).toBeDefined();
    // Nothing else was seen, or nobody looked: what is known stays, and nothing is written.
    expect(recordAfter(evidenceFor({ record: held, corroboration: seen(0, 1, 0) }))).toBeNull();
    const holding = settingsOf({ policy: 'tofu', firstUse: 'hold' });
    expect(recordAfter(evidenceOf({ settings: holding, record: held }))).toBeNull();
  });
});
