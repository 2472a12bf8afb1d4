// What a verdict teaches: one row for each lesson, and for each case that teaches nothing.

import { describe, expect, it } from 'vitest';
import { maxCandidates, withCandidate } from '../../src/trust/candidates.ts';
import type { Evidence } from '../../src/trust/evidence.ts';
import { lastCaEveryMs } from '../../src/trust/acceptance.ts';
import type { Lesson } from '../../src/trust/draft.ts';
import { noticeExpiry } from '../../src/trust/expiry.ts';
import { learn, learnUnserved } from '../../src/trust/learn.ts';
import { judge } from '../../src/trust/policy.ts';
import type { Candidate } from '../../src/trust/record.ts';
import {
  caValid,
  candidateOf,
  day,
  deepFreeze,
  evidenceOf,
  examinedAs,
  expectation,
  hour,
  keyEvidence,
  keyNamed,
  lastCaOf,
  noon,
  pinOf,
  recordOf,
  selfSigned,
  settingsOf,
  sha256Named,
  withFaults,
} from './evidence.ts';

const lessonOf = (part: Partial<Evidence>): Lesson | null => {
  const evidence = deepFreeze(evidenceOf(part));
  return learn(evidence, judge(evidence));
};
/** Of a server that nobody is served by. */
const lessonUnserved = (part: Partial<Evidence>): Lesson | null => {
  const evidence = deepFreeze(evidenceOf(part));
  return learnUnserved(evidence, judge(evidence));
};
const eventsOf = (lesson: Lesson | null): readonly string[] =>
  (lesson?.audit ?? []).map(({ event }) => event);
const config = (name: string) => settingsOf({ configPins: [keyNamed(name)] });
const mine = (part: Parameters<typeof pinOf>[1] = {}) => pinOf('server', part);
const undoable = {
  command: 'add',
  at: noon - day,
  before: { basis: 'none', pins: [], rejected: [], candidates: [] },
  acceptedSince: false,
} as const;

const afterLeafSeenAt = (seenAt: number): Lesson | null =>
  lessonOf({ record: recordOf({ basis: 'ca', lastCa: lastCaOf('former', { seenAt }) }), examined: caValid });

