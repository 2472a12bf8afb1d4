// `undo`: the last command of an endpoint is taken back, once. Time and sessions are not: what has ended stays
// ended, what was learnt since does not stay trusted, and an endpoint somebody used does not become unseen. Pure.

import { CommandError } from '../errors.ts';
import { trustedLines } from './answer.ts';
import { withCandidate } from './candidates.ts';
import { expectationsMet, withExpected } from './expected.ts';
import { told, type CommandOf, type Outcome, type Situation } from './command.ts';
import type { Basis, Candidate, EndpointRecord, Expectation, Pin, UndoPoint } from './record.ts';

/** @throws CommandError `not-found` when there is no command to take back */
export function undo(command: CommandOf<'undo'>, situation: Situation): Outcome {
  const { record } = situation;
  if (record === null || record.undo === null) {
    throw new CommandError('not-found', `there is no command on ${command.endpoint} to undo`, {
      hint: 'Only the last command can be undone, once. A first use is rejected or forgotten instead.',
    });
  }
  const restored = record.undo.before.pins.map((pin) => restoredPin(pin, { record, now: situation.now }));
  const met = record.pins.filter((pin) => isMet(pin, record.undo?.before.expected ?? []));
  const { acceptedSince } = record.undo;
  const learnt = record.pins.filter(
    (pin) => isLearnt(pin, { acceptedSince }) && !isAmong(pin, [...restored, ...met]),
  );
  const next: EndpointRecord = {
    ...withExpected(record, stillExpected(record.undo.before.expected ?? [], met)),
    basis: restoredBasis(record.undo),
    ...(record.undo.before.byDane === undefined ? {} : { byDane: true }),
    pins: [
      ...restored,
      ...met.filter((pin) => !isAmong(pin, restored)),
      ...learnt.map((pin) => ({ ...pin, endedAt: pin.endedAt ?? situation.now })),
    ],
    rejected: record.undo.before.rejected,
    candidates: restoredCandidates({ record, before: record.undo.before, restored, learnt }),
    undo: null,
  };
  return {
    record: next,
    audit: [told(situation)('undone', null, record.undo.command)],
    lines: [
      `Undid ${record.undo.command} on ${situation.endpoint}.`,
      ...trustedLines(next, situation),
      ...lostTrust(learnt),
    ],
  };
}

/** Somebody relied on the endpoint since: as "never seen" the next key would be let in. */
const restoredBasis = ({ before, acceptedSince }: UndoPoint): Basis =>
  before.basis === 'none' && acceptedSince ? 'pinned' : before.basis;

function restoredPin(
  pin: Pin,
  { record, now }: { readonly record: EndpointRecord; readonly now: number },
): Pin {
  const current = record.pins.find((other) => other.spki === pin.spki && other.kind === pin.kind);
  const seen = { lastSeen: current?.lastSeen ?? pin.lastSeen, evidence: current?.evidence ?? pin.evidence };
  const end = endPassed(pin, now) ?? (current === undefined ? null : endPassed(current, now));
  return { ...pin, ...seen, endedAt: pin.endedAt ?? end };
}

/** When the pin came to its end by time, not by a command; null when it has not. */
function endPassed({ until, endedAt }: Pin, now: number): number | null {
  if (until === null) return null;
  if (endedAt !== null) return endedAt >= until ? endedAt : null;
  return until <= now ? now : null;
}

const isAmong = (pin: Pin, pins: readonly Pin[]): boolean =>
  pins.some((other) => other.spki === pin.spki && other.kind === pin.kind);

/** By a first use, by a key that handed over, or because a certificate that was expected showed its key. */
const isLearnt = ({ origin, parent }: Pin, { acceptedSince }: Pick<UndoPoint, 'acceptedSince'>): boolean =>
  origin === 'first-use' || parent !== undefined || (origin === 'imported' && acceptedSince);

/** What was expected before the command and is a pin since: it was not the command that made it one. */
const isMet = (pin: Pin, expected: readonly Expectation[]): boolean =>
  pin.origin === 'imported' && pin.endedAt === null && expectationsOf(pin, expected).length > 0;

const expectationsOf = ({ spki, evidence }: Pin, expected: readonly Expectation[]): readonly Expectation[] =>
  evidence === null ? [] : expectationsMet(expected, { ...evidence, spki });

const stillExpected = (expected: readonly Expectation[], met: readonly Pin[]): readonly Expectation[] =>
  expected.filter((one) => !met.some((pin) => expectationsOf(pin, [one]).length > 0));

function restoredCandidates(parts: {
  readonly record: EndpointRecord;
  readonly before: UndoPoint['before'];
  readonly restored: readonly Pin[];
  readonly learnt: readonly Pin[];
}): readonly Candidate[] {
  const trusted = new Set(parts.restored.filter((pin) => pin.endedAt === null).map((pin) => pin.spki));
  const rejected = new Set(parts.before.rejected.map((rejection) => rejection.spki));
  const since = [...parts.record.candidates, ...parts.learnt.flatMap(asCandidate)].filter(
    ({ spki }) => !trusted.has(spki) && !rejected.has(spki),
  );
  return since.reduce(
    (list, candidate) =>
      list.some(({ spki }) => spki === candidate.spki) ? list : withCandidate(list, candidate),
    parts.before.candidates,
  );
}

function asCandidate({ spki, kind, firstSeen, lastSeen, evidence }: Pin): readonly Candidate[] {
  // What was kept of an anchor is a certificate below it: no evidence of the anchor's own key.
  if (evidence === null || kind === 'anchor') return [];
  return [
    { spki, firstSeen, lastSeen: lastSeen ?? firstSeen, seenCount: 1, reason: 'pin-mismatch', evidence },
  ];
}

const lostTrust = (learnt: readonly Pin[]): readonly string[] =>
  learnt.map(
    (pin) =>
      `${pin.spki} was learnt since: it is not trusted any more${pin.kind === 'anchor' ? '' : ' and waits as a candidate'}.`,
  );
