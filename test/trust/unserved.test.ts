// What a probe may leave behind: over every record and certificate nobody would think of, and over every cell of the
// verdict table. It must never pin, promote, hand over or end anything, and never make a later verdict milder.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstUses, policies, type Evidence, type Verdict } from '../../src/trust/evidence.ts';
import { learn, learnUnserved } from '../../src/trust/learn.ts';
import { judge } from '../../src/trust/policy.ts';
import { emptyRecord, type EndpointRecord } from '../../src/trust/record.ts';
import { fault, names, pin, spki, when } from './any-evidence.ts';
import {
  candidateOf,
  caValid,
  day,
  deepFreeze,
  endpoint,
  evidenceOf,
  examinedAs,
  expectation,
  keyNamed,
  lastCaOf,
  noon,
  pinOf,
  recordOf,
  selfSigned,
  settingsOf,
} from './evidence.ts';

const records: fc.Arbitrary<EndpointRecord> = fc.record({
  endpoint: fc.constant(endpoint),
  epoch: fc.nat(9),
  basis: fc.constantFrom('none', 'ca', 'pinned'),
  pins: fc.oneof(fc.constant([]), fc.array(pin, { maxLength: 4 })),
  rejected: fc.array(fc.record({ spki, at: when }), { maxLength: 1 }),
  candidates: fc.array(
    fc.constantFrom(...names).map((name) => candidateOf(name)),
    { maxLength: 2 },
  ),
  lastCa: fc.constantFrom(null, null, lastCaOf('server'), lastCaOf('second', { seenAt: noon - 60_000 })),
  undo: fc.constant(null),
  expected: fc.constantFrom([], [], [expectation('server')]),
});

const examined = fc.oneof(
  fc.boolean().map((valid) => examinedAs({ caValid: valid, handedOverBy: [keyNamed('second')] })),
  fc
    .tuple(fc.boolean(), fc.boolean(), fc.array(fault, { maxLength: 3 }))
    .map(([valid, chainsToAnchor, found]) => examinedAs({ caValid: valid, chainsToAnchor, faults: found })),
);

/** One moment: what is remembered, configured and known, and a server that shows something. */
const evidence: fc.Arbitrary<Evidence> = fc.record({
  endpoint: fc.constant(endpoint),
  settings: fc
    .record({
      policy: fc.constantFrom(...policies),
      firstUse: fc.constantFrom(...firstUses),
      configPins: fc.oneof(fc.constant([]), fc.constant([]), fc.array(spki, { maxLength: 2 })),
      handOver: fc.boolean(),
      anchor: fc.boolean(),
    })
    .map(({ handOver, anchor, ...settings }) => ({
      ...settings,
      ...(handOver ? { handOver: true as const } : {}),
      ...(anchor && settings.policy === 'ca+tofu' ? { continuity: 'anchor' as const } : {}),
    })),
  now: fc.constant(noon),
  spki,
  resumed: fc.constant(false),
  profile: fc.constantFrom('modern', 'modern', 'modern', 'legacy'),
  examined,
  dane: fc.constantFrom(null, null, { state: 'match', detail: 'one record fits' } as const),
  anchors: fc.constantFrom(0, 140, 140),
  record: fc.option(records, { freq: 8 }),
  recordVerified: fc.constantFrom(true, true, true, true, true, true, true, false),
  store: fc.constantFrom('good', 'good', 'good', 'good', 'good', 'good', 'damaged', 'unavailable'),
  sealed: fc.record({
    rejected: fc.array(spki, { maxLength: 1 }).map((keys) => new Set(keys)),
    until: fc.array(fc.tuple(spki, when), { maxLength: 1 }).map((ends) => new Map(ends)),
  }),
});

const runs = { numRuns: 8000 };

/** All of a record but what a probe may write. */
const untouched = (record: EndpointRecord): object => ({ ...record, candidates: null, lastCa: null });

const strengths = ['refused', 'first-use', 'ca', 'dane', 'pin'] as const;
const strengthOf = (verdict: Verdict): (typeof strengths)[number] =>
  verdict.accept ? verdict.basis : 'refused';