describe('an acceptance', () => {
  it.each<[string, Partial<Evidence>, Partial<Lesson['record']>, readonly string[]]>([
    ['a first use pins the key', {}, { basis: 'pinned', epoch: 1, lastCa: null }, ['first-use']],
    [
      'a first use of a CA-valid key pins it and remembers the certificate',
      { settings: settingsOf({ policy: 'tofu' }), examined: caValid },
      { basis: 'pinned', lastCa: lastCaOf('server', { seenAt: noon }) },
      ['first-use'],
    ],
    [
      'a CA-valid key sets basis ca',
      { examined: caValid },
      { basis: 'ca', epoch: 1, pins: [] },
      ['ca-verified'],
    ],
    [
      'what the ratchet remembers becomes basis ca',
      { examined: caValid, record: recordOf({ lastCa: lastCaOf('server') }) },
      { basis: 'ca', epoch: 4 },
      ['ca-verified'],
    ],
    [
      'the first session of a configured pin sets basis pinned',
      { settings: config('server') },
      { basis: 'pinned', epoch: 1, pins: [] },
      ['config-pinned'],
    ],
    [
      'a CA-valid key beside configured pins sets no basis',
      { settings: { ...config('other'), policy: 'ca' }, examined: caValid },
      { basis: 'none', epoch: 0, lastCa: lastCaOf('server', { seenAt: noon }) },
      [],
    ],
    [
      'a live first-use key that is CA-valid now is promoted',
      { record: recordOf({ basis: 'pinned', pins: [mine()] }), examined: caValid },
      { basis: 'ca', epoch: 4, pins: [mine({ endedAt: noon })] },
      ['promoted'],
    ],
    [
      'a pool of first-use keys is promoted as one',
      { record: recordOf({ basis: 'pinned', pins: [mine(), pinOf('other')] }), examined: caValid },
      { basis: 'ca', pins: [mine({ endedAt: noon }), pinOf('other', { endedAt: noon })] },
      ['promoted'],
    ],
  ])('%s', (_, part, record, events) => {
    const lesson = lessonOf(part);
    expect(lesson?.record).toMatchObject(record);
    expect(eventsOf(lesson)).toEqual(events);
    expect(lesson?.durable).toBe(true);
  });

  it.each<[string, Partial<Evidence>]>([
    ['of an approved key', { record: recordOf({ basis: 'pinned', pins: [mine({ origin: 'approved' })] }) }],
    [
      'beside an approved key',
      { record: recordOf({ basis: 'pinned', pins: [mine(), pinOf('other', { origin: 'added' })] }) },
    ],
    [
      'beside a configured key',
      { record: recordOf({ basis: 'pinned', pins: [mine()] }), settings: config('other') },
    ],
    [
      'under tofu',
      { record: recordOf({ basis: 'pinned', pins: [mine()] }), settings: settingsOf({ policy: 'tofu' }) },
    ],
    [
      'under ca+tofu',
      { record: recordOf({ basis: 'pinned', pins: [mine()] }), settings: settingsOf({ policy: 'ca+tofu' }) },
    ],
  ])('is no promotion %s', (_, part) => {
    const lesson = lessonOf({ ...part, examined: caValid });
    expect(lesson?.record).toMatchObject({ basis: 'pinned', epoch: 3 });
    expect(eventsOf(lesson)).toEqual([]);
  });

  it('makes no basis where pins stand without one, which no command leaves', () => {
    const record = recordOf({ pins: [mine()] });
    expect(lessonOf({ record })).toBeNull();
    const dane = { state: 'match', detail: '3 1 1 00...' } as const;
    expect(lessonOf({ record, settings: settingsOf({ policy: 'dane' }), dane })).toBeNull();
  });

  it('of the same key and certificate teaches nothing', () => {
    expect(lessonOf({ record: recordOf({ basis: 'pinned', pins: [mine()] }) })).toBeNull();
    expect(
      lessonOf({ record: recordOf({ basis: 'ca', lastCa: lastCaOf('server') }), examined: caValid }),
    ).toBeNull();
  });

  it('of a renewed certificate keeps the new evidence, which need not be durable first', () => {
    const renewed = examinedAs({ sha256: sha256Named('renewed') });
    const before = mine({ evidence: keyEvidence({ notAfter: noon + day }) });
    const lesson = lessonOf({ record: recordOf({ basis: 'pinned', pins: [before] }), examined: renewed });
    expect(lesson).toMatchObject({
      durable: false,
      audit: [],
      record: { epoch: 3, pins: [{ evidence: { sha256: sha256Named('renewed') } }] },
    });
    expect(lesson?.record.pins[0]?.evidence).not.toHaveProperty('corroboration');
  });

  it('of a key that was pinned before it was seen keeps its evidence', () => {
    const unseen = mine({ origin: 'added', evidence: null });
    const lesson = lessonOf({ record: recordOf({ basis: 'pinned', pins: [unseen] }) });
    expect(lesson?.record.pins).toMatchObject([
      { evidence: { sha256: sha256Named('server'), seenAt: noon } },
    ]);
  });

  it('of the older of two certificates of a pool writes at most hourly', () => {
    const newer = keyEvidence({
      notAfter: noon + 200 * day,
      sha256: sha256Named('newer'),
      seenAt: noon - hour + 1,
    });
    const seen = (evidence: typeof newer) =>
      lessonOf({ record: recordOf({ basis: 'pinned', pins: [mine({ evidence })] }) });
    expect(seen(newer)).toBeNull();
    expect(seen({ ...newer, notAfter: noon + 80 * day })).toBeNull();
    expect(seen({ ...newer, notAfter: noon + 80 * day - 1 })).not.toBeNull();
    expect(seen({ ...newer, seenAt: noon - hour })).not.toBeNull();
    // The clock was set back: it must not take until then.
    expect(seen({ ...newer, seenAt: noon + 300 * day })).not.toBeNull();
  });

  it('writes the last CA-verified leaf when it changes and at most hourly', () => {
    expect(afterLeafSeenAt(noon - lastCaEveryMs + 1)).toBeNull();
    expect(afterLeafSeenAt(noon + lastCaEveryMs - 1)).toBeNull();
    // The clock was set back: it must not take until then.
    expect(afterLeafSeenAt(noon + 300 * day)).not.toBeNull();
    expect(afterLeafSeenAt(noon - lastCaEveryMs)).toMatchObject({
      durable: false,
      audit: [],
      record: { epoch: 3, lastCa: { spki: keyNamed('server') } },
    });
  });

  it('takes the key off the list of those that wait', () => {
    const lesson = lessonOf({
      record: recordOf({
        basis: 'ca',
        lastCa: lastCaOf('server'),
        candidates: [candidateOf('server'), candidateOf('other')],
      }),
      examined: caValid,
    });
    expect(lesson?.record.candidates).toEqual([candidateOf('other')]);
  });

  it('after a command is noted durably, once, for undo', () => {
    const record = recordOf({ basis: 'pinned', pins: [mine()], undo: undoable });
    const lesson = lessonOf({ record });
    expect(lesson).toMatchObject({
      durable: true,
      audit: [],
      record: { epoch: 3, undo: { acceptedSince: true } },
    });
    expect(lessonOf({ record: lesson?.record ?? null })).toBeNull();
  });
});

