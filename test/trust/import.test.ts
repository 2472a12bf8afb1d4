// What an import comes to for one endpoint: what is taken, what stands in the way, what a matching certificate
// makes of an expected one, and what a backup puts back.

import { createHash, X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import { carryOut } from '../../src/trust/carry-out.ts';
import type { Command, Situation } from '../../src/trust/command.ts';
import { policies, type Evidence, type Policy } from '../../src/trust/evidence.ts';
import { describeCertificate } from '../../src/trust/certificate.ts';
import { planImport, type ImportEntry, type ImportOrder } from '../../src/trust/import-order.ts';
import { isSameExpectation } from '../../src/trust/expected.ts';
import { noticeExpiry } from '../../src/trust/expiry.ts';
import { learn } from '../../src/trust/learn.ts';
import { judge } from '../../src/trust/policy.ts';
import type { EndpointRecord, HashAlgorithm } from '../../src/trust/record.ts';
import { standingOf } from '../../src/trust/standing.ts';
import { selfSigned as identityOf } from '../net/peers.ts';
import {
  caValid,
  candidateOf,
  day,
  deepFreeze,
  endpoint,
  evidenceOf,
  examinedAs,
  expectation,
  hour,
  keyNamed,
  lastCaOf,
  noon,
  pinOf,
  recordOf,
  settingsOf,
  sha256Named,
} from './evidence.ts';

const situationOf = (part: Partial<Situation> = {}): Situation =>
  deepFreeze({
    endpoint,
    record: null,
    settings: settingsOf(),
    sealed: { rejected: new Set<string>(), until: new Map<string, number>() },
    now: noon,
    origin: 'cli',
    ...part,
  });
const pin = (name: string, until: number | null = null): ImportEntry => ({
  kind: 'pin',
  spki: keyNamed(name),
  until,
});
const expected = (name: string, until: number | null = null): ImportEntry => {
  const { of, algorithm, digest } = expectation(name);
  return { kind: 'expectation', of, algorithm, digest, until };
};
const backup = (record: EndpointRecord): ImportEntry => ({ kind: 'record', record });
const order = (entries: readonly ImportEntry[], part: Partial<ImportOrder> = {}): ImportOrder => ({
  endpoint,
  entries,
  keep: false,
  unreject: [],
  ...part,
});
const plan = (entries: readonly ImportEntry[], part: Partial<Situation & ImportOrder> = {}) =>
  planImport(order(entries, part), situationOf(part));
const doesOf = (...given: Parameters<typeof plan>): readonly string[] =>
  plan(...given).items.map(({ does }) => does);
const stored = (...given: Parameters<typeof plan>): EndpointRecord => {
  const { outcome, items } = plan(...given);
  if (outcome === null) throw new Error(items.map(({ text }) => text).join('; '));
  return outcome.record;
};
const told = (evidence: Evidence): string => {
  const verdict = judge(evidence);
  return verdict.accept ? `+${verdict.basis}` : verdict.reason;
};
const learnt = (evidence: Evidence) => {
  const lesson = learn(evidence, judge(evidence));
  if (lesson === null) throw new Error('nothing was learnt');
  return lesson;
};
const rejectedServer = { rejected: [{ spki: keyNamed('server'), at: noon - day }] };
const pinnedOther = recordOf({ basis: 'pinned', pins: [pinOf('other')] });

const pinnedMany = (count: number) =>
  recordOf({ basis: 'pinned', pins: Array.from({ length: count }, (_, at) => pinOf(`pin ${at}`)) });
const keysOf = (count: number) => Array.from({ length: count }, (_, at) => keyNamed(`pin ${at}`)).join(', ');

describe('a key', () => {
  it('becomes a pin that counts as approved, with an audit entry and a way back', () => {
    const { outcome, items } = plan([pin('server', noon + day)]);
    expect(items).toEqual([{ does: 'pin', text: `${keyNamed('server')} until 2026-11-24 12:00 UTC` }]);
    expect(outcome?.record).toMatchObject({
      basis: 'pinned',
      epoch: 1,
      pins: [{ spki: keyNamed('server'), origin: 'imported', until: noon + day, lastSeen: null }],
      undo: { command: 'import' },
    });
    expect(outcome?.audit).toMatchObject([{ event: 'imported', spki: keyNamed('server'), origin: 'cli' }]);
    expect(told(evidenceOf({ record: outcome?.record ?? null }))).toBe('+pin');
  });

  it.each<[string, Partial<Situation>]>([
    ['beside another pin', { record: pinnedOther }],
    ['beside the CA', { record: recordOf({ basis: 'ca' }) }],
    ['beside the CA that only the ratchet remembers', { record: recordOf({ lastCa: lastCaOf('former') }) }],
    [
      'where every pin has ended',
      { record: recordOf({ basis: 'pinned', pins: [pinOf('other', { endedAt: noon - 1 })] }) },
    ],
    ['beside a pin of the configuration', { settings: settingsOf({ configPins: [keyNamed('other')] }) }],
    [
      'beside an expected certificate',
      { record: recordOf({ basis: 'pinned', expected: [expectation('other')] }) },
    ],
  ])('is a conflict %s, and with keep it comes beside', (_, part) => {
    expect(plan([pin('server')], part)).toMatchObject({ items: [{ does: 'conflict' }], outcome: null });
    const record = stored([pin('server')], { ...part, keep: true });
    expect(record.pins.map(({ spki }) => spki)).toContain(keyNamed('server'));
    expect(record.expected ?? []).toHaveLength(part.record?.expected?.length ?? 0);
  });

  it.each<[string, EndpointRecord, string]>([
    ['another pin', pinnedOther, `beside ${keyNamed('other')}`],
    ['three pins', pinnedMany(3), `beside ${keysOf(3)}`],
    ['more', pinnedMany(4), `beside ${keysOf(3)} and others`],
    ['the CA', recordOf({ basis: 'ca' }), 'beside the CA'],
    ['pins that have ended', recordOf({ basis: 'pinned' }), 'where every pin has ended'],
    [
      'an expected certificate',
      recordOf({ basis: 'pinned', expected: [expectation('other')] }),
      `beside the certificate with SHA-256 ${sha256Named('other')}`,
    ],
  ])('that is a conflict says beside what: %s', (_, record, words) => {
    expect(plan([pin('server')], { record }).items).toEqual([
      { does: 'conflict', text: `${keyNamed('server')} would be trusted ${words}` },
    ]);
  });

  it('that was a pin before takes its place and keeps what was seen; an anchor of the same hash stays', () => {
    const anchor = pinOf('server', { kind: 'anchor', firstSeen: noon - 9 * day, lastSeen: noon });
    const over = pinOf('server', { endedAt: noon - hour });
    const record = recordOf({ basis: 'pinned', pins: [anchor, over] });
    expect(stored([pin('server')], { record, keep: true }).pins).toEqual([
      anchor,
      { ...over, origin: 'imported', endedAt: null },
    ]);
    expect(stored([pin('server')], {}).pins).toMatchObject([{ firstSeen: noon, lastSeen: null }]);
  });

  it('cannot be mixed with a backup', () => {
    const { items, outcome } = plan([pin('server'), backup(pinnedOther)]);
    expect(items.map(({ does }) => does)).toEqual(['pin', 'conflict']);
    expect(items[1]?.text).toBe('a backup of an endpoint cannot be mixed with other entries');
    expect(outcome).toBeNull();
  });

  it('that is trusted already changes nothing, and its end stays what it was', () => {
    const record = recordOf({ basis: 'pinned', pins: [pinOf('server', { until: noon + day })] });
    const { outcome, items } = plan([pin('server')], { record });
    expect(items).toMatchObject([{ does: 'nothing' }]);
    expect(outcome).toEqual({ record, audit: [], lines: [] });
  });

  it('that was rejected is named and taken only when it is named', () => {
    const record = recordOf({ ...rejectedServer });
    const blocked = plan([pin('server')], { record });
    expect(blocked).toMatchObject({ items: [{ does: 'rejected' }], outcome: null });
    expect(blocked.items[0]?.text).toContain(`--unreject ${keyNamed('server')}`);
    expect(doesOf([pin('server')], { record, unreject: [keyNamed('other')] })).toEqual(['rejected']);
    const sealed = { rejected: new Set([keyNamed('server')]), until: new Map<string, number>() };
    expect(doesOf([pin('server')], { sealed })).toEqual(['rejected']);
    const { outcome } = plan([pin('server')], { record, unreject: [keyNamed('server')] });
    expect(outcome?.record.rejected).toEqual([]);
    expect(outcome?.audit.map(({ event }) => event)).toEqual(['unrejected', 'imported']);
  });

  it('of one file comes beside the others of that file; one that is blocked blocks all', () => {
    expect(stored([pin('server'), pin('second'), pin('server')]).pins).toHaveLength(2);
    expect(doesOf([pin('server'), pin('server')])).toEqual(['pin', 'nothing']);
    const { outcome, items } = plan([pin('second'), pin('server')], {
      record: recordOf({ ...rejectedServer }),
    });
    expect(items.map(({ does }) => does)).toEqual(['pin', 'rejected']);
    expect(outcome).toBeNull();
  });
});

const expectedMany = (count: number) => Array.from({ length: count }, (_, at) => expected(`${at}`));

describe('an expected certificate', () => {
  it('keeps every other key out and becomes a pin with its own audit entry when it is shown', () => {
    const record = stored([expected('server')]);
    expect(record).toMatchObject({ basis: 'pinned', pins: [], expected: [{ until: null }] });
    const stranger = examinedAs({ sha256: expectation('other').digest.toUpperCase() });
    expect(told(evidenceOf({ record, examined: stranger }))).toBe('pin-mismatch');
    expect(told(evidenceOf({ record, examined: { ...stranger, caValid: true, faults: [] } }))).toBe(
      'pin-mismatch',
    );
    const lesson = learnt(evidenceOf({ record }));
    expect(lesson).toMatchObject({
      durable: true,
      record: {
        epoch: 2,
        basis: 'pinned',
        pins: [{ spki: keyNamed('server'), origin: 'imported', lastSeen: noon }],
      },
    });
    expect(lesson.record).not.toHaveProperty('expected');
    expect(lesson.audit).toMatchObject([{ event: 'matched', spki: keyNamed('server'), origin: 'proxy' }]);
    // The key counts from now on, whatever its certificate.
    expect(told(evidenceOf({ record: lesson.record, examined: stranger }))).toBe('+pin');
  });

  it('is the same as another of the same hash of the same, and no other', () => {
    const one = expectation('server');
    expect(isSameExpectation(one, { ...one })).toBe(true);
    for (const part of [{ of: 'key' }, { algorithm: 'sha512' }, { digest: 'ab' }] as const) {
      expect(isSameExpectation(one, { ...one, ...part })).toBe(false);
      expect(isSameExpectation({ ...one, ...part }, one)).toBe(false);
    }
  });

  it('ends without a trace where nothing can be undone', () => {
    const record = recordOf({ basis: 'pinned', expected: [expectation('server', { until: noon })] });
    const { expected: _, ...left } = record;
    expect(noticeExpiry(record, noon)?.record).toEqual({ ...left, epoch: record.epoch + 1 });
  });

  it('is one of 64 at most', () => {
    expect(stored(expectedMany(64)).expected).toHaveLength(64);
    expect(doesOf(expectedMany(65)).slice(-2)).toEqual(['expect', 'conflict']);
  });

  it('never vouches for a rejected key, and is not used up by it', () => {
    const record = { ...stored([expected('server')]), ...rejectedServer };
    const evidence = evidenceOf({ record });
    expect(told(evidence)).toBe('key-rejected');
    expect(learn(evidence, judge(evidence))).toBeNull();
  });

  it('is not met by a certificate whose key is another one than the handshake had', () => {
    const record = stored([expected('server')]);
    expect(told(evidenceOf({ record, spki: keyNamed('second') }))).toBe('pin-mismatch');
  });

  it.each<[Policy, boolean]>([
    ['ca', true],
    ['auto', true],
    ['auto', false],
    ['ca+tofu', true],
    ['tofu', false],
    ['pinned', false],
  ])('is taken over under %s (CA-valid: %s) beside a CA that stays the basis', (policy, valid) => {
    const record = recordOf({ basis: 'ca', lastCa: lastCaOf('former'), expected: [expectation('server')] });
    const lesson = learnt(
      evidenceOf({ record, settings: settingsOf({ policy }), ...(valid ? { examined: caValid } : {}) }),
    );
    expect(lesson.record).toMatchObject({ basis: 'ca', pins: [{ origin: 'imported' }] });
    expect(lesson.audit.map(({ event }) => event)).toEqual(['matched']);
  });

  it('a refused session takes nothing over', () => {
    const record = recordOf({ basis: 'pinned', expected: [expectation('server')] });
    const lesson = learnt(evidenceOf({ record, settings: settingsOf({ policy: 'ca' }) }));
    expect(lesson.record.expected).toEqual(record.expected);
    expect(lesson.record.pins).toEqual([]);
  });

  it('keeps a first-use key from being promoted past it', () => {
    const record = recordOf({ basis: 'pinned', pins: [pinOf('server')], expected: [expectation('other')] });
    expect(
      learn(evidenceOf({ record, examined: caValid }), judge(evidenceOf({ record, examined: caValid })))
        ?.record.basis,
    ).not.toBe('ca');
  });

  it('ends: noticed once, it is not expected again, not even by undo or a clock set back', () => {
    const record = stored([expected('server', noon + hour)]);
    const forgotten = carryOut(
      { command: 'forget', endpoint, expect: null, yes: true },
      situationOf({ record, now: noon + 1 }),
    ).record;
    for (const known of [record, forgotten]) {
      const noticed = noticeExpiry(known, noon + hour);
      expect(noticed?.record).not.toHaveProperty('expected');
      expect(noticed?.record.undo?.before).not.toHaveProperty('expected');
    }
    const ended = noticeExpiry(record, noon + hour);
    expect(ended?.audit).toMatchObject([{ event: 'expired', spki: null }]);
    expect(told(evidenceOf({ record: ended?.record ?? null, now: noon }))).toBe('pins-spent');
  });

  it('of a key that is on record already is that key', () => {
    const record = recordOf({ candidates: [candidateOf('server')] });
    expect(stored([expected('server')], { record })).toMatchObject({
      pins: [{ spki: keyNamed('server'), origin: 'imported' }],
      candidates: [],
    });
    const pinned = recordOf({ basis: 'pinned', pins: [pinOf('server')] });
    expect(doesOf([expected('server')], { record: pinned })).toEqual(['nothing']);
    expect(doesOf([expected('server')], { record: pinnedOther })).toEqual(['conflict']);
    expect(doesOf([expected('server'), expected('server')])).toEqual(['expect', 'nothing']);
  });

  it.each<[string, Command, (record: EndpointRecord) => unknown]>([
    [
      'forget drops it',
      { command: 'forget', endpoint, expect: null, yes: true },
      ({ expected: left }) => left,
    ],
    [
      'approve gives it a week, as to every other key',
      approving({}),
      ({ expected: left }) => left?.map(({ until }) => (until ?? 0) - noon - 7 * day),
    ],
    ['approve --end-old drops it', approving({ endOld: true }), ({ expected: left }) => left],
    [
      'approve --keep keeps it',
      approving({ keep: true }),
      ({ expected: left }) => left?.map(({ until }) => until),
    ],
    [
      'reject of another key keeps it',
      { command: 'reject', endpoint, expect: keyNamed('second') },
      ({ expected: left }) => left?.length,
    ],
  ])('%s', (_, command, seen) => {
    const record = recordOf({
      basis: 'pinned',
      candidates: [candidateOf('second')],
      expected: [expectation('server')],
    });
    const after = carryOut(command, situationOf({ record })).record;
    const wanted: Readonly<Record<string, unknown>> = {
      forget: undefined,
      reject: 1,
      approve: command.command === 'approve' && command.keep ? [null] : [0],
    };
    const dropped = command.command === 'approve' && command.endOld;
    expect(seen(after)).toEqual(dropped ? undefined : wanted[command.command]);
    const undone = carryOut({ command: 'undo', endpoint }, situationOf({ record: after })).record;
    expect(undone.expected).toEqual(record.expected);
  });
});

function approving(part: { readonly keep?: boolean; readonly endOld?: boolean }): Command {
  const plain = { forMs: null, as: null, keep: false, endOld: false, unreject: false } as const;
  return { command: 'approve', endpoint, expect: keyNamed('second'), ...plain, ...part };
}

describe('undo', () => {
  it('of an import nobody used leaves the record as it was', () => {
    const record = recordOf({ candidates: [candidateOf('second')] });
    const after = stored([pin('server'), expected('third')], { record });
    const undone = carryOut({ command: 'undo', endpoint }, situationOf({ record: after })).record;
    expect(undone).toEqual({ ...record, epoch: record.epoch + 2, undo: null });
  });

  it('of an import that was met ends the pin it became, and never falls back to a first use', () => {
    const met = learnt(evidenceOf({ record: stored([expected('server')]) })).record;
    const undone = carryOut({ command: 'undo', endpoint }, situationOf({ record: met })).record;
    expect(undone).toMatchObject({
      basis: 'pinned',
      pins: [{ endedAt: noon }],
      candidates: [{ spki: keyNamed('server') }],
    });
    expect(told(evidenceOf({ record: undone }))).toBe('pins-spent');
  });

  it('of a later command leaves what was met since', () => {
    const imported = stored([expected('server')]);
    const rejected = carryOut(
      { command: 'reject', endpoint, expect: keyNamed('second') },
      situationOf({ record: imported }),
    ).record;
    const met = learnt(evidenceOf({ record: rejected })).record;
    const undone = carryOut({ command: 'undo', endpoint }, situationOf({ record: met })).record;
    expect(undone).not.toHaveProperty('expected');
    expect(told(evidenceOf({ record: undone }))).toBe('+pin');
  });
});

describe('an end that has passed', () => {
  it('makes neither a pin nor something to expect', () => {
    const { outcome, items } = plan([pin('server', noon), expected('server', noon - 1)]);
    expect(items.map(({ does }) => does)).toEqual(['nothing', 'nothing']);
    expect(outcome?.audit).toEqual([]);
  });
});

describe('any life', () => {
  type Deed =
    | { readonly type: 'meet'; readonly name: string; readonly kind: 'self' | 'ca'; readonly policy: Policy }
    | { readonly type: 'import'; readonly entry: ImportEntry; readonly keep: boolean }
    | { readonly type: 'command'; readonly command: Command }
    | { readonly type: 'time'; readonly ms: number };
  const names = fc.constantFrom('server', 'second', 'attacker');
  const deeds: fc.Arbitrary<Deed> = fc.oneof(
    fc.record({
      type: fc.constant('meet' as const),
      name: names,
      kind: fc.constantFrom('self' as const, 'ca' as const),
      policy: fc.constantFrom(...policies),
    }),
    fc.record({
      type: fc.constant('import' as const),
      entry: fc
        .tuple(names, fc.boolean(), fc.constantFrom(null, 3 * day))
        .map(([name, byKey, ms]) => (byKey ? pin : expected)(name, ms === null ? null : noon + ms)),
      keep: fc.boolean(),
    }),
    fc
      .tuple(names, fc.constantFrom('reject', 'forget', 'undo', 'add', 'approve', 'keep'))
      .map(([name, word]): Deed => ({ type: 'command', command: commandOf(word, name) })),
    fc.constantFrom(day, 2 * day, -day).map((ms): Deed => ({ type: 'time', ms })),
  );

  it('never makes a first use or another key of what is expected, nor takes in a rejected one', () => {
    fc.assert(
      fc.property(fc.array(deeds, { maxLength: 14 }), (life) => {
        let [record, now] = [recordOf({ epoch: 0 }), noon];
        for (const deed of life) {
          const situation = situationOf({ record, now });
          if (deed.type === 'time') now += deed.ms;
          else if (deed.type === 'import')
            record =
              planImport(order([deed.entry], { keep: deed.keep }), situation).outcome?.record ?? record;
          else if (deed.type === 'command') record = attempt(deed.command, situation) ?? record;
          else record = met(deed, { record, now });
          const expecting =
            (record.expected ?? []).length > 0 || record.pins.some(({ endedAt }) => endedAt === null);
          expect(expecting && record.basis === 'none').toBe(false);
        }
      }),
      { numRuns: 3000 },
    );
  });

  function met(
    { name, kind, policy }: Extract<Deed, { readonly type: 'meet' }>,
    { record, now }: { readonly record: EndpointRecord; readonly now: number },
  ): EndpointRecord {
    const sha256 = sha256Named(name);
    const [leaf] = examinedAs({ sha256 }).chain;
    const chain = leaf === undefined ? [] : [{ ...leaf, spki: keyNamed(name) }];
    const examined = { ...examinedAs(kind === 'ca' ? { caValid: true, sha256 } : { sha256 }), chain };
    const evidence = evidenceOf({
      record,
      now,
      spki: keyNamed(name),
      examined,
      settings: settingsOf({ policy }),
    });
    const verdict = judge(evidence);
    const waits = (record.expected ?? []).filter(({ until }) => until === null || until > now);
    const fits = waits.some(({ digest }) => digest === expectation(name).digest);
    const isPinned = record.pins.some(({ spki }) => spki === keyNamed(name));
    if (verdict.accept) {
      expect(record.rejected.some(({ spki }) => spki === keyNamed(name))).toBe(false);
      if (waits.length > 0) expect(verdict.basis).not.toBe('first-use');
      if (waits.length > 0 && !fits && !isPinned) expect(verdict.basis).toBe('ca');
      if (verdict.basis === 'ca') expect(policy === 'ca' || record.basis !== 'pinned').toBe(true);
    }
    const lesson = learn(evidence, verdict);
    if (lesson === null) return record;
    const used = waits.length - (lesson.record.expected ?? []).length;
    if (used > 0) expect(lesson.audit.filter(({ event }) => event === 'matched')).toHaveLength(1);
    if (!verdict.accept) expect(used).toBe(0);
    return lesson.record;
  }
});

function commandOf(word: string, name: string): Command {
  const spki = keyNamed(name);
  const plain = { forMs: null, as: null, keep: word === 'keep', endOld: false, unreject: false } as const;
  switch (word) {
    case 'reject':
      return { command: 'reject', endpoint, expect: spki };
    case 'forget':
      return { command: 'forget', endpoint, expect: null, yes: true };
    case 'undo':
      return { command: 'undo', endpoint };
    case 'add':
      return { command: 'add', endpoint, pin: spki, forMs: day, unreject: false };
    default:
      return { command: 'approve', endpoint, expect: spki, ...plain };
  }
}

function attempt(command: Command, situation: Situation): EndpointRecord | null {
  try {
    return carryOut(command, situation).record;
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

describe('what is shown', () => {
  it('meets nothing for a rejected key, nor by octets that are not those of the certificate', async () => {
    const [own, foreign] = [await identityOf(), await identityOf()].map(({ cert }) =>
      describeCertificate(new Uint8Array(new X509Certificate(cert).raw)),
    );
    if (own === undefined || foreign === undefined) throw new Error('two certificates were made');
    const digest = createHash('md5').update(new X509Certificate(own.pem).raw).digest('hex');
    const record = stored([
      { kind: 'expectation', of: 'certificate', algorithm: 'md5', digest, until: null },
    ]);
    const grounds = { ...situationOf({ record }), recordVerified: true };
    expect(standingOf(grounds, own.spki ?? '', { leaf: own }).met).toHaveLength(1);
    const forged = { ...foreign, pem: own.pem };
    expect(standingOf(grounds, forged.spki ?? '', { leaf: forged }).met).toEqual([]);
    const rejected = { ...record, rejected: [{ spki: own.spki ?? '', at: noon }] };
    expect(standingOf({ ...grounds, record: rejected }, own.spki ?? '', { leaf: own }).met).toEqual([]);
  });
});

describe('every kind of hash', () => {
  it.each<['certificate' | 'key', HashAlgorithm]>([
    ['certificate', 'md5'],
    ['certificate', 'sha1'],
    ['certificate', 'sha224'],
    ['certificate', 'sha256'],
    ['certificate', 'sha384'],
    ['certificate', 'sha512'],
    ['key', 'sha1'],
    ['key', 'sha512'],
  ])('a %s is found by its %s and no other is', async (of, algorithm) => {
    const [own, foreign] = [await identityOf(), await identityOf()];
    const { raw, publicKey } = new X509Certificate(own.cert);
    const octets = of === 'certificate' ? raw : publicKey.export({ type: 'spki', format: 'der' });
    const digest = createHash(algorithm).update(octets).digest('hex');
    const record = stored([{ kind: 'expectation', of, algorithm, digest, until: null }]);
    const shown = ({ cert }: { readonly cert: string | Uint8Array }): Evidence => {
      const leaf = describeCertificate(new Uint8Array(new X509Certificate(cert).raw));
      return evidenceOf({ record, spki: leaf.spki, examined: examinedAs({ chain: [leaf] }) });
    };
    expect(told(shown(own))).toBe('+pin');
    expect(told(shown(foreign))).toBe('pin-mismatch');
  });
});

describe('a backup', () => {
  const whole = recordOf({
    basis: 'pinned',
    pins: [pinOf('server'), pinOf('second', { until: noon + day }), pinOf('third', { endedAt: noon - day })],
    rejected: [{ spki: keyNamed('attacker'), at: noon - day }],
    candidates: [candidateOf('fourth')],
    lastCa: lastCaOf('former'),
    expected: [expectation('other')],
  });

  it('puts a record back whole where nothing is known, rejections included', () => {
    const { outcome, items } = plan([backup(whole)]);
    expect(outcome?.record).toEqual({
      ...whole,
      epoch: 1,
      undo: expect.objectContaining({ command: 'import' }),
    });
    expect(items).toEqual([
      { does: 'restore', text: 'pinned, 2 keys trusted, 1 certificate expected, 1 rejected' },
    ]);
    expect(outcome?.audit.map(({ event, spki }) => [event, spki])).toEqual([
      ['imported', null],
      ['rejected', keyNamed('attacker')],
    ]);
  });

  it('does not bring back what was rejected or has ended since: the stricter of backup, record and seal wins', () => {
    const sealed = {
      rejected: new Set([keyNamed('server')]),
      until: new Map([[keyNamed('second'), noon - 1]]),
    };
    const record = stored([backup(whole)], { sealed });
    expect(record.rejected.map(({ spki }) => spki)).toEqual([keyNamed('attacker'), keyNamed('server')]);
    expect(told(evidenceOf({ record }))).toBe('key-rejected');
    expect(record.pins[1]).toMatchObject({ until: noon - 1, endedAt: noon });
    expect(stored([backup(whole)], { record: recordOf({ ...rejectedServer }) }).rejected).toHaveLength(2);
  });

  it('adds no trust beside what is known, but its rejections', () => {
    expect(doesOf([backup(whole)], { record: pinnedOther })).toEqual(['conflict']);
    const strict = { ...whole, pins: [pinOf('other')], expected: [] };
    const record = stored([backup(strict)], { record: pinnedOther });
    expect(record.pins).toEqual(pinnedOther.pins);
    expect(record.rejected).toEqual(whole.rejected);
    expect(doesOf([backup(pinnedOther)], { record: pinnedOther })).toEqual(['nothing']);
  });

  it('stands alone, first or not', () => {
    for (const entries of [
      [backup(whole), pin('server')],
      [pin('server'), backup(whole)],
      [backup(whole), backup(whole)],
    ]) {
      const { items, outcome } = plan(entries);
      expect(items.map(({ does }) => does)).toContain('conflict');
      expect(items).toHaveLength(2);
      expect(outcome).toBeNull();
    }
  });

  it('comes beside what is known when asked, its rejections ending keys', () => {
    const record = recordOf({ basis: 'pinned', pins: [pinOf('other'), pinOf('attacker')] });
    const after = stored([backup(whole)], { record, keep: true });
    expect(after.pins.map(({ spki, origin, endedAt }) => [spki, origin, endedAt])).toEqual([
      [keyNamed('other'), 'first-use', null],
      [keyNamed('attacker'), 'first-use', noon],
      [keyNamed('server'), 'imported', null],
      [keyNamed('second'), 'imported', null],
    ]);
    expect(after.expected).toEqual(whole.expected);
  });
});
