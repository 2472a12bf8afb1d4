// What holds of every verdict, whatever the evidence: found by trying records and certificates nobody would
// think of. fast-check prints the seed of a counter-example.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstUses, policies, type Evidence, type Policy } from '../../src/trust/evidence.ts';
import { faults, isFault } from '../../src/trust/fault.ts';
import { isCaValid, judge } from '../../src/trust/policy.ts';
import { emptyRecord, type EndpointRecord, type Pin } from '../../src/trust/record.ts';
import { liveKeys } from '../../src/trust/standing.ts';
import {
  day,
  deepFreeze,
  endpoint,
  evidenceOf,
  examinedAs,
  keyEvidence,
  keyNamed,
  lastCaOf,
  noon,
} from './evidence.ts';

const names = ['server', 'second', 'attacker'] as const;
const spki = fc.constantFrom(...names).map(keyNamed);
const when = fc.constantFrom(noon - day, noon - 1, noon, noon + 1, noon + day);
const fault = fc.constantFrom(...Object.keys(faults).filter(isFault));

const pin: fc.Arbitrary<Pin> = fc.record({
  spki,
  kind: fc.constantFrom('leaf' as const, 'leaf' as const, 'anchor' as const),
  origin: fc.constantFrom('first-use', 'approved', 'added', 'imported', 'config'),
  firstSeen: when,
  lastSeen: fc.option(when),
  until: fc.constantFrom(null, null, null, noon - 1, noon, noon + day),
  endedAt: fc.constantFrom(null, null, null, null, noon - day),
  evidence: fc.constantFrom(null, keyEvidence(), keyEvidence({ caValid: true })),
});

const record: fc.Arbitrary<EndpointRecord> = fc.record({
  endpoint: fc.constant(endpoint),
  epoch: fc.nat(9),
  basis: fc.constantFrom('none', 'ca', 'pinned'),
  pins: fc.array(pin, { maxLength: 4 }),
  rejected: fc.array(fc.record({ spki, at: when }), { maxLength: 1 }),
  candidates: fc.constant([]),
  lastCa: fc.constantFrom(null, null, lastCaOf('server')),
  undo: fc.constant(null),
});

const examined = fc.oneof(
  fc.boolean().map((valid) => examinedAs({ caValid: valid })),
  fc
    .tuple(fc.boolean(), fc.boolean(), fc.array(fault, { maxLength: 3 }))
    .map(([valid, chainsToAnchor, found]) => examinedAs({ caValid: valid, chainsToAnchor, faults: found })),
);

const evidence: fc.Arbitrary<Evidence> = fc.record({
  endpoint: fc.constant(endpoint),
  settings: fc.record({
    policy: fc.constantFrom(...policies),
    firstUse: fc.constantFrom(...firstUses),
    configPins: fc.oneof(fc.constant([]), fc.constant([]), fc.array(spki, { maxLength: 2 })),
  }),
  now: fc.constantFrom(...Array<number>(16).fill(noon), -1, 0, Number.MAX_SAFE_INTEGER),
  spki: fc.option(spki, { freq: 20 }),
  resumed: fc.constantFrom(false, false, false, false, false, false, false, false, false, true),
  profile: fc.constantFrom('modern', 'modern', 'modern', 'modern', 'legacy'),
  examined: fc.option(examined, { freq: 20 }),
  anchors: fc.constantFrom(0, 140),
  record: fc.option(record, { freq: 8 }),
  recordVerified: fc.constantFrom(true, true, true, true, true, true, true, false),
  store: fc.constantFrom('good', 'good', 'good', 'good', 'good', 'good', 'damaged', 'unavailable'),
  sealed: fc.record({
    rejected: fc.array(spki, { maxLength: 1 }).map((keys) => new Set(keys)),
    until: fc.array(fc.tuple(spki, when), { maxLength: 1 }).map((ends) => new Map(ends)),
  }),
});

const runs = { numRuns: 6000 };
const holds = (law: (evidence: Evidence, verdict: ReturnType<typeof judge>) => void): void =>
  fc.assert(
    fc.property(evidence, (given) => law(given, judge(given))),
    runs,
  );

const live = (given: Evidence): readonly string[] =>
  liveKeys(given)
    .filter((key) => key.kind === 'leaf')
    .map((key) => key.spki);
const isPolicy = (given: Evidence, ...wanted: readonly Policy[]): boolean =>
  wanted.includes(given.settings.policy);

