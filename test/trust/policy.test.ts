// The verdict table, one literal row for each cell and each combination that the cells leave open. The tables
// are to be read beside the documentation: V is a CA-valid certificate, X one that is not.

import { describe, expect, it } from 'vitest';
import {
  policies,
  type Evidence,
  type FirstUse,
  type Policy,
  type Verdict,
} from '../../src/trust/evidence.ts';
import type { DaneState } from '../../src/trust/dane.ts';
import { faults, isFault } from '../../src/trust/fault.ts';
import { deliberate, judge } from '../../src/trust/policy.ts';
import {
  caValid,
  day,
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
  withFaults,
} from './evidence.ts';

const told = (verdict: Verdict): string => (verdict.accept ? `+${verdict.basis}` : verdict.reason);
const rows = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/[\s|]+/))
    .filter(([first]) => first !== undefined && !first.startsWith('--'));

const over = { endedAt: noon - day } as const;
const mine = (part: Parameters<typeof pinOf>[1] = {}) => pinOf('server', part);
const other = (part: Parameters<typeof pinOf>[1] = {}) => pinOf('other', part);
const rejected = (name: string) => ({ rejected: [{ spki: keyNamed(name), at: noon - day }] });
const pinned = (...pins: ReturnType<typeof pinOf>[]) => recordOf({ basis: 'pinned', pins });
const ca = (...pins: ReturnType<typeof pinOf>[]) =>
  recordOf({ basis: 'ca', pins, lastCa: lastCaOf('former') });
const byDane = (...pins: ReturnType<typeof pinOf>[]) => recordOf({ basis: 'pinned', byDane: true, pins });
const config = (name: string) => settingsOf({ configPins: [keyNamed(name)] });

/** What is remembered and configured when the key `server` is shown. */
const states: Readonly<Record<string, Partial<Evidence>>> = {
  nothing: {},
  'candidates-only': { record: recordOf() },
  'rejection-of-another': { record: recordOf(rejected('other')) },
  'lastCa-only': { record: recordOf({ lastCa: lastCaOf('former') }) },
  ca: { record: ca() },
  'ca+first-use-pin': { record: ca(mine()) },
  'ca+approved-pin': { record: ca(mine({ origin: 'approved' })) },
  'ca+added-pin': { record: ca(mine({ origin: 'added' })) },
  'ca+approved-pin-over': { record: ca(mine({ origin: 'approved', until: noon - 1 })) },
  'ca+other-pin': { record: ca(other({ origin: 'approved' })) },
  'ca+other-pin-over': { record: ca(other({ origin: 'approved', ...over })) },
  'lastCa+approved-pin': {
    record: recordOf({ lastCa: lastCaOf('former'), pins: [mine({ origin: 'approved' })] }),
  },
  'first-use-pin': { record: pinned(mine()) },
  'approved-pin': { record: pinned(mine({ origin: 'approved' })) },
  'two-live-pins': { record: pinned(other(), mine()) },
  'pin-until-later': { record: pinned(mine({ until: noon + 1 })) },
  'other-pin': { record: pinned(other()) },
  'other-pin,mine-over': { record: pinned(other(), mine(over)) },
  'anchor-pin-of-this-hash': { record: pinned(mine({ kind: 'anchor' })) },
  'pin-past-its-end': { record: pinned(mine({ until: noon })) },
  'pin-ended': { record: pinned(mine({ ...over, until: noon + day })) },
  'pin-ended-by-seal': {
    record: pinned(mine()),
    sealed: { rejected: new Set(), until: new Map([[keyNamed('server'), noon]]) },
  },
  'other-pin-rejected': { record: recordOf({ basis: 'pinned', pins: [other()], ...rejected('other') }) },
  'no-pin-left': { record: pinned() },
  expected: { record: { ...pinned(), expected: [expectation('server')] } },
  'expected,no-basis': { record: recordOf({ expected: [expectation('server')] }) },
  'expected,other-pin': { record: { ...pinned(other()), expected: [expectation('server')] } },
  'expected-other': { record: { ...pinned(), expected: [expectation('other')] } },
  'expected-other,no-basis': { record: recordOf({ expected: [expectation('other')] }) },
  'expected-other,pin': { record: { ...pinned(mine()), expected: [expectation('other')] } },
  'expected-until-now': { record: { ...pinned(), expected: [expectation('server', { until: noon })] } },
  'expected-until-now,no-basis': {
    record: recordOf({ expected: [expectation('server', { until: noon })] }),
  },
  'expected,pin-ended': { record: { ...pinned(mine(over)), expected: [expectation('server')] } },
  'ca+expected': { record: { ...ca(), expected: [expectation('server')] } },
  'ca+expected-other': { record: { ...ca(), expected: [expectation('other')] } },
  'lastCa+expected-other': {
    record: recordOf({ lastCa: lastCaOf('former'), expected: [expectation('other')] }),
  },
  'config-other,expected': {
    record: { ...pinned(), expected: [expectation('server')] },
    settings: config('other'),
  },
  'pins-without-basis': { record: recordOf({ pins: [other()] }) },
  'config-pin-in-record-only': { record: pinned(mine({ origin: 'config' })) },
  'by-dane': { record: byDane() },
  'by-dane,pin-over': { record: byDane(mine(over)) },
  'by-dane,approved-pin': { record: byDane(mine({ origin: 'approved' })) },
  'config-rejected,by-dane': {
    record: { ...byDane(), ...rejected('other') },
    settings: config('other'),
  },
  config: { settings: config('server') },
  'config,other-pin': { record: pinned(other()), settings: config('server') },
  'config-other': { settings: config('other') },
  'config-other,first-use-pin': { record: pinned(mine()), settings: config('other') },
  'config-other,ca': { record: ca(), settings: config('other') },
  'config-other,ca+approved': { record: ca(mine({ origin: 'approved' })), settings: config('other') },
  'config-other-rejected': { record: recordOf(rejected('other')), settings: config('other') },
  'config-other-rejected,ca': { record: { ...ca(), ...rejected('other') }, settings: config('other') },
};

