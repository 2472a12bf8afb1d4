// What holds of every verdict, whatever the evidence: found by trying records and certificates nobody would
// think of. fast-check prints the seed of a counter-example.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence, Policy } from '../../src/trust/evidence.ts';
import { isCaValid, judge } from '../../src/trust/policy.ts';
import { emptyRecord } from '../../src/trust/record.ts';
import { liveKeys } from '../../src/trust/standing.ts';
import { anyEvidence as evidence, spki } from './any-evidence.ts';
import { deepFreeze, endpoint, evidenceOf } from './evidence.ts';

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