describe('the judge', () => {
  it('is total and pure: it answers all evidence, twice the same, and changes nothing it is given', () => {
    holds((given, verdict) => {
      deepFreeze(given);
      expect(judge(given)).toEqual(verdict);
      expect(verdict.why).not.toBe('');
    });
  });

  it('never accepts an unknown key where a live pin exists under tofu, ca+tofu and pinned', () => {
    let tried = 0;
    holds((given, verdict) => {
      if (!isPolicy(given, 'tofu', 'ca+tofu', 'pinned') || given.spki === null) return;
      if (live(given).length === 0 || live(given).includes(given.spki)) return;
      tried += 1;
      expect(verdict.accept).toBe(false);
    });
    expect(tried).toBeGreaterThan(200);
  });

  it('accepts an unknown key beside a live pin under auto only CA-valid, on basis ca and without config pins', () => {
    let accepted = 0;
    holds((any) => {
      const given = { ...any, settings: { ...any.settings, policy: 'auto' as const } };
      if (given.spki === null || !judge(given).accept) return;
      if (live(given).length === 0 || live(given).includes(given.spki)) return;
      accepted += 1;
      const { record: known, settings } = given;
      expect(isCaValid(given)).toBe(true);
      expect(known?.basis === 'ca' || (known?.basis === 'none' && known.lastCa !== null)).toBe(true);
      expect(settings.configPins).toEqual([]);
    });
    expect(accepted).toBeGreaterThan(10);
  });

  it('after a CA verification never first-uses a certificate that is not CA-valid', () => {
    let tried = 0;
    holds((given, verdict) => {
      const known = given.record;
      if (known === null || !given.recordVerified || (known.basis !== 'ca' && known.lastCa === null)) return;
      if (isCaValid(given)) return;
      tried += 1;
      expect(verdict.accept && verdict.basis === 'first-use').toBe(false);
    });
    expect(tried).toBeGreaterThan(200);
  });

  it('never accepts a rejected key, whether record or seal says so and whether the record verifies or not', () => {
    let tried = 0;
    holds((given, verdict) => {
      const { spki: key } = given;
      if (key === null) return;
      const written = given.record?.rejected.some((rejection) => rejection.spki === key) ?? false;
      if (!written && !given.sealed.rejected.has(key)) return;
      tried += 1;
      expect(verdict.accept).toBe(false);
    });
    expect(tried).toBeGreaterThan(200);
  });

  it('accepts as pinned only what is a live pin, and as CA-verified only what is CA-valid', () => {
    holds((given, verdict) => {
      if (!verdict.accept) return;
      if (verdict.basis === 'pin') expect(live(given)).toContain(given.spki);
      if (verdict.basis === 'ca') expect(isCaValid(given)).toBe(true);
    });
  });

  it('first-uses only from a good store, where nothing that counts is remembered, and only when told to accept', () => {
    let accepted = 0;
    holds((given, verdict) => {
      if (!verdict.accept || verdict.basis !== 'first-use') return;
      accepted += 1;
      expect(given.store).toBe('good');
      expect(given.recordVerified).toBe(true);
      expect(given.settings.firstUse).toBe('accept');
      expect(given.settings.configPins).toEqual([]);
      expect(given.record?.pins ?? []).toEqual([]);
      expect(given.record?.basis).not.toBe('pinned');
    });
    // About thirty of six thousand are; the guard is against none.
    expect(accepted).toBeGreaterThan(3);
  });

  it('under ca accepts exactly what is CA-valid and not rejected, whatever the store says', () => {
    holds((given, verdict) => {
      if (!isPolicy(given, 'ca') || given.resumed || given.spki === null || given.examined === null) return;
      const key = given.spki;
      const rejected =
        given.sealed.rejected.has(key) ||
        (given.record ?? emptyRecord(endpoint)).rejected.some((one) => one.spki === key);
      expect(verdict.accept).toBe(isCaValid(given) && !rejected);
    });
  });

  it('over a legacy handshake accepts nothing but a live pin, and nothing a modern one would have refused', () => {
    let accepted = 0;
    holds((any) => {
      const given: Evidence = { ...any, profile: 'legacy' };
      const verdict = judge(given);
      if (!verdict.accept) return;
      accepted += 1;
      expect(verdict.basis).toBe('pin');
      expect(live(given)).toContain(given.spki);
      expect(judge({ ...given, profile: 'modern' }).accept).toBe(true);
    });
    expect(accepted).toBeGreaterThan(200);
  });

  it('does not get milder when the seal knows more', () => {
    fc.assert(
      fc.property(evidence, spki, (given, key) => {
        const stricter = {
          ...given,
          sealed: { ...given.sealed, rejected: new Set([...given.sealed.rejected, key]) },
        };
        if (judge(stricter).accept) expect(judge(given).accept).toBe(true);
      }),
      runs,
    );
  });
});

it('the evidence of these tests has both verdicts', () => {
  expect(judge(evidenceOf()).accept).toBe(true);
  expect(judge(evidenceOf({ spki: null })).accept).toBe(false);
});