/** The policies that go by record and CA; what `dane` says stands in a table of its own. */
const recorded = policies.filter((policy) => policy !== 'dane');

const table = `
state                      | auto V       auto X       | ca V  ca X        | tofu V       tofu X       | ca+tofu V    ca+tofu X    | pinned V     pinned X
-- basis none
nothing                    | +ca          +first-use   | +ca   ca-invalid  | +first-use   +first-use   | +first-use   ca-invalid   | not-pinned   not-pinned
candidates-only            | +ca          +first-use   | +ca   ca-invalid  | +first-use   +first-use   | +first-use   ca-invalid   | not-pinned   not-pinned
rejection-of-another       | +ca          +first-use   | +ca   ca-invalid  | +first-use   +first-use   | +first-use   ca-invalid   | not-pinned   not-pinned
-- basis ca; a CA certificate seen without a basis counts as one
lastCa-only                | +ca          ca-lost      | +ca   ca-lost     | +first-use   ca-lost      | +first-use   ca-lost      | not-pinned   not-pinned
ca                         | +ca          ca-lost      | +ca   ca-lost     | +first-use   ca-lost      | +first-use   ca-lost      | not-pinned   not-pinned
ca+first-use-pin           | +ca          ca-lost      | +ca   ca-lost     | +pin         +pin         | +pin         ca-lost      | +pin         +pin
ca+approved-pin            | +ca          +pin         | +ca   ca-lost     | +pin         +pin         | +pin         ca-lost      | +pin         +pin
ca+added-pin               | +ca          +pin         | +ca   ca-lost     | +pin         +pin         | +pin         ca-lost      | +pin         +pin
ca+approved-pin-over       | +ca          ca-lost      | +ca   ca-lost     | pins-spent   pins-spent   | pins-spent   ca-lost      | not-pinned   not-pinned
ca+other-pin               | +ca          ca-lost      | +ca   ca-lost     | pin-mismatch pin-mismatch | pin-mismatch ca-lost      | not-pinned   not-pinned
ca+other-pin-over          | +ca          ca-lost      | +ca   ca-lost     | pins-spent   pins-spent   | pins-spent   ca-lost      | not-pinned   not-pinned
lastCa+approved-pin        | +ca          +pin         | +ca   ca-lost     | +pin         +pin         | +pin         ca-lost      | +pin         +pin
-- pinned, this key live
first-use-pin              | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
approved-pin               | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
by-dane,approved-pin       | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
two-live-pins              | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
pin-until-later            | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
-- pinned, this key unknown while another is live
other-pin                  | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
other-pin,mine-over        | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
anchor-pin-of-this-hash    | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
pins-without-basis         | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
-- emptied: pinned, and no pin is live
pin-past-its-end           | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
pin-ended                  | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
pin-ended-by-seal          | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
other-pin-rejected         | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
no-pin-left                | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
by-dane                    | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
by-dane,pin-over           | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
config-rejected,by-dane    | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
config-pin-in-record-only  | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
-- a certificate expected by an import is a pin whose key is not known yet
expected                   | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
expected,no-basis          | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
expected,other-pin         | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
expected-other             | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
expected-other,no-basis    | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
expected-other,pin         | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
expected-until-now         | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
expected-until-now,no-basis | pins-spent  pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
expected,pin-ended         | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
ca+expected                | +ca          +pin         | +ca   ca-lost     | +pin         +pin         | +pin         ca-lost      | +pin         +pin
ca+expected-other          | +ca          ca-lost      | +ca   ca-lost     | pin-mismatch pin-mismatch | pin-mismatch ca-lost      | not-pinned   not-pinned
lastCa+expected-other      | +ca          ca-lost      | +ca   ca-lost     | pin-mismatch pin-mismatch | pin-mismatch ca-lost      | not-pinned   not-pinned
config-other,expected      | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
-- pins of the configuration choose the column before any basis
config                     | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
config,other-pin           | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
config-other               | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
config-other,first-use-pin | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
config-other,ca            | pin-mismatch pin-mismatch | +ca   ca-invalid  | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
config-other,ca+approved   | +pin         +pin         | +ca   ca-invalid  | +pin         +pin         | +pin         ca-lost      | +pin         +pin
config-other-rejected      | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
config-other-rejected,ca   | pins-spent   pins-spent   | +ca   ca-invalid  | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
`;

interface Cell {
  readonly name: string;
  readonly state: string;
  readonly policy: Policy;
  readonly valid: boolean;
  readonly verdict: string;
}

const cellsOf = (text: string): readonly Cell[] =>
  rows(text)
    .slice(1)
    .flatMap(([state = '', ...verdicts]) =>
      verdicts.map((verdict, at) => {
        const policy = recorded[Math.floor(at / 2)] ?? 'auto';
        const valid = at % 2 === 0;
        return {
          name: `${state} under ${policy}, ${valid ? 'CA-valid' : 'not CA-valid'}: ${verdict}`,
          state,
          policy,
          valid,
          verdict,
        };
      }),
    );
