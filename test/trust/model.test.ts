// A brute-force model: every sequence of five events (sessions of a server's two keys and an attacker's key with
// four kinds of certificate, every command, five policies, time passing and a clock set back) from an endpoint
// nobody has seen. Beside the real record stands a small account of what people and rules have allowed, kept
// without looking at the record; after each event the two must agree on what may be accepted. In words:
//
//   1. A rejected key is never accepted.
//   2. A key that is not CA-valid is accepted only if a first use took it or an operator approved or added it,
//      and since then neither its end, a rejection, a promotion, a move to the CA nor `undo` took that back.
//   3. A first use that is not CA-valid happens only where nobody was trusted before, and never with a bad
//      certificate; nothing but `forget` (or taking back the very first grant, unused) makes an endpoint unseen.
//   4. A CA-valid key is accepted as such only by the policies that ask the CA, and by auto only where no pin
//      decides.
//   5. A refusal changes neither pins nor basis; an acceptance changes them only by first use, CA verification
//      or promotion. The trust epoch moves exactly when they change.
//   6. A pin whose end was noticed is never live again unless approved or added anew, whatever the clock says.
//   7. What a command refuses changes nothing, and nothing is undone twice.

import { describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import { carryOut } from '../../src/trust/carry-out.ts';
import type { Command, CommandOf } from '../../src/trust/command.ts';
import {
  policies,
  type Evidence,
  type Examined,
  type Policy,
  type Verdict,
} from '../../src/trust/evidence.ts';
import { learn } from '../../src/trust/learn.ts';
import { judge } from '../../src/trust/policy.ts';
import type { EndpointRecord, Pin, UndoPoint } from '../../src/trust/record.ts';
import { liveKeys } from '../../src/trust/standing.ts';
import { day, endpoint, examinedAs, keyNamed, noon, sha256Named } from './evidence.ts';

const names = ['server', 'second', 'attacker'] as const;
type Name = (typeof names)[number];
const kinds = ['ca', 'self', 'lapsed', 'bad'] as const;
type Kind = (typeof kinds)[number];
const nameOf = new Map(names.map((name) => [keyNamed(name), name]));
const called = (spki: string): Name => nameOf.get(spki) ?? 'attacker';

const shown = (name: Name, kind: Kind): Examined => {
  const sha256 = sha256Named(`${name} ${kind}`);
  switch (kind) {
    case 'ca':
      return dated(examinedAs({ caValid: true, sha256 }));
    case 'self':
      return dated(examinedAs({ sha256 }));
    case 'lapsed':
      return dated(examinedAs({ faults: ['expired'], chainsToAnchor: true, sha256 }));
    case 'bad':
      return dated(examinedAs({ faults: ['self-signed', 'weak-key'], sha256 }));
  }
};
/** In dates at every moment of the model: only what the kind says is wrong shall be wrong. */
const dated = (examined: Examined): Examined => ({
  ...examined,
  chain: examined.chain.map((leaf) => ({
    ...leaf,
    notBefore: new Date(noon - 900 * day).toISOString(),
    notAfter: new Date(noon + 900 * day).toISOString(),
  })),
});
const presented = new Map(
  names.flatMap((name) => kinds.map((kind) => [`${name} ${kind}`, shown(name, kind)])),
);

type Event =
  | { readonly type: 'meet'; readonly name: Name; readonly kind: Kind }
  | { readonly type: 'command'; readonly command: Command }
  | { readonly type: 'policy'; readonly policy: Policy }
  | { readonly type: 'time'; readonly days: number };

const plain = { forMs: null, as: null, keep: false, endOld: false, unreject: false } as const;
const approvals: readonly Partial<CommandOf<'approve'>>[] = [
  {},
  { as: 'ca' },
  { as: 'pin' },
  { forMs: day },
  { keep: true },
  { endOld: true },
  { unreject: true, keep: true },
];
const commandsOn = (name: Name): readonly Command[] => [
  ...approvals.map((part): Command => ({
    command: 'approve',
    endpoint,
    expect: keyNamed(name),
    ...plain,
    ...part,
  })),
  { command: 'reject', endpoint, expect: keyNamed(name) },
  { command: 'add', endpoint, pin: keyNamed(name), forMs: null, unreject: false },
];
const events: readonly Event[] = [
  ...names.flatMap((name) => kinds.map((kind): Event => ({ type: 'meet', name, kind }))),
  ...[
    ...names.flatMap(commandsOn),
    { command: 'forget', endpoint, expect: null, yes: true } as const,
    { command: 'undo', endpoint } as const,
  ].map((ordered): Event => ({ type: 'command', command: ordered })),
  ...policies.map((policy): Event => ({ type: 'policy', policy })),
  { type: 'time', days: 8 },
  { type: 'time', days: -8 },
];

/** What people and rules have allowed, by their own words. */
interface Account {
  /** Keys a first use took or an operator vouched for, and nobody took back. */
  readonly licensed: readonly Name[];
  readonly rejected: readonly Name[];
  /** Keys whose end was noticed. */
  readonly spent: readonly Name[];
  /** Somebody was trusted since the endpoint was unseen. */
  readonly known: boolean;
  /** The same before the last command, for `undo`. */
  readonly before: Omit<Account, 'before'> | null;
}

interface State {
  readonly record: EndpointRecord | null;
  readonly policy: Policy;
  readonly now: number;
  readonly account: Account;
}

const beginning: State = {
  record: null,
  policy: 'auto',
  now: noon,
  account: { licensed: [], rejected: [], spent: [], known: false, before: null },
};

const nothingSealed: Evidence['sealed'] = { rejected: new Set(), until: new Map() };
const groundsOf = ({ record, policy, now }: State) => ({
  record,
  settings: { policy, firstUse: 'accept', configPins: [] } as const,
  now,
  recordVerified: true,
  sealed: nothingSealed,
});
const liveOf = (state: State): readonly Name[] => liveKeys(groundsOf(state)).map(({ spki }) => called(spki));

const adding = (list: readonly Name[], name: Name): readonly Name[] =>
  list.includes(name) ? list : [...list, name];
const removing = (list: readonly Name[], gone: readonly Name[]): readonly Name[] =>
  list.filter((name) => !gone.includes(name));

/** Fails with the rule broken and the way there. */
class Broken extends Error {}
const must = (holds: boolean, rule: string): void => {
  if (!holds) throw new Broken(rule);
};

/** A session or a command sees which ends have passed: those keys are over from then on. */
function noticing({ account, record, now }: State): Account {
  const ended = (record?.pins ?? [])
    .filter((pin) => pin.endedAt === null && pin.until !== null && pin.until <= now)
    .map((pin) => called(pin.spki));
  if (ended.length === 0) return account;
  return {
    ...account,
    licensed: removing(account.licensed, ended),
    spent: ended.reduce(adding, account.spent),
  };
}

function meet(state: State, { name, kind }: { readonly name: Name; readonly kind: Kind }): State {
  const evidence: Evidence = {
    ...groundsOf(state),
    endpoint,
    spki: keyNamed(name),
    resumed: false,
    profile: 'modern',
    examined: presented.get(`${name} ${kind}`) ?? null,
    anchors: 1,
    store: 'good',
  };
  const verdict = judge(evidence);
  const lesson = learn(evidence, verdict);
  const next: State = { ...state, record: lesson?.record ?? state.record };
  const account = noticing(state);
  checkVerdict({ ...state, account }, { name, kind, verdict });
  checkLesson(state, next, { verdict, events: (lesson?.audit ?? []).map(({ event }) => event) });
  return {
    ...next,
    account: accountAfter(account, {
      name,
      verdict,
      promoted: lesson?.audit.some(({ event }) => event === 'promoted') ?? false,
    }),
  };
}

function checkVerdict(
  { account, policy }: State,
  { name, kind, verdict }: { readonly name: Name; readonly kind: Kind; readonly verdict: Verdict },
): void {
  if (!verdict.accept) return;
  must(!account.rejected.includes(name), '1: a rejected key was accepted');
  if (verdict.basis === 'first-use') {
    must(kind !== 'bad', '3: a bad certificate was first-used');
    must(kind === 'ca' || !account.known, '3: an unverified first use where somebody was trusted before');
    must(kind === 'ca' || policy !== 'ca+tofu', '3: an unverified first use under ca+tofu');
    must(policy !== 'ca' && policy !== 'pinned', '3: a first use under a policy that has none');
    must(account.licensed.length === 0, '3: a first use where another key is trusted');
    return;
  }
  if (verdict.basis === 'pin')
    must(account.licensed.includes(name), '2: a key was accepted as pinned that nobody allowed');
  if (verdict.basis === 'ca') {
    must(kind === 'ca', '4: accepted by CA without CA validity');
    must(policy === 'ca' || policy === 'auto', '4: accepted by CA under a policy that does not ask it');
  }
}

function checkLesson(
  before: State,
  after: State,
  { verdict, events: happened }: { readonly verdict: Verdict; readonly events: readonly string[] },
): void {
  const was = liveOf(before);
  const is = liveOf(after);
  const basisMoved = (before.record?.basis ?? 'none') !== (after.record?.basis ?? 'none');
  const pinsMoved = was.join() !== is.join();
  if (!verdict.accept) must(!basisMoved && !pinsMoved, '5: a refusal changed trust');
  const reasons = ['first-use', 'ca-verified', 'promoted'].filter((event) => happened.includes(event));
  if (basisMoved || pinsMoved) must(reasons.length === 1, '5: trust changed without one good reason');
  if (verdict.accept && verdict.basis === 'ca')
    must(
      verdict.column === 'none' || verdict.column === 'ca' || before.policy === 'ca',
      '4: the CA decided where pins do',
    );
  const moved = (after.record?.epoch ?? 0) !== (before.record?.epoch ?? 0);
  must(
    moved === (basisMoved || pinsMoved || happened.includes('expired')),
    '5: the epoch does not follow trust',
  );
}

function accountAfter(
  account: Account,
  { name, verdict, promoted }: { readonly name: Name; readonly verdict: Verdict; readonly promoted: boolean },
): Account {
  if (!verdict.accept) return account;
  const licensed =
    verdict.basis === 'first-use' ? adding(account.licensed, name) : promoted ? [] : account.licensed;
  const before = account.before === null ? null : { ...account.before, known: true };
  return {
    ...account,
    licensed,
    spent: verdict.basis === 'first-use' ? removing(account.spent, [name]) : account.spent,
    known: true,
    before,
  };
}

/** Null when the command was refused. */
function command(state: State, ordered: Command): State | null {
  const { record, settings, now } = groundsOf(state);
  try {
    const outcome = carryOut(ordered, {
      endpoint,
      record,
      settings,
      sealed: nothingSealed,
      now,
      origin: 'cli',
    });
    if (outcome.audit.length === 0) return null;
    const account = accounted(noticing(state), { ordered, state });
    return { ...state, record: outcome.record, account };
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function accounted(
  account: Account,
  { ordered, state }: { readonly ordered: Command; readonly state: State },
): Account {
  const { before: _, ...now } = account;
  switch (ordered.command) {
    case 'approve':
      return { ...approved(now, ordered), before: now };
    case 'add': {
      const name = called(ordered.pin);
      return { ...granted(now, name), before: now };
    }
    case 'reject': {
      const name = called(ordered.expect);
      return {
        ...now,
        licensed: removing(now.licensed, [name]),
        rejected: adding(now.rejected, name),
        before: now,
      };
    }
    case 'forget':
      return { licensed: [], rejected: now.rejected, spent: [], known: false, before: now };
    case 'undo': {
      must(account.before !== null, '7: something was undone twice');
      const was = account.before ?? now;
      // Ended by time means by the end it has now or the one it had: neither comes back.
      const over = was.licensed.filter((name) => hasEnded(state, name));
      const spent = [...now.spent, ...over].reduce(adding, was.spent);
      return { ...was, licensed: removing(was.licensed, spent), spent, before: null };
    }
  }
}

/** Did time end this key's pin, as it stands or as it stood before the last command? */
function hasEnded({ record, now }: State, name: Name): boolean {
  const pins = [...(record?.pins ?? []), ...(record?.undo?.before.pins ?? [])];
  return pins.some((pin) => called(pin.spki) === name && pin.until !== null && pin.until <= now);
}

const granted = (now: Omit<Account, 'before'>, name: Name): Omit<Account, 'before'> => ({
  licensed: adding(now.licensed, name),
  rejected: removing(now.rejected, [name]),
  spent: removing(now.spent, [name]),
  known: true,
});

function approved(now: Omit<Account, 'before'>, ordered: CommandOf<'approve'>): Omit<Account, 'before'> {
  const name = called(ordered.expect);
  const after = granted(now, name);
  if (ordered.as === 'ca') return { ...after, licensed: [] };
  return ordered.endOld ? { ...after, licensed: [name] } : after;
}

function step(state: State, event: Event): State | null {
  switch (event.type) {
    case 'meet':
      return meet(state, event);
    case 'command':
      return command(state, event.command);
    case 'policy':
      return state.policy === event.policy ? null : { ...state, policy: event.policy };
    case 'time':
      return { ...state, now: state.now + event.days * day };
  }
}

/** What must hold of every state, whichever way it was reached. */
function checkState(state: State): void {
  const { account, record } = state;
  const live = liveOf(state);
  must(
    live.every((name) => account.licensed.includes(name)),
    '2: a pin is live that nobody allowed',
  );
  must(!live.some((name) => account.rejected.includes(name)), '1: a rejected key is a live pin');
  must(!live.some((name) => account.spent.includes(name)), '6: a pin that had ended is live again');
  const unseen = record === null || (record.basis === 'none' && record.lastCa === null);
  must(!unseen || !account.known, '3: an endpoint that was trusted counts as unseen');
}

/** Ways to rename the keys. No rule knows one key from another, so states that differ in names only are one. */
const renamings: readonly ReadonlyMap<Name, string>[] = ['012', '021', '102', '120', '201', '210'].map(
  (order) => new Map(names.map((name, at) => [name, order[at] ?? ''])),
);

/**
 * One string for all states that cannot differ in what follows: names, order, certificates that are equally good,
 * and moments other than those to an end make no difference to any rule.
 */
function canonical({ record, policy, now, account: { before, ...account } }: State): string {
  const forms = renamings.map((renaming) => {
    const as: Renaming = (name) => renaming.get(name) ?? '';
    const accounts = [accountShape(account, as), before === null ? null : accountShape(before, as)];
    return JSON.stringify([record === null ? null : shape(record, { now, as }), policy, accounts]);
  });
  return forms.reduce((least, form) => (form < least ? form : least));
}

type Renaming = (name: Name) => string;
interface View {
  readonly now: number;
  readonly as: Renaming;
}

const accountShape = (
  { licensed, rejected, spent, known }: Omit<Account, 'before'>,
  as: Renaming,
): unknown => [licensed.map(as).toSorted(), rejected.map(as).toSorted(), spent.map(as).toSorted(), known];
const shape = (record: EndpointRecord, view: View): unknown => [
  ...trustShape(record, view),
  record.lastCa === null ? null : view.as(called(record.lastCa.spki)),
  record.undo === null ? null : [record.undo.acceptedSince, ...trustShape(record.undo.before, view)],
];
const trustShape = (
  { basis, pins, rejected, candidates }: UndoPoint['before'],
  view: View,
): readonly unknown[] => [
  basis,
  pins.map((pin) => pinShape(pin, view)).toSorted(),
  rejected.map(({ spki }) => view.as(called(spki))).toSorted(),
  candidates.map(({ spki, evidence }) => `${view.as(called(spki))} ${evidence.caValid}`).toSorted(),
];
/** Whether its end was by time (then it is over for good) or by a command matters to `undo`. */
function pinShape({ spki, origin, until, endedAt, evidence }: Pin, { now, as }: View): string {
  const end = until === null ? '' : (until - now) / day;
  const ended = endedAt === null ? '' : until !== null && endedAt >= until ? 'over' : 'ended';
  return `${as(called(spki))} ${origin} ${end} ${ended} ${evidence?.caValid}`;
}

function explore(depth: number): { readonly states: number; readonly steps: number } {
  const seen = new Set([canonical(beginning)]);
  let frontier: { readonly state: State; readonly path: readonly Event[] }[] = [
    { state: beginning, path: [] },
  ];
  let steps = 0;
  for (let level = 1; level <= depth; level += 1) {
    const next: typeof frontier = [];
    for (const { state, path } of frontier) {
      for (const event of events) {
        steps += 1;
        const after = stepOrTell(state, event, path);
        // What the last event leads to is checked; nothing grows from it.
        if (after === null || level === depth) continue;
        const name = canonical(after);
        if (seen.has(name)) continue;
        seen.add(name);
        next.push({ state: after, path: [...path, event] });
      }
    }
    frontier = next;
  }
  return { states: seen.size, steps };
}

function stepOrTell(state: State, event: Event, path: readonly Event[]): State | null {
  try {
    const after = step(state, event);
    if (after !== null) checkState(after);
    return after;
  } catch (error) {
    const way = [...path, event].map((one) => JSON.stringify(one)).join('\n  ');
    throw new Error(`${String(error)}\n  ${way}`, { cause: error });
  }
}

describe('every sequence of five events', () => {
  it('keeps the rules', { timeout: 240_000 }, () => {
    const { stackTraceLimit } = Error;
    // A refused command throws; half a million stacks nobody reads would take most of the time.
    Error.stackTraceLimit = 0;
    try {
      const { states, steps } = explore(5);
      expect(states).toBeGreaterThan(5_000);
      expect(steps).toBeGreaterThan(250_000);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  });
});
