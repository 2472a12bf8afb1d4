// Hand-over from one pinned key to the next: what the examination finds, what the judge makes of it, and a model of
// every short life under it. V is a CA-valid certificate, X one that is not.

import { describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import { analyse } from '../../src/trust/analysis.ts';
import { AnchorIndex } from '../../src/trust/anchor-index.ts';
import { carryOut } from '../../src/trust/carry-out.ts';
import type { Command } from '../../src/trust/command.ts';
import { policies, type Evidence, type Policy, type Verdict } from '../../src/trust/evidence.ts';
import { Examiner } from '../../src/trust/examine.ts';
import type { Fault } from '../../src/trust/fault.ts';
import { predecessors, successorsOf } from '../../src/trust/hand-over.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { learn } from '../../src/trust/learn.ts';
import { judge } from '../../src/trust/policy.ts';
import type { EndpointRecord } from '../../src/trust/record.ts';
import { liveKeys } from '../../src/trust/standing.ts';
import {
  caValid,
  day,
  endpoint,
  evidenceOf,
  examinedAs,
  keyNamed,
  noon,
  pinOf,
  recordOf,
  selfSigned,
  settingsOf,
  sha256Named,
} from './evidence.ts';
import {
  anchorsOf,
  basicConstraints,
  clientAuth,
  cn,
  dns,
  ecKeys,
  endpointOf,
  extendedKeyUsage,
  type Forged,
  forgeCa,
  forgeLeaf,
  rsaKeys,
  san,
  serverAuth,
  type Wish,
} from './forge.ts';

const old = forgeLeaf({ keys: ecKeys() });
const next = (wish: Wish = {}): Forged => forgeLeaf({ keys: ecKeys(), issuer: old, ...wish });
const heir = next();
const weak = forgeLeaf({ keys: rsaKeys(1024), algorithm: 'rsa-sha256' });
const past = { from: '2024-01-01T00:00:00Z', to: '2025-01-01T00:00:00Z' };
const usage = (...names: readonly string[]) => [san(dns('mail.example.org')), extendedKeyUsage(...names)];

const signersOf = (chain: readonly Forged[], at = '2026-06-01T00:00:00Z'): readonly string[] =>
  new Examiner().examine(
    chain.map(({ certificate }) => certificate),
    {
      anchors: anchorsOf(),
      endpoint: endpointOf('mail.example.org'),
      chainError: 'SELF_SIGNED_CERT_IN_CHAIN',
      profile: 'modern',
      now: Date.parse(at),
      clockSuspect: false,
    },
  ).handedOverBy ?? [];

describe('a certificate is handed over by', () => {
  it('the key that signed it, presented along', () => {
    expect(signersOf([heir, old])).toEqual([spkiOfCertificate(old.certificate)]);
    expect(signersOf([heir, weak, forgeCa('Other'), old])).toEqual([spkiOfCertificate(old.certificate)]);
  });

  it.each<[string, readonly Forged[]]>([
    ['is not presented', [heir]],
    ['has only the name', [heir, forgeLeaf({ keys: ecKeys() })]],
    ['signed what signed it: two hops', [next({ issuer: heir }), old]],
    ['signed another one', [forgeLeaf({ keys: ecKeys() }), old]],
    ['is its own', [old, old]],
    [
      'has run out',
      [next({ issuer: forgeLeaf({ keys: old.keys, ...past }) }), forgeLeaf({ keys: old.keys, ...past })],
    ],
    ['is weak', [next({ issuer: weak, algorithm: 'rsa-sha256' }), weak]],
    ['signed with SHA-1', [next({ algorithm: 'ec-sha1' }), old]],
    ['signed for another name', [next({ extensions: [san(dns('other.example.org'))] }), old]],
    ['signed for other dates', [next(past), old]],
    ['signed for other purposes', [next({ extensions: usage(clientAuth) }), old]],
    ['signed a CA', [next({ extensions: [...usage(serverAuth), basicConstraints(true)] }), old]],
  ])('no key that %s', (_, chain) => {
    expect(signersOf(chain)).toEqual([]);
  });

  it('a key whose certificate and the new one are in date now', () => {
    expect(signersOf([heir, old], '2027-06-01T00:00:00Z')).toEqual([]);
    expect(signersOf([heir, old], '2025-06-01T00:00:00Z')).toEqual([]);
  });
});

const signersOn = (chain: readonly Forged[]): readonly string[] =>
  analyse(
    chain.map(({ certificate }) => certificate),
    new AnchorIndex([]),
  ).signers.map(({ spki }) => spki);

describe('a certificate counts as signed by', () => {
  it.each<[string, readonly Forged[]]>([
    ['is its own', [old, forgeLeaf({ keys: old.keys, serial: Buffer.of(0x12) })]],
    ['stands in a malformed certificate', [heir, forgeLeaf({ keys: old.keys, to: '2027-02-30T00:00:00Z' })]],
    ['is weak', [next({ issuer: weak, algorithm: 'rsa-sha256' }), weak]],
    ['has another name', [heir, forgeLeaf({ keys: old.keys, subject: cn('other.example.org') })]],
    ['did not sign it', [heir, forgeLeaf({ keys: ecKeys() })]],
  ])('no key that %s, whatever else is found', (_, chain) => {
    expect(signersOn(chain)).toEqual([]);
    expect(signersOn([heir, old])).toEqual([spkiOfCertificate(old.certificate)]);
  });
});

const datedSigner = (notBefore: number, notAfter: number) => ({
  spki: keyNamed('other'),
  dates: { notBefore, notAfter },
});
const undated = { spki: keyNamed('other'), dates: null };
const inDate = datedSigner(noon - day, noon + day);

const handersTo = (named: boolean, ...found: readonly Fault[]) =>
  predecessors([inDate], { named, faults: found, now: noon }).length;

describe('of the keys that signed it, those hand over', () => {
  it.each<[string, ReturnType<typeof datedSigner> | typeof undated, boolean]>([
    ['that are in date', inDate, true],
    ['from their first second on', datedSigner(noon, noon + day), true],
    ['to their last second', datedSigner(noon - day, noon - 999), true],
    ['not before', datedSigner(noon + 1, noon + day), false],
    ['not after', datedSigner(noon - day, noon - 1000), false],
    ['not without dates', undated, false],
  ])('%s', (_, one, does) => {
    const leaf = { named: true, faults: [], now: noon };
    expect(predecessors([one], leaf)).toEqual(does ? [keyNamed('other')] : []);
  });

  it('to a certificate of this name whose only faults are those of every one that a server signed', () => {
    expect(handersTo(true, 'unknown-issuer', 'incomplete-chain', 'not-a-ca', 'path-too-long')).toBe(1);
    expect(handersTo(true, 'unknown-issuer', 'name-constraint')).toBe(0);
    expect(handersTo(false, 'unknown-issuer')).toBe(0);
  });
});

const heirOf = (name: string, parent: string, part: Parameters<typeof pinOf>[1] = {}) =>
  pinOf(name, { parent: keyNamed(parent), ...part });
const successors = (...pins: ReturnType<typeof pinOf>[]) => successorsOf({ pins }, keyNamed('first'));

describe('the successors of a key', () => {
  it('are those it handed over to, and those they did, that still count', () => {
    const line = [
      pinOf('first'),
      heirOf('second', 'first', { endedAt: noon - day }),
      heirOf('third', 'second'),
    ];
    expect(successors(...line, pinOf('other'), heirOf('heir', 'other'))).toEqual([keyNamed('third')]);
    expect(successors(pinOf('first'))).toEqual([]);
  });

  it('are never itself, not even in a ring that no session makes', () => {
    expect(successors(heirOf('first', 'second'), heirOf('second', 'first'))).toEqual([keyNamed('second')]);
  });
});

const told = (verdict: Verdict): string =>
  verdict.accept ? `+${verdict.basis}${verdict.handedOverBy === undefined ? '' : '-heir'}` : verdict.reason;
const signed = { handedOverBy: [keyNamed('other')] };
const other = (part: Parameters<typeof pinOf>[1] = {}) => pinOf('other', part);
const pinned = (...pins: ReturnType<typeof pinOf>[]) => recordOf({ basis: 'pinned', pins });
const rejected = (name: string) => ({ rejected: [{ spki: keyNamed(name), at: noon - day }] });

/** What is remembered when the key `server` is shown, whose certificate `other` signed. */
const states: Readonly<Record<string, Partial<Evidence>>> = {
  live: { record: pinned(other()) },
  approved: { record: pinned(other({ origin: 'approved' })) },
  'live-among-others': { record: pinned(pinOf('third'), other()) },
  'without-a-basis': { record: recordOf({ pins: [other()] }) },
  'ending-pin': { record: pinned(other({ until: noon + day })) },
  'ended-pin': { record: pinned(other({ endedAt: noon - day }), pinOf('third')) },
  'ending-by-seal': {
    record: pinned(other()),
    sealed: { rejected: new Set(), until: new Map([[keyNamed('other'), noon + day]]) },
  },
  'rejected-parent': { record: { ...pinned(other(), pinOf('third')), ...rejected('other') } },
  'rejected-by-seal': {
    record: pinned(other(), pinOf('third')),
    sealed: { rejected: new Set([keyNamed('other')]), until: new Map() },
  },
  'anchor-pin': { record: pinned(other({ kind: 'anchor' })) },
  'config-pin': { settings: settingsOf({ configPins: [keyNamed('other')] }) },
  'another-pin': { record: pinned(pinOf('third')) },
  'was-a-pin-itself': { record: pinned(other(), pinOf('server', { endedAt: noon - day })) },
  'ended-by-seal-itself': {
    record: pinned(other()),
    sealed: { rejected: new Set(), until: new Map([[keyNamed('server'), noon + day]]) },
  },
  'rejected-itself': { record: { ...pinned(other()), ...rejected('server') } },
  'beside-the-CA': { record: recordOf({ basis: 'ca', pins: [other({ origin: 'approved' })] }) },
  'unverified-record': { record: pinned(other()), recordVerified: false },
  'damaged-store': { record: pinned(other()), store: 'damaged' },
  'legacy-handshake': { record: pinned(other()), profile: 'legacy' },
};

const table = `
live                 | +pin-heir     +pin-heir     | +ca   ca-invalid | +pin-heir     +pin-heir     | +pin-heir     pin-mismatch  | +pin-heir     +pin-heir
approved             | +pin-heir     +pin-heir     | +ca   ca-invalid | +pin-heir     +pin-heir     | +pin-heir     pin-mismatch  | +pin-heir     +pin-heir
live-among-others    | +pin-heir     +pin-heir     | +ca   ca-invalid | +pin-heir     +pin-heir     | +pin-heir     pin-mismatch  | +pin-heir     +pin-heir
without-a-basis      | +pin-heir     +pin-heir     | +ca   ca-invalid | +pin-heir     +pin-heir     | +pin-heir     pin-mismatch  | +pin-heir     +pin-heir
ending-pin           | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
ended-pin            | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
ending-by-seal       | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
rejected-parent      | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
rejected-by-seal     | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
anchor-pin           | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
config-pin           | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
another-pin          | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
was-a-pin-itself     | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
ended-by-seal-itself | pin-mismatch  pin-mismatch  | +ca   ca-invalid | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch  | pin-mismatch  pin-mismatch
rejected-itself      | key-rejected  key-rejected  | key-rejected key-rejected | key-rejected  key-rejected | key-rejected  key-rejected | key-rejected key-rejected
beside-the-CA        | +ca           ca-lost       | +ca   ca-lost    | pin-mismatch  pin-mismatch  | pin-mismatch  ca-lost       | not-pinned    not-pinned
unverified-record    | store-damaged store-damaged | +ca   ca-invalid | store-damaged store-damaged | store-damaged store-damaged | store-damaged store-damaged
damaged-store        | store-damaged store-damaged | +ca   ca-invalid | store-damaged store-damaged | store-damaged store-damaged | store-damaged store-damaged
legacy-handshake     | pin-mismatch  pin-mismatch  | legacy-unpinned ca-invalid | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch | pin-mismatch pin-mismatch
`;

/** DANE asks no record, so nothing hands over to anything. */
const recorded = policies.filter((policy) => policy !== 'dane');

const cells = table
  .trim()
  .split('\n')
  .flatMap((line) => {
    const [state = '', ...verdicts] = line.trim().split(/[\s|]+/);
    return verdicts.map((verdict, at) => ({
      state,
      verdict,
      policy: recorded[Math.floor(at / 2)] ?? 'auto',
      valid: at % 2 === 0,
    }));
  });

const at = (
  { state, policy, valid }: (typeof cells)[number],
  part: Partial<Evidence['settings']>,
): Evidence => {
  const evidence = evidenceOf(states[state]);
  const settings = { ...evidence.settings, policy, ...part };
  return { ...evidence, settings, examined: { ...(valid ? caValid : selfSigned), ...signed } };
};

describe('the table of hand-over', () => {
  it('has every state under every policy', () => {
    expect(cells).toHaveLength(Object.keys(states).length * recorded.length * 2);
  });

  it.each(cells)('$state under $policy, CA-valid $valid: $verdict', (cell) => {
    expect(told(judge(at(cell, { handOver: true })))).toBe(cell.verdict);
  });

  it.each(cells.filter(({ verdict }) => verdict === '+pin-heir'))(
    'nothing of it where it is not switched on: $state under $policy, CA-valid $valid',
    (cell) => {
      expect(told(judge(at(cell, {})))).toBe('pin-mismatch');
      const unsigned = at(cell, { handOver: true });
      expect(told(judge({ ...unsigned, examined: cell.valid ? caValid : selfSigned }))).toBe('pin-mismatch');
    },
  );
});

const lessonFrom = (record: EndpointRecord) => {
  const settings = settingsOf({ policy: 'tofu', handOver: true });
  const evidence = evidenceOf({ settings, record, examined: { ...selfSigned, ...signed } });
  return learn(evidence, judge(evidence));
};

describe('what a hand-over teaches', () => {
  it('is a pin that remembers its parent and has its origin, while the parent retires', () => {
    const lesson = lessonFrom(pinned(pinOf('third'), other({ origin: 'approved' })));
    expect(lesson?.record.pins).toMatchObject([
      { spki: keyNamed('third'), until: null },
      { spki: keyNamed('other'), until: noon + 7 * day, retiring: true, endedAt: null },
      { spki: keyNamed('server'), origin: 'approved', until: null, parent: keyNamed('other'), kind: 'leaf' },
    ]);
    expect(lesson).toMatchObject({ durable: true, record: { epoch: 4, basis: 'pinned' } });
    expect(lesson?.audit).toMatchObject([
      { event: 'handed-over', spki: keyNamed('server'), detail: `by ${keyNamed('other')}` },
      { event: 'retired', spki: keyNamed('other'), detail: 'until 2026-11-30 12:00 UTC' },
    ]);
  });

  it('makes an endpoint without a basis a pinned one', () => {
    expect(lessonFrom(recordOf({ pins: [other()] }))?.record.basis).toBe('pinned');
  });
});

// ---- every sequence of six events under handOver: true and trust: tofu, keys in a line: each signed the next

const line = ['first', 'second', 'third', 'stranger'] as const;
type Name = (typeof line)[number];
const spkis = new Map(line.map((name) => [keyNamed(name), name]));
const called = (spki: string): Name => spkis.get(spki) ?? 'stranger';
/** `second` and `third` show the key before them; `stranger` shows nobody. */
const signerOf: Readonly<Partial<Record<Name, Name>>> = { second: 'first', third: 'second' };

interface State {
  readonly record: EndpointRecord | null;
  readonly now: number;
  /** Keys that a first use, an operator or a key in here licensed, and whose word it was. */
  readonly licensed: ReadonlyMap<Name, Name | null>;
  readonly rejected: ReadonlySet<Name>;
}
type Step = { readonly meet: Name } | { readonly order: Command } | { readonly days: number };

const plain = { forMs: null, as: null, keep: false, endOld: false, unreject: false } as const;
const steps: readonly Step[] = [
  ...line.map((meet): Step => ({ meet })),
  ...line.flatMap((name): readonly Step[] => [
    { order: { command: 'reject', endpoint, expect: keyNamed(name) } },
    { order: { command: 'approve', endpoint, expect: keyNamed(name), ...plain, endOld: true } },
  ]),
  { order: { command: 'undo', endpoint } },
  { days: 8 },
  { days: -8 },
];

const settings = settingsOf({ policy: 'tofu' as Policy, handOver: true });
const sealed: Evidence['sealed'] = { rejected: new Set(), until: new Map() };
const groundsOf = ({ record, now }: State) => ({ record, now, settings, sealed, recordVerified: true });
const faults: readonly Fault[] = ['unknown-issuer'];

function met(state: State, name: Name): State {
  const signer = signerOf[name];
  const examined = {
    ...examinedAs({ faults, sha256: sha256Named(name) }),
    ...(signer === undefined ? {} : { handedOverBy: [keyNamed(signer)] }),
  };
  const evidence = evidenceOf({ ...groundsOf(state), spki: keyNamed(name), examined });
  const verdict = judge(evidence);
  const record = learn(evidence, verdict)?.record ?? state.record;
  if (!verdict.accept) return { ...state, record };
  if (state.rejected.has(name)) throw new Error(`${name} was rejected and accepted`);
  const licensed = new Map(state.licensed);
  if (verdict.basis === 'first-use') licensed.set(name, null);
  else if (verdict.handedOverBy !== undefined) {
    const parent = called(verdict.handedOverBy);
    if (!licensed.has(parent)) throw new Error(`${parent} handed over and was not trusted`);
    if (parent !== signer) throw new Error(`${parent} handed over to ${name} without signing it`);
    licensed.set(name, parent);
  } else if (!licensed.has(name)) throw new Error(`${name} was accepted and nobody allowed it`);
  return { ...state, record, licensed };
}

/** Null when it was refused. `undo` is checked by what it leaves alone: keys nobody licensed stay out. */
function order(state: State, command: Command): State | null {
  try {
    const { record, audit } = carryOut(command, { ...groundsOf(state), endpoint, origin: 'cli' });
    if (audit.length === 0) return null;
    const licensed = new Map(state.licensed);
    const rejectedKeys = new Set(record.rejected.map(({ spki }) => called(spki)));
    if (command.command === 'reject') drop(licensed, called(command.expect));
    if (command.command === 'approve') {
      licensed.clear();
      licensed.set(called(command.expect), null);
    }
    if (command.command === 'undo') {
      licensed.clear();
      for (const { spki } of liveKeys({ ...groundsOf(state), record })) licensed.set(called(spki), null);
    }
    return { ...state, record, licensed, rejected: rejectedKeys };
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function drop(licensed: Map<Name, Name | null>, name: Name): void {
  licensed.delete(name);
  for (const [heirName, parent] of Array.from(licensed)) if (parent === name) drop(licensed, heirName);
}

function after(state: State, step: Step): State | null {
  if ('meet' in step) return met(state, step.meet);
  if ('order' in step) return order(state, step.order);
  return { ...state, now: state.now + step.days * day };
}

const nameOfState = ({ record, now, licensed, rejected: gone }: State): string =>
  JSON.stringify([
    record?.basis,
    record?.pins.map(({ spki, parent, until, endedAt, origin }) => [
      spki,
      parent,
      until === null ? null : until - now,
      endedAt !== null,
      origin,
    ]),
    record?.undo === null || record?.undo === undefined
      ? null
      : record.undo.before.pins.map(({ spki, endedAt }) => [spki, endedAt !== null]),
    record?.candidates.map(({ spki }) => spki).toSorted(),
    [...licensed].map((entry) => entry.join()).toSorted(),
    [...gone].toSorted(),
  ]);

describe('every sequence of six events under hand-over', () => {
  it('trusts only who was allowed, and after a rejection none of the heirs', { timeout: 120_000 }, () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const seen = new Set<string>();
    let frontier: readonly { readonly state: State; readonly path: readonly Step[] }[] = [
      { state: { record: null, now: noon, licensed: new Map(), rejected: new Set() }, path: [] },
    ];
    let hops = 0;
    try {
      for (let depth = 0; depth < 6; depth += 1) {
        frontier = frontier.flatMap(({ state, path }) =>
          steps.flatMap((step) => {
            const following = tried(state, step, path);
            if (following === null || seen.has(nameOfState(following))) return [];
            seen.add(nameOfState(following));
            hops = Math.max(
              hops,
              following.record?.pins.filter(({ parent }) => parent !== undefined).length ?? 0,
            );
            return [{ state: following, path: [...path, step] }];
          }),
        );
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    expect(seen.size).toBeGreaterThan(1_000);
    expect(hops).toBe(2);
  });
});

function tried(state: State, step: Step, path: readonly Step[]): State | null {
  try {
    return after(state, step);
  } catch (error) {
    throw new Error(`${String(error)}\n${[...path, step].map((one) => JSON.stringify(one)).join('\n')}`, {
      cause: error,
    });
  }
}