const cells = cellsOf(table);

const at = ({ state, policy, valid }: Pick<Cell, 'state' | 'policy' | 'valid'>): Evidence => {
  const part = states[state];
  if (part === undefined) throw new Error(`no state is called ${state}`);
  const evidence = evidenceOf({ ...part, examined: valid ? caValid : selfSigned });
  return { ...evidence, settings: { ...evidence.settings, policy } };
};

describe('the verdict table', () => {
  it('has a verdict for every state under every policy', () => {
    expect(rows(table)[0]).toEqual(['state', ...recorded.flatMap((policy) => [policy, 'V', policy, 'X'])]);
    expect(cells).toHaveLength(Object.keys(states).length * recorded.length * 2);
    expect(new Set(cells.map(({ state }) => state))).toEqual(new Set(Object.keys(states)));
  });

  it.each(cells)('$name', (cell) => {
    expect(told(judge(at(cell)))).toBe(cell.verdict);
    const { verdict, steps } = deliberate(at(cell));
    expect(told(verdict)).toBe(cell.verdict);
    expect(steps.filter(({ decides }) => decides)).toHaveLength(1);
  });
});

describe('before any policy', () => {
  it.each(cells)('a rejected key is refused: $name', (cell) => {
    const evidence = at(cell);
    const record = { ...(evidence.record ?? recordOf()), ...rejected('server') };
    expect(told(judge({ ...evidence, record }))).toBe('key-rejected');
    const sealed = { rejected: new Set([keyNamed('server')]), until: new Map<string, number>() };
    expect(told(judge({ ...evidence, sealed }))).toBe('key-rejected');
    expect(told(judge({ ...evidence, record, recordVerified: false }))).toBe('key-rejected');
  });

  it.each(cells)('a revoked certificate is refused, whatever is pinned: $name', (cell) => {
    const evidence = at(cell);
    const revoked = { ...evidence, examined: withFaults('revoked', 'self-signed') };
    expect(told(judge(revoked))).toBe('certificate-revoked');
    expect(told(judge({ ...revoked, store: 'unavailable' }))).toBe('certificate-revoked');
    expect(told(judge({ ...revoked, recordVerified: false }))).toBe('certificate-revoked');
    expect(told(judge({ ...revoked, profile: 'legacy' }))).toBe('certificate-revoked');
    const record = { ...(evidence.record ?? recordOf()), ...rejected('server') };
    expect(told(judge({ ...revoked, record }))).toBe('key-rejected');
    expect(told(judge({ ...revoked, examined: withFaults('self-signed') }))).not.toBe('certificate-revoked');
  });

  it.each(cells)('a resumed session and an unreadable certificate are refused: $name', (cell) => {
    expect(told(judge({ ...at(cell), resumed: true }))).toBe('session-resumed');
    expect(told(judge({ ...at(cell), resumed: true, spki: null, examined: null }))).toBe('session-resumed');
    expect(told(judge({ ...at(cell), spki: null }))).toBe('certificate-unreadable');
    expect(told(judge({ ...at(cell), examined: null }))).toBe('certificate-unreadable');
  });
});

/** Does this cell depend on what is remembered? */
const needy = (cell: Cell): boolean =>
  cell.policy !== 'ca' &&
  !(
    cell.policy === 'pinned' &&
    cell.state.startsWith('config') &&
    cell.state !== 'config-pin-in-record-only'
  );

describe('a store that is not well', () => {
  it.each(cells.filter(needy))('unavailable refuses whatever needs the record: $name', (cell) => {
    expect(told(judge({ ...at(cell), store: 'unavailable' }))).toBe('store-unavailable');
  });

  it.each(cells.filter((cell) => !needy(cell)))('changes nothing for what needs no record: $name', (cell) => {
    expect(told(judge({ ...at(cell), store: 'unavailable' }))).toBe(cell.verdict);
    expect(told(judge({ ...at(cell), store: 'damaged' }))).toBe(cell.verdict);
  });

  it.each(cells.filter((cell) => needy(cell) && cell.verdict === '+pin'))(
    'damaged still accepts a live pin of a record that verifies: $name',
    (cell) => {
      const remembered = states[cell.state]?.record !== undefined;
      expect(told(judge({ ...at(cell), store: 'damaged' }))).toBe(remembered ? '+pin' : 'store-damaged');
      expect(told(judge({ ...at(cell), store: 'damaged', recordVerified: false }))).toBe('store-damaged');
    },
  );

  it.each(cells.filter((cell) => needy(cell) && cell.verdict !== '+pin'))(
    'damaged accepts of all else only a CA-valid key on a basis ca that verifies: $name',
    (cell) => {
      const surviving = cell.verdict === '+ca' && /^(ca(\+|$)|lastCa)/.test(cell.state);
      expect(told(judge({ ...at(cell), store: 'damaged' }))).toBe(surviving ? '+ca' : 'store-damaged');
      expect(told(judge({ ...at(cell), store: 'damaged', recordVerified: false }))).toBe('store-damaged');
    },
  );

  it('reads a record that does not verify as damage although the store calls itself good', () => {
    expect(told(judge({ ...evidenceOf({ record: pinned(mine()) }), recordVerified: false }))).toBe(
      'store-damaged',
    );
    expect(told(judge(evidenceOf({ record: pinned(mine()) })))).toBe('+pin');
  });

  it('pinned by the configuration accepts nothing but the configured key when the record does not verify', () => {
    const settings = settingsOf({ policy: 'pinned', configPins: [keyNamed('other')] });
    const lost = { record: pinned(mine()), recordVerified: false, store: 'damaged', settings } as const;
    expect(told(judge(evidenceOf(lost)))).toBe('pin-mismatch');
    expect(told(judge(evidenceOf({ ...lost, spki: keyNamed('other') })))).toBe('+pin');
  });
});