describe('a refusal', () => {
  const refused = { record: recordOf({ basis: 'pinned', pins: [pinOf('other')] }) };

  it('leaves a candidate and every pin as it was', () => {
    const lesson = lessonOf(refused);
    expect(lesson?.record).toMatchObject({
      ...refused.record,
      candidates: [{ spki: keyNamed('server'), seenCount: 1, reason: 'pin-mismatch' }],
    });
    expect(lesson?.audit).toMatchObject([
      { event: 'candidate', spki: keyNamed('server'), origin: 'proxy', detail: 'pin-mismatch' },
    ]);
    expect(lesson?.durable).toBe(false);
  });

  it('of a known candidate writes only what is new about it, and no second audit entry', () => {
    const known = {
      ...recordOf({ ...refused.record, candidates: [{ ...candidateOf('server'), evidence: keyEvidence() }] }),
    };
    expect(lessonOf({ record: known })).toBeNull();
    const lesson = lessonOf({ record: known, examined: caValid });
    expect(lesson).toMatchObject({ audit: [], record: { candidates: [{ evidence: { caValid: true } }] } });
  });

  it('whose candidate finds no place among CA-valid ones teaches nothing', () => {
    const candidates = Array.from({ length: maxCandidates }, (_, at) =>
      candidateOf(`valid ${at}`, { caValid: true }),
    );
    expect(lessonOf({ record: { ...refused.record, candidates } })).toBeNull();
    expect(eventsOf(lessonOf({ record: { ...refused.record, candidates: candidates.slice(1) } }))).toEqual([
      'candidate',
    ]);
  });

  it.each<[string, Partial<Evidence>]>([
    ['a rejected key', { record: recordOf({ rejected: [{ spki: keyNamed('server'), at: noon }] }) }],
    ['an unreadable certificate', { examined: null }],
    ['a resumed session', { resumed: true }],
    ['an unavailable store', { store: 'unavailable' }],
  ])('for %s leaves no candidate', (_, part) => {
    expect(lessonOf(part)).toBeNull();
  });

  it.each(['first-use-unsafe', 'first-use-held', 'first-use-off'])(
    'as %s leaves one for an endpoint nobody knows, and no basis',
    (reason) => {
      const firstUse = reason === 'first-use-held' ? 'hold' : 'refuse';
      const examined = reason === 'first-use-unsafe' ? withFaults('weak-key') : selfSigned;
      const lesson = lessonOf({ settings: settingsOf({ firstUse }), examined });
      expect(lesson?.record).toMatchObject({ basis: 'none', epoch: 0, pins: [], candidates: [{ reason }] });
    },
  );
});

describe('a legacy handshake', () => {
  const legacy = { profile: 'legacy' } as const;

  it.each<[string, Partial<Evidence>]>([
    ['self-signed', {}],
    ['CA-valid', { examined: caValid }],
    ['CA-valid under tofu', { examined: caValid, settings: settingsOf({ policy: 'tofu' }) }],
  ])('of an unknown server leaves a candidate that says so, and no basis: %s', (_, part) => {
    expect(lessonOf({ ...legacy, ...part })?.record).toMatchObject({
      basis: 'none',
      epoch: 0,
      pins: [],
      lastCa: null,
      candidates: [{ reason: 'legacy-unpinned', evidence: { legacy: true } }],
    });
  });

  it('on a live pin neither promotes it nor remembers a CA, however good the certificate', () => {
    const record = recordOf({ basis: 'pinned', pins: [mine()] });
    expect(lessonOf({ record, examined: caValid })?.record).toMatchObject({ basis: 'ca' });
    const lesson = lessonOf({ ...legacy, record, examined: caValid });
    expect(lesson?.record).toMatchObject({ basis: 'pinned', epoch: 3, lastCa: null });
    expect(lesson?.record.pins).toMatchObject([{ endedAt: null, evidence: { legacy: true } }]);
  });

  it('is forgotten when the same certificate is seen in a modern one', () => {
    const seen = keyEvidence({ legacy: true });
    const record = recordOf({ basis: 'pinned', pins: [mine({ origin: 'approved', evidence: seen })] });
    expect(lessonOf({ ...legacy, record })).toBeNull();
    expect(lessonOf({ record })?.record.pins[0]?.evidence).not.toHaveProperty('legacy');
  });
});

