// What each command comes to, and what it asks back or refuses. `server` is the key the command is about.

import { describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import { carryOut } from '../../src/trust/carry-out.ts';
import type { Command, CommandOf, Outcome, Situation } from '../../src/trust/command.ts';
import type { EndpointRecord, Pin } from '../../src/trust/record.ts';
import { isKnownByDane } from '../../src/trust/standing.ts';
import {
  candidateOf,
  day,
  deepFreeze,
  endpoint,
  expectation,
  keyEvidence,
  keyNamed,
  lastCaOf,
  noon,
  pinOf,
  recordOf,
  settingsOf,
  sha256Named,
} from './evidence.ts';

const week = 7 * day;
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

const approve = (part: Partial<CommandOf<'approve'>> = {}): Command => ({
  command: 'approve',
  endpoint,
  expect: keyNamed('server'),
  forMs: null,
  as: null,
  keep: false,
  endOld: false,
  unreject: false,
  ...part,
});
const reject = (name = 'server'): Command => ({ command: 'reject', endpoint, expect: keyNamed(name) });
const forget = (part: Partial<CommandOf<'forget'>> = { yes: true }): Command => ({
  command: 'forget',
  endpoint,
  expect: null,
  yes: false,
  ...part,
});
const undo: Command = { command: 'undo', endpoint };
const add = (part: Partial<CommandOf<'add'>> = {}): Command => ({
  command: 'add',
  endpoint,
  pin: keyNamed('server'),
  forMs: null,
  unreject: false,
  ...part,
});

const failing = (command: Command, part: Partial<Situation>): CommandError => {
  try {
    carryOut(command, situationOf(part));
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('the command was carried out');
};
const eventsOf = ({ audit }: Outcome): readonly string[] => audit.map(({ event }) => event);
const pinNamed = ({ pins }: EndpointRecord, name: string): Pin | undefined =>
  pins.find(({ spki }) => spki === keyNamed(name));

const waiting = recordOf({ basis: 'pinned', pins: [pinOf('old')], candidates: [candidateOf('server')] });
const waitingValid = { ...waiting, candidates: [candidateOf('server', { caValid: true })] };
const caWaiting = recordOf({ basis: 'ca', lastCa: lastCaOf('former'), candidates: [candidateOf('server')] });
const pinnedWith = (...pins: readonly Pin[]): EndpointRecord => recordOf({ basis: 'pinned', pins });
const rejectedServer = { rejected: [{ spki: keyNamed('server'), at: noon - day }] };

describe('approve', () => {
  it('makes a candidate a live pin, retires the others within a week and says until when each key counts', () => {
    const outcome = carryOut(approve(), situationOf({ record: waiting }));
    expect(outcome.record).toMatchObject({
      epoch: 4,
      basis: 'pinned',
      candidates: [],
      undo: { command: 'approve', acceptedSince: false },
    });
    expect(pinNamed(outcome.record, 'server')).toMatchObject({
      origin: 'approved',
      until: null,
      endedAt: null,
    });
    expect(pinNamed(outcome.record, 'old')).toMatchObject({
      until: noon + week,
      retiring: true,
      endedAt: null,
    });
    expect(eventsOf(outcome)).toEqual(['approved', 'retired']);
    expect(outcome.lines).toEqual([
      `Approved ${keyNamed('server')} for ${endpoint}.`,
      'Trusted from now on:',
      `  ${keyNamed('old')} (first-use) until 2026-11-30 12:00 UTC`,
      `  ${keyNamed('server')} (approved) without an end`,
    ]);
  });

  it.each<[string, Partial<CommandOf<'approve'>>, Partial<Pin>, Partial<Pin>]>([
    ['--keep leaves the others their dates', { keep: true }, { until: null, endedAt: null }, { until: null }],
    [
      '--for leaves the others their dates',
      { forMs: day },
      { until: null, endedAt: null },
      { until: noon + day },
    ],
    ['--end-old ends the others now', { endOld: true }, { endedAt: noon }, { until: null }],
    [
      '--for with --end-old does both',
      { forMs: day, endOld: true },
      { endedAt: noon },
      { until: noon + day },
    ],
    ['--as pin retires the others', { as: 'pin' }, { until: noon + week }, { until: null }],
  ])('%s', (_, flags, old, own) => {
    const { record } = carryOut(approve(flags), situationOf({ record: waiting }));
    expect(pinNamed(record, 'old')).toMatchObject(old);
    expect(pinNamed(record, 'server')).toMatchObject(own);
  });

  it('never lengthens the life of another pin, and leaves ended ones alone', () => {
    const record = {
      ...waiting,
      pins: [pinOf('old', { until: noon + day }), pinOf('gone', { endedAt: noon - day })],
    };
    const outcome = carryOut(approve(), situationOf({ record }));
    expect(pinNamed(outcome.record, 'old')).toEqual(pinOf('old', { until: noon + day }));
    expect(pinNamed(outcome.record, 'gone')).toEqual(pinOf('gone', { endedAt: noon - day }));
    expect(eventsOf(outcome)).toEqual(['approved']);
  });

  it.each<[string, Partial<CommandOf<'approve'>>, EndpointRecord, number | null]>([
    ['ends within a week', {}, waiting, noon + week],
    ['keeps its date with --keep', { keep: true }, waiting, null],
    ['keeps its date with --for', { forMs: day }, waiting, null],
    ['keeps its date beside the CA', {}, caWaiting, null],
  ])('a certificate that is expected %s', (_, flags, before, until) => {
    const record = { ...before, expected: [expectation('third')] };
    const { expected } = carryOut(approve(flags), situationOf({ record })).record;
    expect(expected).toEqual([expectation('third', { until })]);
  });

  it.each<[Partial<CommandOf<'approve'>>, EndpointRecord, readonly string[]]>([
    [{}, waiting, ['without an end', 'until 2026-11-30 12:00 UTC']],
    [{ forMs: day }, waiting, ['until 2026-11-24 12:00 UTC']],
    [{ endOld: true }, waiting, ['without an end', 'ended']],
    [{}, caWaiting, ['beside the CA']],
  ])('%o tells the audit log how long each key counts', (flags, before, details) => {
    const record = { ...before, pins: before.pins.map((pin) => ({ ...pin, until: noon + 2 * week })) };
    const { audit } = carryOut(approve(flags), situationOf({ record }));
    expect(audit.map(({ detail }) => detail)).toEqual(details);
  });

  it('remembers when the key itself was first seen, not another that waits beside it', () => {
    const candidates = [{ ...candidateOf('other'), firstSeen: noon - week }, candidateOf('server')];
    const { record } = carryOut(approve(), situationOf({ record: { ...waiting, candidates } }));
    expect(pinNamed(record, 'server')).toMatchObject({ firstSeen: candidateOf('server').firstSeen });
  });

  it('turns a first-use key into an approved one', () => {
    const { record } = carryOut(approve(), situationOf({ record: pinnedWith(pinOf('server')) }));
    expect(record.pins).toEqual([pinOf('server', { origin: 'approved' })]);
  });

  it.each([
    ['the certificate', sha256Named('server')],
    ['the certificate in plain hexadecimal', sha256Named('server').replaceAll(':', '').toLowerCase()],
    ['the key', keyNamed('server')],
  ])('takes the full fingerprint of %s', (_, fingerprint) => {
    const { record } = carryOut(approve({ expect: fingerprint }), situationOf({ record: waiting }));
    expect(pinNamed(record, 'server')?.origin).toBe('approved');
  });

  it.each([
    ['a key nobody saw', keyNamed('nobody'), 'not-found'],
    ['a certificate nobody saw', sha256Named('nobody'), 'not-found'],
    ['a reference', '7F3AK2QM', 'usage'],
    ['a part of a fingerprint', keyNamed('server').slice(0, 30), 'usage'],
    ['nothing', '', 'usage'],
  ])('refuses %s', (_, fingerprint, exit) => {
    expect(failing(approve({ expect: fingerprint }), { record: waiting }).exit).toBe(exit);
  });

  it('asks back for a key whose pin has ended, until told what shall become of the others', () => {
    const record = pinnedWith(pinOf('old'), pinOf('server', { endedAt: noon - day }));
    const { exit, hint } = failing(approve(), { record });
    expect(exit).toBe('usage');
    for (const flag of ['--keep', '--end-old', '--for', '--as pin']) expect(hint).toContain(flag);
    for (const flags of [{ keep: true }, { endOld: true }, { forMs: day }, { as: 'pin' }] as const) {
      expect(
        pinNamed(carryOut(approve(flags), situationOf({ record })).record, 'server')?.endedAt,
      ).toBeNull();
    }
    const past = pinnedWith(pinOf('old'), pinOf('server', { until: noon }));
    expect(failing(approve(), { record: past }).exit).toBe('usage');
  });

  it('asks back under auto for a CA-valid key where pins decide, --as ca first', () => {
    const { exit, hint } = failing(approve(), { record: waitingValid });
    expect(exit).toBe('usage');
    expect(hint).toMatch(/^Choose: --as ca .*--as pin.*--for.*--keep.*--end-old/);
    for (const flags of [
      { as: 'ca' },
      { as: 'pin' },
      { forMs: day },
      { keep: true },
      { endOld: true },
    ] as const) {
      expect(() => carryOut(approve(flags), situationOf({ record: waitingValid }))).not.toThrow();
    }
    expect(() => carryOut(approve(), situationOf({ record: waiting }))).not.toThrow();
    expect(() =>
      carryOut(approve(), situationOf({ record: waitingValid, settings: settingsOf({ policy: 'tofu' }) })),
    ).not.toThrow();
  });

  it('asks back without --as ca where the configuration keeps the CA from deciding', () => {
    const settings = settingsOf({ configPins: [keyNamed('configured')] });
    const { hint } = failing(approve(), { record: waitingValid, settings });
    expect(hint).toMatch(/^Choose: --as pin .* The pins: line of the configuration keeps the CA/);
  });

  it.each([
    ['from its first moment', { notBefore: noon }],
    ['to its last', { notAfter: noon }],
  ])('takes a certificate for CA-valid %s', (_, dates) => {
    const record = { ...waiting, candidates: [candidateOf('server', { caValid: true, ...dates })] };
    expect(failing(approve(), { record }).exit).toBe('usage');
  });

  it('does not take a certificate for CA-valid that ran out since it was seen', () => {
    const record = {
      ...waiting,
      candidates: [candidateOf('server', { caValid: true, notAfter: noon - 1 })],
    };
    expect(() => carryOut(approve(), situationOf({ record }))).not.toThrow();
    expect(failing(approve({ as: 'ca' }), { record })).toMatchObject({ exit: 'refused', code: 'ca-lost' });
  });

  describe('--as ca', () => {
    it('hands the endpoint to the CA and ends every pin', () => {
      const outcome = carryOut(approve({ as: 'ca' }), situationOf({ record: waitingValid }));
      expect(outcome.record).toMatchObject({
        epoch: 4,
        basis: 'ca',
        candidates: [],
        pins: [{ endedAt: noon }],
      });
      expect(eventsOf(outcome)).toEqual(['approved', 'retired']);
      expect(outcome.lines).toContain('  any key that a trusted CA vouches for under this name');
    });

    it('takes a live pin last seen CA-valid, and works under policy ca', () => {
      const record = pinnedWith(
        pinOf('server', { origin: 'approved', evidence: keyEvidence({ caValid: true }) }),
      );
      for (const policy of ['auto', 'ca'] as const) {
        expect(
          carryOut(approve({ as: 'ca' }), situationOf({ record, settings: settingsOf({ policy }) })).record
            .basis,
        ).toBe('ca');
      }
    });

    it.each<[string, Partial<Situation>, Partial<CommandOf<'approve'>>, string]>([
      ['under tofu', { settings: settingsOf({ policy: 'tofu' }) }, {}, 'usage'],
      ['under ca+tofu', { settings: settingsOf({ policy: 'ca+tofu' }) }, {}, 'usage'],
      ['under pinned', { settings: settingsOf({ policy: 'pinned' }) }, {}, 'usage'],
      ['against a configured pin', { settings: settingsOf({ configPins: [keyNamed('old')] }) }, {}, 'usage'],
      ['with --for', {}, { forMs: day }, 'usage'],
      ['with --keep', {}, { keep: true }, 'usage'],
      ['with --end-old', {}, { endOld: true }, 'usage'],
      ['for a key that is not CA-valid', { record: waiting }, {}, 'refused'],
      [
        'for a key never seen with a certificate',
        { record: pinnedWith(pinOf('server', { evidence: null })) },
        {},
        'usage',
      ],
    ])('is refused %s', (_, part, flags, exit) => {
      expect(failing(approve({ as: 'ca', ...flags }), { record: waitingValid, ...part }).exit).toBe(exit);
    });
  });

  describe('where the CA decides', () => {
    it('is an exception beside it for 7 days, and ends no other', () => {
      const record = { ...caWaiting, pins: [pinOf('old', { origin: 'approved' })] };
      const outcome = carryOut(approve(), situationOf({ record }));
      expect(outcome.record).toMatchObject({ basis: 'ca', lastCa: lastCaOf('former') });
      expect(pinNamed(outcome.record, 'server')).toMatchObject({ origin: 'approved', until: noon + week });
      expect(pinNamed(outcome.record, 'old')).toEqual(pinOf('old', { origin: 'approved' }));
      expect(outcome.lines[0]).toBe(
        `Approved ${keyNamed('server')} for ${endpoint} until 2026-11-30 12:00 UTC, as an exception beside the CA.`,
      );
    });

    it('keeps the time it is given with --for, and may be given again when it has ended', () => {
      expect(
        pinNamed(carryOut(approve({ forMs: day }), situationOf({ record: caWaiting })).record, 'server')
          ?.until,
      ).toBe(noon + day);
      const ended = { ...caWaiting, pins: [pinOf('server', { origin: 'approved', until: noon - 1 })] };
      const again = carryOut(approve(), situationOf({ record: ended }));
      expect(pinNamed(again.record, 'server')).toMatchObject({ until: noon + week, endedAt: null });
    });

    it('becomes basis pinned without an end with --as pin', () => {
      const { record } = carryOut(approve({ as: 'pin' }), situationOf({ record: caWaiting }));
      expect(record.basis).toBe('pinned');
      expect(pinNamed(record, 'server')?.until).toBeNull();
    });

    it('is an exception too where only the ratchet remembers the CA, and a pin under tofu', () => {
      const record = { ...caWaiting, basis: 'none' } as const;
      expect(carryOut(approve(), situationOf({ record })).record.basis).toBe('ca');
      expect(
        carryOut(approve(), situationOf({ record, settings: settingsOf({ policy: 'tofu' }) })).record.basis,
      ).toBe('pinned');
    });
  });

  it('stores nothing where the policy would still refuse, and names the setting', () => {
    for (const policy of ['ca', 'ca+tofu'] as const) {
      const error = failing(approve(), { record: waiting, settings: settingsOf({ policy }) });
      expect(error.exit).toBe('refused');
      expect(error.hint).toContain(`trust: ${policy}`);
      expect(error.hint).toContain('caFile');
    }
    expect(() =>
      carryOut(approve(), situationOf({ record: waiting, settings: settingsOf({ policy: 'pinned' }) })),
    ).not.toThrow();
  });

  it('says that it was not evaluated where there is nothing to evaluate', () => {
    const record = recordOf({ basis: 'pinned', ...rejectedServer });
    const { lines } = carryOut(approve({ unreject: true }), situationOf({ record }));
    expect(lines.at(-1)).toMatch(/^Not evaluated/);
    expect(carryOut(approve(), situationOf({ record: waiting })).lines.join('\n')).not.toContain(
      'Not evaluated',
    );
  });

  it('takes a rejected key with --unreject only', () => {
    const record = recordOf({
      basis: 'pinned',
      pins: [pinOf('server', { endedAt: noon - day })],
      ...rejectedServer,
    });
    expect(failing(approve(), { record })).toMatchObject({
      exit: 'usage',
      hint: expect.stringContaining('--unreject'),
    });
    const outcome = carryOut(approve({ unreject: true }), situationOf({ record }));
    expect(outcome.record).toMatchObject({ rejected: [], pins: [{ endedAt: null, origin: 'approved' }] });
    expect(eventsOf(outcome)).toEqual(['unrejected', 'approved']);
    const sealed = { rejected: new Set([keyNamed('server')]), until: new Map<string, number>() };
    expect(failing(approve(), { record: waiting, sealed }).exit).toBe('usage');
  });

  it('leaves configured pins alone and names their line', () => {
    const settings = settingsOf({ configPins: [keyNamed('configured')] });
    const { lines } = carryOut(approve(), situationOf({ record: waiting, settings }));
    expect(lines.at(-1)).toBe(
      `Pins of the configuration do not end this way: to end ${keyNamed('configured')}, change the pins: line of this endpoint.`,
    );
    expect(lines).toContain(
      `  ${keyNamed('configured')} (config) as long as the pins: line of this endpoint in the configuration names it`,
    );
    expect(
      carryOut(approve({ keep: true }), situationOf({ record: waiting, settings })).lines.join('\n'),
    ).not.toContain('do not end this way');
  });

  it.each([0, -1, Number.NaN, Infinity, 101 * 365 * day])('refuses --for %s ms', (forMs) => {
    expect(failing(approve({ forMs }), { record: waiting }).exit).toBe('usage');
    expect(failing(add({ forMs }), {}).exit).toBe('usage');
  });

  it.each([1, 100 * 365 * day])('takes --for %s ms', (forMs) => {
    const { record } = carryOut(approve({ forMs }), situationOf({ record: waiting }));
    expect(pinNamed(record, 'server')?.until).toBe(noon + forMs);
  });

  it('refuses --keep together with --end-old', () => {
    expect(failing(approve({ keep: true, endOld: true }), { record: waiting }).exit).toBe('usage');
  });
});

describe('reject', () => {
  it('ends the pin, drops the candidate and keeps all else', () => {
    const pinned = carryOut(reject(), situationOf({ record: pinnedWith(pinOf('server'), pinOf('old')) }));
    expect(pinned.record).toMatchObject({
      epoch: 4,
      basis: 'pinned',
      rejected: [{ spki: keyNamed('server'), at: noon }],
      pins: [{ endedAt: noon }, pinOf('old')],
    });
    expect(eventsOf(pinned)).toEqual(['rejected']);
    expect(carryOut(reject(), situationOf({ record: waiting })).record).toMatchObject({
      candidates: [],
      pins: waiting.pins,
    });
  });

  it('takes a key nobody has seen, for an endpoint nobody knows, and makes no basis', () => {
    const { record } = carryOut(reject(), situationOf());
    expect(record).toMatchObject({ epoch: 1, basis: 'none', rejected: [{ spki: keyNamed('server') }] });
    expect(failing({ command: 'reject', endpoint, expect: sha256Named('server') }, {}).exit).toBe(
      'not-found',
    );
    expect(failing({ command: 'reject', endpoint, expect: '7F3AK2QM' }, {}).exit).toBe('usage');
  });

  it('done twice changes nothing the second time', () => {
    const first = carryOut(reject(), situationOf({ record: waiting }));
    const second = carryOut(reject(), situationOf({ record: first.record }));
    expect(second.audit).toEqual([]);
    expect(second.record).toEqual(first.record);
  });
});

describe('forget', () => {
  const full = recordOf({
    ...waiting,
    lastCa: lastCaOf('former'),
    rejected: [{ spki: keyNamed('bad'), at: noon }],
  });

  it('returns to never seen, but rejections stay', () => {
    const outcome = carryOut(forget(), situationOf({ record: full }));
    expect(outcome.record).toMatchObject({
      epoch: 4,
      basis: 'none',
      pins: [],
      candidates: [],
      lastCa: null,
      rejected: full.rejected,
    });
    expect(eventsOf(outcome)).toEqual(['forgotten']);
  });

  it('asks for a key of the endpoint or --yes', () => {
    expect(failing(forget({}), { record: full }).exit).toBe('usage');
    expect(failing(forget({ expect: keyNamed('nobody') }), { record: full }).exit).toBe('not-found');
    expect(carryOut(forget({ expect: keyNamed('old') }), situationOf({ record: full })).record.basis).toBe(
      'none',
    );
    expect(
      carryOut(forget({ expect: sha256Named('former') }), situationOf({ record: full })).record.basis,
    ).toBe('none');
  });

  it('finds nothing to forget where only rejections are left', () => {
    expect(failing(forget(), {}).exit).toBe('not-found');
    expect(failing(forget(), { record: recordOf(rejectedServer) }).exit).toBe('not-found');
  });
});

describe('add', () => {
  it('pins a key in advance and ends no other', () => {
    const outcome = carryOut(add(), situationOf({ record: pinnedWith(pinOf('old')) }));
    expect(pinNamed(outcome.record, 'old')).toEqual(pinOf('old'));
    expect(pinNamed(outcome.record, 'server')).toMatchObject({
      origin: 'added',
      until: null,
      evidence: null,
      firstSeen: noon,
      lastSeen: null,
    });
    expect(eventsOf(outcome)).toEqual(['added']);
  });

  it.each([
    [{}, 'without an end'],
    [{ forMs: day }, 'until 2026-11-24 12:00 UTC'],
  ])('says how long the key counts: %o', (flags, end) => {
    const { audit, lines } = carryOut(add(flags), situationOf());
    expect(audit).toMatchObject([{ event: 'added', spki: keyNamed('server'), detail: end }]);
    expect(lines[0]).toBe(`Pinned ${keyNamed('server')} for ${endpoint} ${end}.`);
  });

  it('takes the place of the pin of this key, not of an anchor with the same one', () => {
    const anchor = pinOf('server', { kind: 'anchor', firstSeen: noon - week });
    const { pins } = carryOut(add(), situationOf({ record: pinnedWith(anchor, pinOf('server')) })).record;
    expect(pins).toEqual([anchor, pinOf('server', { origin: 'added' })]);
  });

  it('takes back the rejection of this key alone', () => {
    const other = { spki: keyNamed('other'), at: noon - day };
    const record = recordOf({ rejected: [...rejectedServer.rejected, other] });
    expect(carryOut(add({ unreject: true }), situationOf({ record })).record.rejected).toEqual([other]);
  });

  it('drops the key from those that wait, and no other', () => {
    const record = { ...waiting, candidates: [candidateOf('server'), candidateOf('other')] };
    const { candidates } = carryOut(add(), situationOf({ record })).record;
    expect(candidates).toEqual([candidateOf('other')]);
  });

  it.each([
    ['auto', undefined],
    ['ca', 'Under trust: ca pins are not looked at.'],
    ['ca+tofu', 'Under trust: ca+tofu a pinned key must be CA-verified as well.'],
  ] as const)('says under %s what a pin is good for', (policy, notice) => {
    const { lines } = carryOut(add(), situationOf({ settings: settingsOf({ policy }) }));
    expect(lines.find((line) => line.startsWith('Under trust:'))).toBe(notice);
  });

  it.each<[string, EndpointRecord | null, EndpointRecord['basis']]>([
    ['an unseen endpoint becomes pinned', null, 'pinned'],
    ['a CA-verified one stays so', caWaiting, 'ca'],
    ['one only the ratchet remembers counts as CA-verified', { ...caWaiting, basis: 'none' }, 'ca'],
  ])('%s', (_, record, basis) => {
    expect(carryOut(add(), situationOf({ record })).record.basis).toBe(basis);
  });

  it('takes the key only, and a rejected one with --unreject only', () => {
    expect(failing(add({ pin: sha256Named('server') }), {}).exit).toBe('usage');
    expect(failing(add({ pin: '7F3AK2QM' }), {}).exit).toBe('usage');
    const record = recordOf(rejectedServer);
    expect(failing(add(), { record }).exit).toBe('usage');
    expect(eventsOf(carryOut(add({ unreject: true }), situationOf({ record })))).toEqual([
      'unrejected',
      'added',
    ]);
  });
});

const then = (record: EndpointRecord | null, ...commands: readonly Command[]): EndpointRecord =>
  commands.reduce<EndpointRecord | null>(
    (before, command) => carryOut(command, situationOf({ record: before })).record,
    record,
  ) ?? recordOf();
const used = (record: EndpointRecord): EndpointRecord => ({
  ...record,
  undo: record.undo === null ? null : { ...record.undo, acceptedSince: true },
});

describe('undo', () => {
  it.each<[string, EndpointRecord, Command]>([
    ['approve', waiting, approve()],
    ['approve --end-old', waiting, approve({ endOld: true })],
    ['approve --as ca', waitingValid, approve({ as: 'ca' })],
    ['an exception beside the CA', caWaiting, approve()],
    ['reject', waiting, reject('old')],
    ['forget', waiting, forget()],
    ['add', waiting, add()],
    [
      'approve --unreject',
      recordOf({ basis: 'pinned', pins: [pinOf('old')], ...rejectedServer }),
      approve({ unreject: true }),
    ],
  ])('of %s gives the record back as it was, in a new epoch, once', (_, record, command) => {
    const after = then(record, command, undo);
    expect(after).toEqual({ ...record, epoch: record.epoch + 2, undo: null });
    expect(failing(undo, { record: after }).exit).toBe('not-found');
  });

  it('finds nothing to undo where no command was', () => {
    expect(failing(undo, {}).exit).toBe('not-found');
    expect(failing(undo, { record: pinnedWith(pinOf('server')) }).exit).toBe('not-found');
  });

  it('leaves a pin ended whose own end, or the end the command gave it, has passed', () => {
    const record = { ...waiting, pins: [pinOf('old'), pinOf('short', { until: noon + day })] };
    const approved = then(record, approve());
    const later = carryOut(undo, situationOf({ record: approved, now: noon + week })).record;
    expect(pinNamed(later, 'old')).toMatchObject({ endedAt: noon + week });
    expect(pinNamed(later, 'short')).toMatchObject({ endedAt: noon + week });
    const soon = carryOut(undo, situationOf({ record: approved, now: noon + 1 })).record;
    expect(soon.pins).toEqual(record.pins);
  });

  it('does not revive an end that was noticed before the clock was set back', () => {
    const approved = then({ ...waiting, pins: [pinOf('old')] }, approve());
    const noticed = {
      ...approved,
      pins: approved.pins.map((pin) => (pin.until === null ? pin : { ...pin, endedAt: noon + week })),
    };
    const back = carryOut(undo, situationOf({ record: noticed, now: noon + 1 })).record;
    expect(pinNamed(back, 'old')?.endedAt).toBe(noon + week);
  });

  it('ends a pin learnt since and keeps its key as a candidate', () => {
    const forgotten = used(then(waiting, forget()));
    const learnt = { ...forgotten, basis: 'pinned' as const, pins: [pinOf('new', { firstSeen: noon })] };
    const outcome = carryOut(undo, situationOf({ record: learnt }));
    expect(pinNamed(outcome.record, 'new')?.endedAt).toBe(noon);
    expect(pinNamed(outcome.record, 'old')?.endedAt).toBeNull();
    expect(outcome.record.candidates.map(({ spki }) => spki)).toEqual([keyNamed('server'), keyNamed('new')]);
    expect(outcome.lines.at(-1)).toContain('was learnt since');
  });

  it('never returns to unseen once a session was accepted: it becomes emptied', () => {
    const held = recordOf({ candidates: [candidateOf('server')] });
    expect(then(held, approve(), undo).basis).toBe('none');
    const outcome = carryOut(undo, situationOf({ record: used(then(held, approve())) }));
    expect(outcome.record).toMatchObject({ basis: 'pinned', pins: [] });
    expect(outcome.lines.join('\n')).toContain('No key is trusted any more');
  });

  it('keeps the last CA certificate, and gives back the ratchet that forget took', () => {
    const approved = then(waiting, approve());
    const seen = { ...approved, lastCa: lastCaOf('server') };
    expect(then(seen, undo).lastCa).toEqual(lastCaOf('server'));
    const ratchet = recordOf({ lastCa: lastCaOf('former') });
    expect(then(ratchet, forget(), undo).basis).toBe('ca');
  });

  it('keeps candidates that came since', () => {
    const approved = then(waiting, approve({ keep: true }));
    const after = then({ ...approved, candidates: [candidateOf('late')] }, undo);
    expect(after.candidates.map(({ spki }) => spki)).toEqual([keyNamed('server'), keyNamed('late')]);
  });
});

it('every command writes down the ends that have passed before it does its part', () => {
  const record = { ...waiting, pins: [pinOf('old'), pinOf('past', { until: noon - 1 })] };
  for (const command of [approve(), reject(), add(), forget()]) {
    const outcome = carryOut(command, situationOf({ record }));
    expect(outcome.audit[0]).toMatchObject({ event: 'expired', spki: keyNamed('past'), origin: 'proxy' });
    expect(outcome.record.epoch).toBe(4);
  }
});

it('every answer names the keys that count from now on, and no key that does not', () => {
  const record = recordOf({
    basis: 'pinned',
    pins: [
      pinOf('good'),
      pinOf('anchor', { kind: 'anchor', until: noon + day }),
      pinOf('over', { endedAt: noon - 1 }),
      pinOf('bad'),
      pinOf('unnamed', { origin: 'config' }),
    ],
    rejected: [{ spki: keyNamed('bad'), at: noon }],
    expected: [expectation('third')],
  });
  expect(carryOut(add(), situationOf({ record })).lines.slice(1)).toEqual([
    'Trusted from now on:',
    `  ${keyNamed('good')} (first-use) without an end`,
    `  ${keyNamed('anchor')} (anchor, first-use) until 2026-11-24 12:00 UTC`,
    `  ${keyNamed('server')} (added) without an end`,
    `  the certificate with SHA-256 ${sha256Named('third')}, imported and not seen yet, without an end`,
  ]);
});

describe('what is known by DANE alone', () => {
  const known = recordOf({ basis: 'pinned', byDane: true });

  it('is forgotten with the endpoint, and comes back with undo', () => {
    const { record } = carryOut(forget(), situationOf({ record: known }));
    expect(record.byDane).toBeUndefined();
    expect(record.basis).toBe('none');
    const undone = carryOut(undo, situationOf({ record })).record;
    expect(undone).toMatchObject({ basis: 'pinned', byDane: true, pins: [] });
  });

  it('is not what undo makes of an endpoint that was never known by it', () => {
    const { record } = carryOut(forget(), situationOf({ record: recordOf({ basis: 'pinned' }) }));
    expect(carryOut(undo, situationOf({ record })).record.byDane).toBeUndefined();
  });

  it('can be left by a pin, which decides from then on', () => {
    const { record } = carryOut(add(), situationOf({ record: known }));
    expect(pinNamed(record, 'server')).toMatchObject({ origin: 'added', endedAt: null });
    const ended = carryOut(reject(), situationOf({ record })).record;
    expect(isKnownByDane({ settings: settingsOf(), record, recordVerified: true })).toBe(false);
    expect(isKnownByDane({ settings: settingsOf(), record: ended, recordVerified: true })).toBe(false);
    expect(isKnownByDane({ settings: settingsOf(), record: known, recordVerified: true })).toBe(true);
    expect(isKnownByDane({ settings: settingsOf(), record: known, recordVerified: false })).toBe(false);
  });

  it('approval under trust: dane would not help, so nothing is stored', () => {
    const record = { ...known, candidates: [candidateOf('server')] };
    const error = failing(approve(), { record, settings: settingsOf({ policy: 'dane' }) });
    expect(error).toMatchObject({ exit: 'refused', code: 'dane-unproven' });
    expect(error.hint).not.toContain('caFile');
  });
});