/** What DANE found out, in the order of the columns: V is a CA-valid certificate, X one that is not. */
const found = {
  match: 'match',
  mismatch: 'mismatch',
  unproven: 'insecure',
} as const satisfies Record<string, DaneState>;
const kinds = ['match', 'mismatch', 'unproven'] as const;
const withDane = (evidence: Evidence, state: DaneState): Evidence => ({
  ...evidence,
  dane: { state, detail: 'made by hand' },
});

/** `auto` with `dane: prefer`, for every state of the table. */
const preferTable = `
state                      | match V      match X      | mismatch V    mismatch X    | unproven V    unproven X
-- basis none: a match counts as much as a CA, a mismatch refuses
nothing                    | +ca          +dane        | dane-mismatch dane-mismatch | +ca           +first-use
candidates-only            | +ca          +dane        | dane-mismatch dane-mismatch | +ca           +first-use
rejection-of-another       | +ca          +dane        | dane-mismatch dane-mismatch | +ca           +first-use
-- basis ca: the ratchet stands, a match does not lift it; an approved key stands over a mismatch
lastCa-only                | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
ca                         | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
ca+first-use-pin           | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
ca+approved-pin            | +ca          +pin         | +ca           +pin          | +ca           +pin
ca+added-pin               | +ca          +pin         | +ca           +pin          | +ca           +pin
ca+approved-pin-over       | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
ca+other-pin               | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
ca+other-pin-over          | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
lastCa+approved-pin        | +ca          +pin         | +ca           +pin          | +ca           +pin
-- pinned, this key live: a first use gives way to a mismatch, an approved key does not
first-use-pin              | +pin         +pin         | dane-mismatch dane-mismatch | +pin          +pin
approved-pin               | +pin         +pin         | +pin          +pin          | +pin          +pin
two-live-pins              | +pin         +pin         | dane-mismatch dane-mismatch | +pin          +pin
pin-until-later            | +pin         +pin         | dane-mismatch dane-mismatch | +pin          +pin
-- pinned, this key unknown: a match replaces no pin
other-pin                  | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
other-pin,mine-over        | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
anchor-pin-of-this-hash    | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
pins-without-basis         | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
-- emptied: a match brings nothing back, unless DANE is all that was ever known
pin-past-its-end           | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
pin-ended                  | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
pin-ended-by-seal          | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
other-pin-rejected         | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
no-pin-left                | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
config-pin-in-record-only  | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
by-dane                    | +dane        +dane        | dane-mismatch dane-mismatch | dane-unproven dane-unproven
by-dane,pin-over           | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
config-rejected,by-dane    | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
by-dane,approved-pin       | +pin         +pin         | +pin          +pin          | +pin          +pin
-- a certificate expected by an import is an operator's word, its key not known yet
expected                   | +pin         +pin         | +pin          +pin          | +pin          +pin
expected,no-basis          | +pin         +pin         | +pin          +pin          | +pin          +pin
expected,other-pin         | +pin         +pin         | +pin          +pin          | +pin          +pin
expected-other             | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
expected-other,no-basis    | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
expected-other,pin         | +pin         +pin         | dane-mismatch dane-mismatch | +pin          +pin
expected-until-now         | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
expected-until-now,no-basis | pins-spent  pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
expected,pin-ended         | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
ca+expected                | +ca          +pin         | +ca           +pin          | +ca           +pin
ca+expected-other          | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
lastCa+expected-other      | +ca          ca-lost      | dane-mismatch dane-mismatch | +ca           ca-lost
config-other,expected      | +pin         +pin         | +pin          +pin          | +pin          +pin
-- pins of the configuration are an operator's word
config                     | +pin         +pin         | +pin          +pin          | +pin          +pin
config,other-pin           | +pin         +pin         | +pin          +pin          | +pin          +pin
config-other               | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
config-other,first-use-pin | +pin         +pin         | dane-mismatch dane-mismatch | +pin          +pin
config-other,ca            | pin-mismatch pin-mismatch | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
config-other,ca+approved   | +pin         +pin         | +pin          +pin          | +pin          +pin
config-other-rejected      | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
config-other-rejected,ca   | pins-spent   pins-spent   | pins-spent    pins-spent    | pins-spent    pins-spent
`;

const preferCells = rows(preferTable)
  .slice(1)
  .flatMap(([state = '', ...verdicts]) =>
    verdicts.map((verdict, index) => {
      const kind = kinds[Math.floor(index / 2)] ?? 'match';
      return { state, kind, valid: index % 2 === 0, verdict };
    }),
  );
const preferring = ({ state, kind, valid }: (typeof preferCells)[number]): Evidence => {
  const evidence = withDane(at({ state, policy: 'auto', valid }), found[kind]);
  return { ...evidence, settings: { ...evidence.settings, dane: 'prefer' } };
};