describe('what a probe teaches', () => {
  it('is candidates and the last CA-verified certificate, whatever the verdict, and no change of epoch', () => {
    let [learnt, silent] = [0, 0];
    fc.assert(
      fc.property(evidence, (given) => {
        deepFreeze(given.record);
        const lesson = learnUnserved(given, judge(given));
        if (lesson === null) {
          silent += 1;
          return;
        }
        learnt += 1;
        const before = given.record ?? emptyRecord(endpoint);
        expect(untouched(lesson.record)).toEqual(untouched(before));
        expect(lesson.audit.filter(({ event }) => event !== 'candidate')).toEqual([]);
      }),
      runs,
    );
    expect(Math.min(learnt, silent)).toBeGreaterThan(1000);
  });

  it('is nothing where it would be a first use, a store is not good, or a record does not verify', () => {
    let tried = 0;
    fc.assert(
      fc.property(evidence, (given) => {
        const verdict = judge(given);
        const firstUse = verdict.accept && verdict.basis === 'first-use';
        if (!firstUse && given.store === 'good' && given.recordVerified) return;
        tried += 1;
        expect(learnUnserved(given, verdict)).toBe(null);
      }),
      runs,
    );
    expect(tried).toBeGreaterThan(1000);
  });

  it('makes no later verdict milder, of whatever key and certificate, under whatever policy', () => {
    let changed = 0;
    fc.assert(
      fc.property(evidence, evidence, (probed, later) => {
        const lesson = learnUnserved(probed, judge(probed));
        if (lesson === null) return;
        // What a session meets afterwards, with and without the probe before it; settings may have changed in between.
        const { record: _, ...met } = { ...later, recordVerified: true, store: 'good' as const };
        const without = judge({ ...met, record: probed.record });
        const having = judge({ ...met, record: lesson.record });
        changed += 1;
        if (!having.accept) return;
        expect([without.accept, strengthOf(without)]).toEqual([true, strengthOf(having)]);
      }),
      runs,
    );
    expect(changed).toBeGreaterThan(500);
  });

  it('makes one stricter: what a CA verified once is never first-used without it', () => {
    const probed = evidenceOf({ examined: caValid });
    const lesson = learnUnserved(probed, judge(probed));
    expect(judge(evidenceOf({ examined: selfSigned }))).toMatchObject({ accept: true, basis: 'first-use' });
    expect(judge(evidenceOf({ examined: selfSigned, record: lesson?.record ?? null }))).toMatchObject({
      accept: false,
      reason: 'ca-lost',
    });
  });

  it('makes none milder either where a session came in between that was judged as it would have been', () => {
    let compared = 0;
    fc.assert(
      fc.property(evidence, evidence, evidence, (probed, served, later) => {
        const lesson = learnUnserved(probed, judge(probed));
        if (lesson === null) return;
        const sound = { recordVerified: true, store: 'good' as const };
        const after = (record: EndpointRecord | null): [Verdict, EndpointRecord | null] => {
          const met = { ...served, ...sound, record };
          const verdict = judge(met);
          return [verdict, learn(met, verdict)?.record ?? record];
        };
        const [[one, without], [other, having]] = [after(probed.record), after(lesson.record)];
        if (strengthOf(one) !== strengthOf(other)) return;
        compared += 1;
        const verdict = judge({ ...later, ...sound, record: having });
        if (!verdict.accept) return;
        expect(strengthOf(judge({ ...later, ...sound, record: without }))).toBe(strengthOf(verdict));
      }),
      runs,
    );
    expect(compared).toBeGreaterThan(500);
  });
});

/** What is kept of a CA-valid acceptance that is no first use. */
function noted(
  verdict: Verdict,
  { record, shown }: { readonly record: EndpointRecord | null; readonly shown: Evidence['examined'] },
): unknown {
  const keeps = verdict.accept && verdict.basis !== 'first-use' && shown === caValid;
  return keeps ? expect.objectContaining({ spki: keyNamed('server') }) : (record?.lastCa ?? null);
}

