// The path to a verdict is the judge's own: whatever the evidence, it leads to the very verdict, one question on it
// decides, and it is one that can decide so.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, refusals, type RefusalReason } from '../../src/errors.ts';
import type { Rule } from '../../src/trust/deliberation.ts';
import type { AcceptBasis, Evidence } from '../../src/trust/evidence.ts';
import { explainEndpoint, explainKey } from '../../src/trust/explain.ts';
import { deliberate, judge } from '../../src/trust/policy.ts';
import { recalled } from '../../src/trust/seen.ts';
import { evidenceOf as keyEvidenceOf } from '../../src/trust/known-key.ts';
import { anyEvidence } from './any-evidence.ts';
import { caValid, evidenceOf, keyNamed, noon, pinOf, recordOf, settingsOf } from './evidence.ts';

/** Which questions can end in which verdict. */
const deciders: Readonly<Record<RefusalReason | `+${AcceptBasis}`, readonly Rule[]>> = {
  'certificate-unreadable': ['readable'],
  'session-resumed': ['resumed'],
  'key-rejected': ['rejected'],
  'certificate-revoked': ['revoked'],
  'pin-mismatch': ['hand-over', 'ca-valid', 'live-pin'],
  'pins-spent': ['known', 'live-pin'],
  'ca-invalid': ['known', 'ca-valid'],
  'ca-lost': ['known', 'ca-valid', 'approved'],
  'first-use-off': ['first-use'],
  'first-use-held': ['signed-otherwise', 'first-use', 'corroborated'],
  'first-use-unsafe': ['first-use-safe'],
  'not-pinned': ['known', 'pinned'],
  'dane-mismatch': ['dane'],
  'dane-unproven': ['dane'],
  'legacy-unpinned': ['legacy'],
  'store-unavailable': ['store'],
  'store-damaged': ['survives'],
  // Not the judge's.
  'starttls-missing': [],
  'starttls-refused': [],
  'injected-bytes': [],
  preauth: [],
  'not-this-protocol': [],
  'tls-too-old': [],
  '+ca': ['ca-valid'],
  '+pin': ['known', 'pinned', 'approved', 'hand-over', 'ca-valid'],
  '+first-use': ['first-use', 'corroborated'],
  '+dane': ['dane'],
};

const daneStates = ['match', 'mismatch', 'unusable', 'absent', 'insecure', 'bogus', 'failed'] as const;
const dane = fc.option(fc.constantFrom(...daneStates).map((state) => ({ state, detail: 'so it is' })));

/** With what TLSA records say, and asked for. */
const withDane = fc.tuple(anyEvidence, dane, fc.boolean()).map(([evidence, result, prefers]): Evidence => {
  const settings = { ...evidence.settings, dane: prefers ? 'prefer' : 'off' } as const;
  return { ...evidence, settings, dane: result };
});

const path = (part: Partial<Evidence>): readonly string[] =>
  deliberate(evidenceOf(part)).steps.map(
    ({ rule, found, decides }) => `${decides ? '> ' : ''}${rule}: ${found}`,
  );

describe('the path to a verdict', () => {
  it('leads to the verdict of the judge, and one question on it that can decide so does', () => {
    const decided = new Set<string>();
    fc.assert(
      fc.property(withDane, (evidence) => {
        const { verdict, steps } = deliberate(evidence);
        expect(verdict).toEqual(judge(evidence));
        const deciding = steps.filter(({ decides }) => decides);
        expect(deciding).toHaveLength(1);
        const code = verdict.accept ? (`+${verdict.basis}` as const) : verdict.reason;
        expect(deciders[code]).toContain(deciding[0]?.rule);
        decided.add(`${code} by ${deciding[0]?.rule}`);
      }),
      { numRuns: 20_000 },
    );
    expect(decided.size).toBeGreaterThan(25);
  });

  it('asks each question once, and says what it found', () => {
    fc.assert(
      fc.property(withDane, (evidence) => {
        const { steps } = deliberate(evidence);
        expect(new Set(steps.map(({ rule }) => rule)).size).toBe(steps.length);
        for (const { asks, found } of steps) expect([asks, found]).not.toContain('');
      }),
    );
  });

  it('changes with the answer that decides: nobody decides by what makes no difference', () => {
    const record = recordOf({ basis: 'pinned', pins: [pinOf('old')] });
    expect(path({ record })).toEqual([
      'resumed: no',
      'readable: yes',
      'rejected: no',
      'revoked: no',
      'policy: trust: auto',
      'known: its pins, and this key is none of them',
      '> hand-over: no',
      'store: good',
    ]);
    expect(path({ record: recordOf({ basis: 'pinned', pins: [pinOf('server')] }) })).toContain(
      '> known: its pins, and this key is one of them',
    );
    expect(path({ examined: caValid })).toContain('> ca-valid: yes');
    expect(path({ settings: settingsOf({ firstUse: 'hold' }) })).toContain('> first-use: firstUse: hold');
    expect(path({ store: 'unavailable' })).toContain('> store: unavailable');
  });

  it('knows a question for every reason that the judge gives', () => {
    expect(Object.keys(deciders).filter(isRefusal).toSorted()).toEqual(Object.keys(refusals).toSorted());
  });
});

describe('explain', () => {
  it('tells of a key what the judge would say now, whatever is remembered', () => {
    fc.assert(
      fc.property(anyEvidence, ({ endpoint, record, settings, sealed, spki }) => {
        const situation = { endpoint, record, settings, sealed, now: noon, origin: 'cli' } as const;
        const key = spki ?? keyNamed('server');
        const { decision } = explainKey('REF', key, situation);
        const seen = { endpoint, spki: key, evidence: keyEvidenceOf(situation, key) };
        const verdict = judge(recalled({ ...situation, recordVerified: true }, seen));
        expect(decision).toMatchObject({
          spki: key,
          verdict: verdict.accept ? 'accepted' : 'refused',
          basis: verdict.accept ? verdict.basis : null,
          reason: verdict.accept ? null : verdict.reason,
          why: verdict.why,
        });
        expect(decision?.steps.filter(({ decides }) => decides)).toHaveLength(1);
      }),
    );
  });

  it('tells of an endpoint how the key shown last is judged, and of none where none was shown', () => {
    const record = recordOf({ basis: 'pinned', pins: [pinOf('old', { lastSeen: noon - 1 })] });
    const about = {
      endpoint: 'imap.example.org:993',
      settings: settingsOf({}),
      now: noon,
      origin: 'cli',
    } as const;
    const sealed = { rejected: new Set<string>(), until: new Map<string, number>() };
    expect(explainEndpoint({ ...about, sealed, record }).decision).toMatchObject({
      spki: keyNamed('old'),
      verdict: 'accepted',
      basis: 'pin',
    });
    expect(explainEndpoint({ ...about, sealed, record: null }).decision).toBeNull();
  });
});