/** The policy `dane`: one verdict for each thing that can be found out, whatever is remembered. */
const daneRows = [
  ['match', '+dane'],
  ['mismatch', 'dane-mismatch'],
  ['unusable', 'dane-unproven'],
  ['absent', 'dane-unproven'],
  ['insecure', 'dane-unproven'],
  ['bogus', 'dane-unproven'],
  ['failed', 'dane-unproven'],
] as const satisfies readonly (readonly [DaneState, string])[];

describe('the policy dane', () => {
  const everywhere = Object.keys(states).flatMap((state) =>
    [true, false].map((valid) => at({ state, policy: 'dane', valid })),
  );

  it.each(daneRows)(
    'goes by the proof alone, whatever is remembered and whatever a CA says: %s is %s',
    (state, verdict) => {
      expect(everywhere).toHaveLength(Object.keys(states).length * 2);
      expect(new Set(everywhere.map((evidence) => told(judge(withDane(evidence, state)))))).toEqual(
        new Set([verdict]),
      );
    },
  );

  it('proves nothing where nobody asked', () => {
    expect(new Set(everywhere.map((evidence) => told(judge(evidence))))).toEqual(new Set(['dane-unproven']));
    expect(told(judge({ ...evidenceOf(), settings: settingsOf({ policy: 'dane' }), dane: null }))).toBe(
      'dane-unproven',
    );
  });

  it.each(daneRows)('goes on without a usable store: %s is %s', (state, verdict) => {
    for (const evidence of everywhere) {
      const asked = withDane(evidence, state);
      expect(told(judge({ ...asked, store: 'unavailable' }))).toBe(verdict);
      expect(told(judge({ ...asked, store: 'damaged', recordVerified: false }))).toBe(verdict);
    }
  });

  it('comes after what is refused before any policy', () => {
    for (const evidence of everywhere) {
      const asked = withDane(evidence, 'match');
      const sealed = { rejected: new Set([keyNamed('server')]), until: new Map<string, number>() };
      expect(told(judge({ ...asked, sealed }))).toBe('key-rejected');
      expect(told(judge({ ...asked, resumed: true }))).toBe('session-resumed');
      expect(told(judge({ ...asked, spki: null }))).toBe('certificate-unreadable');
      expect(told(judge({ ...asked, profile: 'legacy' }))).toBe('legacy-unpinned');
    }
  });

  it.each(daneRows)('says why in one plain sentence: %s', (state) => {
    const { why } = judge(withDane(at({ state: 'nothing', policy: 'dane', valid: false }), state));
    expect(why).toMatch(/^[A-Z][\x20-\x7e]+\.$/);
  });
});

describe('auto with dane: prefer', () => {
  it('has a verdict for every state and everything that can be found out', () => {
    expect(rows(preferTable)[0]).toEqual(['state', ...kinds.flatMap((kind) => [kind, 'V', kind, 'X'])]);
    expect(new Set(preferCells.map(({ state }) => state))).toEqual(new Set(Object.keys(states)));
    expect(preferCells).toHaveLength(Object.keys(states).length * 6);
  });

  it.each(preferCells)('$state, $kind, CA-valid: $valid: $verdict', (cell) => {
    expect(told(judge(preferring(cell)))).toBe(cell.verdict);
  });

  it.each(preferCells.filter(({ kind }) => kind === 'unproven'))(
    'whatever it is that proves nothing is the same: $state, CA-valid: $valid',
    (cell) => {
      for (const state of ['unusable', 'absent', 'bogus', 'failed'] as const)
        expect(told(judge(withDane(preferring(cell), state)))).toBe(cell.verdict);
      expect(told(judge({ ...preferring(cell), dane: null }))).toBe(cell.verdict);
    },
  );

  it.each(preferCells)('counts for nothing where it is off: $state, $kind, CA-valid: $valid', (cell) => {
    const plain = at({ state: cell.state, policy: 'auto', valid: cell.valid });
    expect(judge(withDane(plain, found[cell.kind]))).toEqual(judge(plain));
    const off = { ...plain, settings: { ...plain.settings, dane: 'off' as const } };
    expect(judge(withDane(off, found[cell.kind]))).toEqual(judge(plain));
  });

  it.each(preferCells)('never accepts a rejected key, nor without a sound store: $state, $kind', (cell) => {
    const evidence = preferring(cell);
    const sealed = { rejected: new Set([keyNamed('server')]), until: new Map<string, number>() };
    expect(told(judge({ ...evidence, sealed }))).toBe('key-rejected');
    expect(told(judge({ ...evidence, store: 'unavailable' }))).toBe('store-unavailable');
    if (cell.verdict === '+dane')
      expect(told(judge({ ...evidence, store: 'damaged' }))).toBe('store-damaged');
  });

  it('over a legacy handshake a match is no pin', () => {
    const evidence = preferring({ state: 'nothing', kind: 'match', valid: false, verdict: '+dane' });
    expect(told(judge({ ...evidence, profile: 'legacy' }))).toBe('legacy-unpinned');
    expect(told(judge(evidence))).toBe('+dane');
  });
});

it.each<[string, Partial<Evidence>]>([
  ['yes', { examined: caValid }],
  ['no: expired, self-signed', { examined: withFaults('expired', 'self-signed') }],
  ['no: the handshake was one of a legacy server', { examined: caValid, profile: 'legacy' }],
])('whether a CA vouches for the key is told as %s', (words, part) => {
  const { steps } = deliberate(evidenceOf(part));
  expect(steps.find(({ rule }) => rule === 'ca-valid')?.found).toBe(words);
});