describe('of each cell of the verdict table', () => {
  const columns = {
    none: null,
    ca: recordOf({ basis: 'ca', lastCa: lastCaOf('second') }),
    live: recordOf({ basis: 'pinned', pins: [pinOf('server')] }),
    unknown: recordOf({ basis: 'pinned', pins: [pinOf('second')] }),
    emptied: recordOf({ basis: 'pinned', pins: [pinOf('server', { endedAt: noon - day })] }),
  } as const;
  const cells = policies.flatMap((policy) =>
    (['none', 'ca', 'live', 'unknown', 'emptied'] as const).flatMap((column) =>
      [['CA-valid', caValid] as const, ['self-signed', selfSigned] as const].map(
        ([kind, shown]) => [policy, column, kind, shown] as const,
      ),
    ),
  );

  it.each(cells)('%s, %s, %s: a probe changes neither basis nor pins', (policy, column, _, shown) => {
    const record = columns[column];
    const given = evidenceOf({
      record,
      examined: shown,
      settings: settingsOf({ policy, handOver: true }),
      dane: { state: 'match', detail: 'one record fits' },
    });
    const verdict = judge(given);
    const after = learnUnserved(given, verdict)?.record ?? record;
    expect(after?.basis ?? 'none').toBe(record?.basis ?? 'none');
    expect(after?.pins ?? []).toEqual(record?.pins ?? []);
    expect(after?.epoch ?? 0).toBe(record?.epoch ?? 0);
    if (!verdict.accept) expect(after?.candidates.map((one) => one.spki)).toEqual([keyNamed('server')]);
    else expect(after?.lastCa ?? null).toEqual(noted(verdict, { record, shown }));
  });
});

describe('what DANE alone vouched for', () => {
  const proven = { state: 'match', detail: 'one record fits' } as const;
  const dane = settingsOf({ policy: 'dane' });
  const later = evidenceOf({ spki: keyNamed('attacker'), examined: caValid, settings: settingsOf() });

  it.each([
    ['without a probe', []],
    ['after a probe that met a CA-valid certificate', [caValid]],
  ])('is no server that a CA may vouch for later: %s', (_, probed) => {
    const record = probed.reduce<EndpointRecord | null>((known, shown) => {
      const given = evidenceOf({ record: known, examined: shown, dane: proven, settings: dane });
      return learnUnserved(given, judge(given))?.record ?? known;
    }, null);
    const session = evidenceOf({ record, examined: selfSigned, dane: proven, settings: dane });
    const served = learn(session, judge(session))?.record ?? record;
    expect(judge({ ...later, record: served })).toMatchObject({ accept: false, reason: 'pins-spent' });
  });
});

describe('where a session would change trust, a probe does not', () => {
  const handsOver = evidenceOf({
    record: recordOf({ basis: 'pinned', pins: [pinOf('second')] }),
    examined: examinedAs({ handedOverBy: [keyNamed('second')] }),
    settings: settingsOf({ handOver: true }),
  });
  it.each([
    ['first use', evidenceOf(), 'first-use'],
    ['CA verification', evidenceOf({ examined: caValid }), 'ca-verified'],
    [
      'promotion',
      evidenceOf({ examined: caValid, record: recordOf({ basis: 'pinned', pins: [pinOf('server')] }) }),
      'promoted',
    ],
    ['hand-over', handsOver, 'handed-over'],
    [
      'a pin of the configuration',
      evidenceOf({ settings: settingsOf({ configPins: [keyNamed('server')] }) }),
      'config-pinned',
    ],
    [
      'a matched import',
      evidenceOf({ record: recordOf({ basis: 'pinned', expected: [expectation('server')] }) }),
      'matched',
    ],
    [
      'expiry',
      evidenceOf({
        record: recordOf({
          basis: 'pinned',
          pins: [pinOf('server'), pinOf('second', { until: noon - 1 })],
        }),
      }),
      'expired',
    ],
  ] as const)('%s', (_, given, event) => {
    const verdict = judge(given);
    expect(learn(given, verdict)?.audit.map((entry) => entry.event)).toContain(event);
    const lesson = learnUnserved(given, verdict);
    expect(lesson?.audit ?? []).toEqual([]);
    expect(untouched(lesson?.record ?? emptyRecord(endpoint))).toEqual(
      untouched(lesson === null ? emptyRecord(endpoint) : (given.record ?? emptyRecord(endpoint))),
    );
  });
});