const probed = (part: Partial<Evidence>): Lesson | null => {
  const evidence = deepFreeze(evidenceOf(part));
  return learnUnserved(evidence, judge(evidence));
};

describe('an acceptance that serves nobody', () => {
  const bare = { pins: [mine()], expected: [expectation('server')] };

  it.each<[string, Partial<Evidence>, Partial<Lesson['record']> | null]>([
    [
      'what a CA vouches for',
      { examined: caValid },
      { basis: 'none', lastCa: lastCaOf('server', { seenAt: noon }) },
    ],
    [
      'what a CA vouches for, beside a pin, and that the key waits no more',
      {
        examined: caValid,
        record: recordOf({ basis: 'pinned', pins: [mine()], candidates: [candidateOf('server')] }),
      },
      { basis: 'pinned', pins: [mine()], candidates: [], lastCa: lastCaOf('server', { seenAt: noon }) },
    ],
    [
      'that the key waits no more',
      { record: recordOf({ basis: 'pinned', pins: [mine()], candidates: [candidateOf('server')] }) },
      { candidates: [], lastCa: null },
    ],
    ['nothing of a known pin', { record: recordOf({ basis: 'pinned', pins: [mine()] }) }, null],
    ['nothing of a first use', {}, null],
    [
      'nothing of a first use of a key that waits',
      { record: recordOf({ candidates: [candidateOf('server')] }) },
      null,
    ],
    [
      'nothing of a first use that a CA vouches for',
      { examined: caValid, settings: settingsOf({ policy: 'tofu' }) },
      null,
    ],
    [
      'no CA where a pin stands without a basis',
      { examined: caValid, record: recordOf({ pins: bare.pins }) },
      null,
    ],
    [
      'none where something is expected without a basis',
      { examined: caValid, record: recordOf({ expected: bare.expected }) },
      null,
    ],
    ['none where both stand without a basis', { examined: caValid, record: recordOf(bare) }, null],
  ])('leaves %s', (_, part, record) => {
    const lesson = probed(part);
    if (record === null) expect(lesson).toBeNull();
    else expect(lesson?.record).toMatchObject({ epoch: part.record?.epoch ?? 0, ...record });
    expect(eventsOf(lesson)).toEqual([]);
  });
});

describe('a store that is not whole', () => {
  it.each<[string, Partial<Evidence>]>([
    ['damaged', { store: 'damaged' }],
    ['unavailable', { store: 'unavailable' }],
    ['good, but the record does not verify', { recordVerified: false }],
  ])('teaches nothing when %s', (_, part) => {
    for (const policy of ['auto', 'ca', 'tofu'] as const) {
      for (const examined of [caValid, selfSigned]) {
        expect(lessonOf({ ...part, settings: settingsOf({ policy }), examined })).toBeNull();
        expect(lessonUnserved({ ...part, settings: settingsOf({ policy }), examined })).toBeNull();
      }
    }
    expect(lessonOf({ ...part, settings: { ...config('server'), policy: 'pinned' } })).toBeNull();
  });
});

describe('a server that nobody is served by', () => {
  it('leaves what a CA vouches for, or a candidate, and nothing without a key', () => {
    expect(lessonUnserved({ examined: caValid })?.record).toMatchObject({
      basis: 'none',
      lastCa: lastCaOf('server', { seenAt: noon }),
    });
    const record = recordOf({ basis: 'pinned', pins: [pinOf('other')] });
    expect(lessonUnserved({ record })?.record).toMatchObject({
      ...record,
      candidates: [{ spki: keyNamed('server'), reason: 'pin-mismatch' }],
    });
    expect(lessonUnserved({ record, spki: null })).toBeNull();
  });
});

describe('the end of a pin', () => {
  const over = mine({ origin: 'approved', until: noon });

  it('is written when it is noticed, whether the session is accepted or refused', () => {
    const refused = lessonOf({ record: recordOf({ basis: 'pinned', pins: [over] }) });
    expect(eventsOf(refused)).toEqual(['expired', 'candidate']);
    expect(refused).toMatchObject({ durable: true, record: { epoch: 4, pins: [{ endedAt: noon }] } });
    const accepted = lessonOf({
      record: recordOf({ basis: 'pinned', pins: [mine(), pinOf('other', { until: noon - 1 })] }),
    });
    expect(eventsOf(accepted)).toEqual(['expired']);
    expect(accepted).toMatchObject({ durable: true, record: { epoch: 4 } });
  });

  it('is noticed on its own, once, and not before it is there', () => {
    const record = deepFreeze(recordOf({ basis: 'pinned', pins: [over] }));
    const lesson = noticeExpiry(record, noon);
    expect(eventsOf(lesson)).toEqual(['expired']);
    expect(noticeExpiry(lesson?.record ?? record, noon + day)).toBeNull();
    expect(noticeExpiry(record, noon - 1)).toBeNull();
  });
});