/** The same states over a legacy handshake: only what a live pin accepted is accepted, on that pin. */
const legacyTable = `
state                      | auto V       auto X       | ca V  ca X        | tofu V       tofu X       | ca+tofu V    ca+tofu X    | pinned V     pinned X
nothing                    | legacy-unpinned legacy-unpinned | legacy-unpinned ca-invalid | legacy-unpinned legacy-unpinned | legacy-unpinned ca-invalid | not-pinned not-pinned
candidates-only            | legacy-unpinned legacy-unpinned | legacy-unpinned ca-invalid | legacy-unpinned legacy-unpinned | legacy-unpinned ca-invalid | not-pinned not-pinned
rejection-of-another       | legacy-unpinned legacy-unpinned | legacy-unpinned ca-invalid | legacy-unpinned legacy-unpinned | legacy-unpinned ca-invalid | not-pinned not-pinned
-- what a CA once vouched for is no pin
lastCa-only                | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | not-pinned   not-pinned
ca                         | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | not-pinned   not-pinned
ca+first-use-pin           | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | +pin         +pin         | ca-lost      ca-lost     | +pin         +pin
ca+approved-pin            | +pin         +pin         | legacy-unpinned ca-lost | +pin        +pin         | ca-lost      ca-lost      | +pin         +pin
ca+added-pin               | +pin         +pin         | legacy-unpinned ca-lost | +pin        +pin         | ca-lost      ca-lost      | +pin         +pin
ca+approved-pin-over       | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | pins-spent  pins-spent   | ca-lost      ca-lost      | not-pinned   not-pinned
ca+other-pin               | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | pin-mismatch pin-mismatch | ca-lost     ca-lost      | not-pinned   not-pinned
ca+other-pin-over          | legacy-unpinned ca-lost  | legacy-unpinned ca-lost | pins-spent  pins-spent   | ca-lost      ca-lost      | not-pinned   not-pinned
lastCa+approved-pin        | +pin         +pin         | legacy-unpinned ca-lost | +pin        +pin         | ca-lost      ca-lost      | +pin         +pin
-- pinned, this key live
first-use-pin              | +pin         +pin         | legacy-unpinned ca-invalid | +pin     +pin         | ca-lost      ca-lost      | +pin         +pin
approved-pin               | +pin         +pin         | legacy-unpinned ca-invalid | +pin     +pin         | ca-lost      ca-lost      | +pin         +pin
by-dane,approved-pin       | +pin         +pin         | legacy-unpinned ca-invalid | +pin     +pin         | ca-lost      ca-lost      | +pin         +pin
two-live-pins              | +pin         +pin         | legacy-unpinned ca-invalid | +pin     +pin         | ca-lost      ca-lost      | +pin         +pin
pin-until-later            | +pin         +pin         | legacy-unpinned ca-invalid | +pin     +pin         | ca-lost      ca-lost      | +pin         +pin
-- pinned, this key unknown while another is live
other-pin                  | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
other-pin,mine-over        | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
anchor-pin-of-this-hash    | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
pins-without-basis         | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
-- emptied: pinned, and no pin is live
pin-past-its-end           | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
pin-ended                  | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
pin-ended-by-seal          | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
other-pin-rejected         | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
no-pin-left                | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
by-dane                    | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
by-dane,pin-over           | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
config-rejected,by-dane    | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
config-pin-in-record-only  | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
-- an expected certificate is a live pin here as well
expected                   | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
expected,no-basis          | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
expected,other-pin         | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
expected-other             | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
expected-other,no-basis    | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
expected-other,pin         | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
expected-until-now         | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
expected-until-now,no-basis | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
expected,pin-ended         | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
ca+expected                | +pin         +pin         | legacy-unpinned ca-lost | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
ca+expected-other          | legacy-unpinned ca-lost      | legacy-unpinned ca-lost | pin-mismatch pin-mismatch | ca-lost      ca-lost      | not-pinned   not-pinned
lastCa+expected-other      | legacy-unpinned ca-lost      | legacy-unpinned ca-lost | pin-mismatch pin-mismatch | ca-lost      ca-lost      | not-pinned   not-pinned
config-other,expected      | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
-- pins of the configuration are live pins
config                     | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
config,other-pin           | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
config-other               | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
config-other,first-use-pin | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
config-other,ca            | pin-mismatch pin-mismatch | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
config-other,ca+approved   | +pin         +pin         | legacy-unpinned ca-invalid | +pin         +pin         | ca-lost      ca-lost      | +pin         +pin
config-other-rejected      | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
config-other-rejected,ca   | pins-spent   pins-spent   | legacy-unpinned ca-invalid | pins-spent   pins-spent   | pins-spent   pins-spent   | not-pinned   not-pinned
`;

describe('over a legacy handshake', () => {
  const legacyCells = cellsOf(legacyTable);

  it('there is a verdict for every state under every policy', () => {
    expect(legacyCells).toHaveLength(cells.length);
    expect(new Set(legacyCells.map(({ state }) => state))).toEqual(new Set(Object.keys(states)));
  });

  it.each(legacyCells)('$name', (cell) => {
    expect(told(judge({ ...at(cell), profile: 'legacy' }))).toBe(cell.verdict);
  });

  it.each(['accept', 'hold', 'refuse'] as const)('no first use is left under firstUse: %s', (firstUse) => {
    for (const examined of [selfSigned, caValid, withFaults('self-signed', 'weak-key', 'weak-signature')]) {
      const settings = settingsOf({ policy: 'tofu', firstUse });
      expect(told(judge(evidenceOf({ profile: 'legacy', settings, examined })))).toBe('legacy-unpinned');
    }
  });

  it('what is refused before any policy, and what a store that is not well refuses, keeps its reason', () => {
    const legacy = { profile: 'legacy' } as const;
    expect(told(judge(evidenceOf({ ...legacy, record: recordOf(rejected('server')) })))).toBe('key-rejected');
    expect(told(judge(evidenceOf({ ...legacy, spki: null })))).toBe('certificate-unreadable');
    expect(told(judge(evidenceOf({ ...legacy, resumed: true })))).toBe('session-resumed');
    expect(told(judge(evidenceOf({ ...legacy, store: 'unavailable' })))).toBe('store-unavailable');
    expect(told(judge(evidenceOf({ ...legacy, store: 'damaged', record: pinned(mine()) })))).toBe('+pin');
  });
});

/** setting and what is wrong, for an endpoint nothing is known of; `chained` ends at a loaded anchor. */
const firstUses = `
first-use | certificate                         | auto              | tofu
accept    | self-signed                         | +first-use        | +first-use
hold      | self-signed                         | first-use-held    | first-use-held
refuse    | self-signed                         | first-use-off     | first-use-off
accept    | unknown-issuer                      | +first-use        | +first-use
accept    | self-signed,expired,name-mismatch   | +first-use        | +first-use
accept    | chained,expired                     | first-use-held    | +first-use
accept    | chained,not-yet-valid               | first-use-held    | +first-use
accept    | chained,issuer-expired              | first-use-held    | +first-use
accept    | chained,name-mismatch               | first-use-held    | +first-use
accept    | chained,name-only-in-cn             | first-use-held    | +first-use
accept    | chained,wildcard-misused            | first-use-held    | +first-use
accept    | chained,expired,name-mismatch       | first-use-held    | +first-use
hold      | chained,expired                     | first-use-held    | first-use-held
refuse    | chained,expired                     | first-use-held    | first-use-off
accept    | chained,expired,wrong-purpose       | first-use-held    | +first-use
accept    | chained,name-mismatch,wrong-purpose | first-use-held    | +first-use
accept    | chained,wrong-purpose               | +first-use        | +first-use
refuse    | chained,wrong-purpose               | first-use-off     | first-use-off
accept    | no-anchors,self-signed              | first-use-unsafe  | +first-use
accept    | one-anchor,self-signed              | +first-use        | +first-use
hold      | no-anchors,self-signed              | first-use-unsafe  | first-use-held
accept    | self-signed,malformed               | first-use-unsafe  | first-use-unsafe
accept    | self-signed,clock-suspect           | first-use-unsafe  | first-use-unsafe
accept    | self-signed,weak-key                | first-use-unsafe  | first-use-unsafe
accept    | self-signed,weak-signature          | first-use-unsafe  | first-use-unsafe
accept    | self-signed,unknown-critical-extension | first-use-unsafe | first-use-unsafe
hold      | self-signed,weak-key                | first-use-unsafe  | first-use-unsafe
refuse    | self-signed,weak-key                | first-use-unsafe  | first-use-unsafe
accept    | chained,expired,clock-suspect       | first-use-unsafe  | first-use-unsafe
`;

const under = (firstUse: FirstUse, record: Evidence['record'], policy: Policy): string =>
  told(judge(evidenceOf({ settings: settingsOf({ policy, firstUse }), examined: caValid, record })));

const underTofu = (part: Partial<Evidence['settings']> = {}) => settingsOf({ policy: 'tofu', ...part });

const named = (type: 'dns' | 'ip' | 'email', ...values: readonly string[]) =>
  values.map((value) => ({ type, value }));