const filled = (keys: readonly string[], valid: readonly string[] = []): readonly Candidate[] =>
  keys.reduce<readonly Candidate[]>(
    (list, key) => withCandidate(list, candidateOf(key, { caValid: valid.includes(key) })),
    [],
  );
const named = (list: readonly Candidate[]): string =>
  list.map(({ spki }) => Buffer.from(spki.slice(8), 'base64').toString().replaceAll('.', '')).join('');

describe('the list of candidates', () => {
  it('keeps the first 8 and the latest 8', () => {
    expect(named(filled('abcdefghijklmnopqrstuvwxyz'.split('')))).toBe('abcdefghstuvwxyz');
    expect(filled('abcdefghijklmnopqrstuvwxyz'.split(''))).toHaveLength(maxCandidates);
  });

  it('drops a CA-valid one last', () => {
    expect(named(filled('abcdefghijklmnopqrst'.split(''), ['i']))).toBe('abcdefghinopqrst');
    expect(named(filled('abcdefghijklmnopqrst'.split(''), 'ijklmnopqr'.split('')))).toBe('abcdefijklmnopqr');
    expect(named(filled('abcdefghijklmnopq'.split(''), 'bcdefghijklmnopq'.split('')))).toBe(
      'bcdefghijklmnopq',
    );
    expect(named(filled('abcdefghijklmnopqrst'.split(''), 'abcdefghijklmnopqrst'.split('')))).toBe(
      'abcdefghmnopqrst',
    );
  });
});

describe('an acceptance by DANE', () => {
  const match = { state: 'match', detail: '3 1 1 00...' } as const;
  const byDane = settingsOf({ policy: 'dane' });

  it('of an endpoint nothing is known of leaves a record without a key, durably', () => {
    const configured = settingsOf({ policy: 'dane', configPins: [keyNamed('other')] });
    for (const settings of [byDane, configured, settingsOf({ dane: 'prefer' })]) {
      const lesson = lessonOf({ settings, dane: match });
      expect(lesson).toMatchObject({ durable: true, record: { basis: 'pinned', byDane: true, pins: [] } });
      expect(eventsOf(lesson)).toEqual(['dane-proven']);
    }
  });

  it('that other policies read as emptied', () => {
    const record = lessonOf({ settings: byDane, dane: match })?.record ?? null;
    const now = (policy: 'auto' | 'tofu' | 'ca+tofu' | 'pinned'): string => {
      const verdict = judge(evidenceOf({ record, settings: settingsOf({ policy }), examined: caValid }));
      return verdict.accept ? 'accepted' : verdict.reason;
    };
    expect([now('auto'), now('tofu'), now('ca+tofu'), now('pinned')]).toEqual([
      'pins-spent',
      'pins-spent',
      'pins-spent',
      'not-pinned',
    ]);
    expect(lessonOf({ record, settings: byDane, dane: match })).toBeNull();
  });

  it('that is CA-valid as well sets basis ca, like any other', () => {
    const lesson = lessonOf({ settings: byDane, dane: match, examined: caValid });
    expect(lesson?.record).toMatchObject({ basis: 'ca', lastCa: { spki: keyNamed('server') } });
    expect(lesson?.record.byDane).toBeUndefined();
  });

  it('counts where a certificate is all that a probe left, which stays', () => {
    const record = recordOf({ lastCa: lastCaOf('former') });
    const lesson = lessonOf({ record, settings: byDane, dane: match });
    expect(lesson?.record).toMatchObject({ basis: 'pinned', byDane: true, lastCa: record.lastCa });
  });

  it('changes no basis and no pin that is there', () => {
    const records = [
      recordOf({ basis: 'pinned', pins: [pinOf('other')] }),
      recordOf({ basis: 'ca' }),
      recordOf({ basis: 'pinned' }),
    ];
    for (const record of records) expect(lessonOf({ record, settings: byDane, dane: match })).toBeNull();
  });

  it('a mismatch leaves a candidate, an answer that proves nothing does not', () => {
    const mismatch = lessonOf({ settings: byDane, dane: { ...match, state: 'mismatch' } });
    expect(mismatch?.record.candidates).toMatchObject([
      { spki: keyNamed('server'), reason: 'dane-mismatch' },
    ]);
    expect(lessonOf({ settings: byDane, dane: { ...match, state: 'insecure' } })).toBeNull();
  });
});