describe('a first use', () => {
  const cases = rows(firstUses)
    .slice(1)
    .flatMap(([setting = '', certificate = '', auto = '', tofu = '']) => [
      { setting, certificate, policy: 'auto' as const, verdict: auto },
      { setting, certificate, policy: 'tofu' as const, verdict: tofu },
    ]);
  const evidenceFor = ({ setting, certificate, policy }: (typeof cases)[number]): Evidence => {
    const words = certificate.split(',');
    const firstUse = setting === 'hold' || setting === 'refuse' ? setting : 'accept';
    const examined = { ...withFaults(...words.filter(isFault)), chainsToAnchor: words.includes('chained') };
    const anchors = words.includes('no-anchors') ? 0 : words.includes('one-anchor') ? 1 : 140;
    return evidenceOf({ settings: settingsOf({ policy, firstUse }), examined, anchors });
  };

  it.each(cases)('$setting, $certificate, under $policy: $verdict', (row) => {
    expect(told(judge(evidenceFor(row)))).toBe(row.verdict);
  });

  const everyFault = Object.keys(faults).filter(isFault);
  it.each(everyFault)('is stopped by %s exactly where the table of faults says so', (fault) => {
    const verdict = told(
      judge(evidenceOf({ settings: settingsOf({ policy: 'tofu' }), examined: withFaults(fault) })),
    );
    const unsafe = fault === 'revoked' ? 'certificate-revoked' : 'first-use-unsafe';
    expect(verdict).toBe(faults[fault].blocks === 'first-use' ? unsafe : '+first-use');
  });

  it.each(everyFault.filter((fault) => faults[fault].blocks === 'first-use'))(
    'and CA validity is not taken from anybody who overlooked %s',
    (fault) => {
      const examined = { ...caValid, faults: [fault] };
      expect(told(judge(evidenceOf({ settings: settingsOf({ policy: 'ca' }), examined })))).toBe(
        fault === 'revoked' ? 'certificate-revoked' : 'ca-invalid',
      );
      expect(told(judge(evidenceOf({ settings: settingsOf({ policy: 'ca' }), examined: caValid })))).toBe(
        '+ca',
      );
    },
  );

  it('is unsafe where anchors are pinned and the one that vouches has no key', () => {
    const settings = settingsOf({ policy: 'ca+tofu', continuity: 'anchor' });
    expect(told(judge(evidenceOf({ settings, examined: caValid })))).toBe('first-use-unsafe');
    const examined = { ...caValid, anchorKeys: [keyNamed('anchor')] };
    expect(told(judge(evidenceOf({ settings, examined })))).toBe('+first-use');
  });

  it('follows the same settings for a CA-valid key under ca+tofu and after a CA verification', () => {
    expect(under('hold', null, 'ca+tofu')).toBe('first-use-held');
    expect(under('refuse', null, 'ca+tofu')).toBe('first-use-off');
    expect(under('hold', ca(), 'tofu')).toBe('first-use-held');
    expect(under('refuse', ca(), 'ca+tofu')).toBe('first-use-off');
  });

  const chained = { ...withFaults('expired'), chainsToAnchor: true };
  const seen = { spki: keyNamed('server'), agreed: ['port 143'], differing: [], unreached: [] };
  it.each<[string, Partial<Evidence>, readonly string[]]>([
    ['nobody objects', {}, ['first-use-safe: yes', 'signed-otherwise: no', '> first-use: firstUse: accept']],
    ['no CA is asked', { settings: underTofu() }, ['first-use-safe: yes', '> first-use: firstUse: accept']],
    [
      'it is unsafe',
      { examined: withFaults('weak-key') },
      ['> first-use-safe: no: A first use is not safe: weak-key.'],
    ],
    [
      'a CA signed it otherwise',
      { examined: chained },
      [
        'first-use-safe: yes',
        '> signed-otherwise: yes: A trusted CA signed this certificate, but it is outside its dates.',
      ],
    ],
    [
      'no CA is asked, whatever one signed',
      { settings: underTofu(), examined: chained },
      ['first-use-safe: yes', '> first-use: firstUse: accept'],
    ],
    [
      'others are still to look',
      { settings: underTofu({ corroborate: { atLeast: 1 } }) },
      ['first-use-safe: yes', 'first-use: firstUse: accept', '> corroborated: still to be asked'],
    ],
    [
      'others looked and agree',
      { settings: underTofu({ corroborate: { atLeast: 1 } }), corroboration: seen },
      [
        'first-use-safe: yes',
        'first-use: firstUse: accept',
        '> corroborated: 1 of 1 vantage points showed the same key (port 143)',
      ],
    ],
    [
      'others looked and were too few',
      { settings: underTofu({ corroborate: { atLeast: 2 } }), corroboration: seen },
      [
        'first-use-safe: yes',
        'first-use: firstUse: accept',
        '> corroborated: Too few vantage points could be asked, 2 must agree: 1 of 1 vantage points showed the same key (port 143).',
      ],
    ],
    [
      'others looked though nobody asked them to',
      { settings: underTofu(), corroboration: seen },
      [
        'first-use-safe: yes',
        'first-use: firstUse: accept',
        '> corroborated: 1 of 1 vantage points showed the same key (port 143)',
      ],
    ],
  ])('is explained by what was asked and found, where %s', (_, part, path) => {
    const asked = deliberate(evidenceOf(part)).steps.map(
      ({ rule, found: words, decides }) => `${decides ? '> ' : ''}${rule}: ${words}`,
    );
    const from = asked.findIndex((line) => line.startsWith('legacy'));
    expect(asked.slice(from)).toEqual(['legacy: no', ...path, 'store: good']);
  });

  it.each([
    ['one', named('dns', 'other.example.net'), 'other.example.net'],
    ['an address', named('ip', '192.0.2.1'), '192.0.2.1'],
    ['three', named('dns', 'a.example', 'b.example', 'c.example'), 'a.example, b.example, c.example'],
    [
      'more than three',
      named('dns', 'a.example', 'b.example', 'c.example', 'd.example'),
      'a.example, b.example, c.example and others',
    ],
    ['one of another kind', named('email', 'a.example'), 'another name'],
    ['none', [], 'another name'],
    [
      'a terminal sequence',
      named('dns', 'other.example.net', '\u001b]0;pwned\u0007', '*.example.net'),
      'other.example.net, *.example.net',
    ],
    ['one longer than any', named('dns', 'a'.repeat(80), 'b'.repeat(81)), 'a'.repeat(80)],
  ])('that is held for another name says for which: %s', (_, names, words) => {
    const [leaf] = selfSigned.chain;
    if (leaf === undefined) throw new Error('the fixture has a leaf');
    const examined = examinedAs({
      faults: ['name-mismatch'],
      chainsToAnchor: true,
      chain: [{ ...leaf, names }],
    });
    const { why } = judge(evidenceOf({ examined }));
    expect(why).toBe(`A trusted CA signed this certificate, but it is for ${words}.`);
  });
});

describe('every verdict', () => {
  it.each(cells)('says why in one plain sentence: $name', (cell) => {
    const { why } = judge(at(cell));
    expect(why).toMatch(/^[A-Z][\x20-\x7e]+\.$/);
  });
});
