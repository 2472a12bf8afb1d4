// `reject` and `forget`: trust is taken back. A rejection outlives everything, also `forget`; `forget` alone
// opens an endpoint to a first use again, so it asks for the key it forgets. Pure.

import { CommandError } from '../errors.ts';
import { trustedLines } from './answer.ts';
import { withoutCandidate } from './candidates.ts';
import { told, undoPoint, type CommandOf, type Outcome, type Situation } from './command.ts';
import { withExpected } from './expected.ts';
import { successorsOf } from './hand-over.ts';
import { findKey, knownKey, namedSpki } from './known-key.ts';
import { emptyRecord, type EndpointRecord } from './record.ts';

/** A key nobody has seen yet may be rejected too, by its `sha256//…`. @throws CommandError `usage`, `not-found` */
export function reject(command: CommandOf<'reject'>, situation: Situation): Outcome {
  const record = situation.record ?? emptyRecord(situation.endpoint);
  const spki = findKey(situation, command.expect)?.spki ?? unseenKey(command.expect, situation);
  if (record.rejected.some((rejection) => rejection.spki === spki)) {
    const lines = [
      `${spki} was already rejected for ${situation.endpoint}.`,
      ...trustedLines(record, situation),
    ];
    return { record, audit: [], lines };
  }
  const tell = told(situation);
  const successors = successorsOf(record, spki);
  const ended = new Set([spki, ...successors]);
  const next: EndpointRecord = {
    ...record,
    pins: record.pins.map((pin) =>
      ended.has(pin.spki) && pin.endedAt === null ? { ...pin, endedAt: situation.now } : pin,
    ),
    rejected: [...record.rejected, { spki, at: situation.now }],
    candidates: withoutCandidate(record.candidates, spki),
    undo: undoPoint(record, command.command, situation.now),
  };
  return {
    record: next,
    audit: [
      tell('rejected', spki, 'by an operator'),
      ...successors.map((successor) => tell('retired', successor, `ended: trusted on the word of ${spki}`)),
    ],
    lines: [
      `Rejected ${spki} for ${situation.endpoint}; its sessions are reset.`,
      ...successors.map((successor) => `Ended ${successor}: ${spki} had handed over to it.`),
      ...configNotice(spki, situation),
      ...trustedLines(next, situation),
    ],
  };
}

function unseenKey(expect: string, situation: Situation): string {
  return expect.trim().toLowerCase().startsWith('sha256//')
    ? namedSpki(expect)
    : knownKey(situation, expect).spki;
}

const configNotice = (spki: string, { settings }: Situation): readonly string[] =>
  settings.configPins.includes(spki)
    ? ['The pins: line of this endpoint in the configuration still names it; the rejection wins.']
    : [];

/** Back to "never seen", but for rejections. @throws CommandError `usage` without a key or --yes, `not-found` */
export function forget(command: CommandOf<'forget'>, situation: Situation): Outcome {
  const { record, endpoint, now } = situation;
  if (record === null || isForgotten(record))
    throw new CommandError('not-found', `nothing is remembered of ${endpoint}`);
  if (command.expect !== null) knownKey(situation, command.expect);
  else if (!command.yes) {
    throw new CommandError('usage', `forgetting ${endpoint} lets the next key in unseen`, {
      hint: 'Name the key that is forgotten with --expect PIN, or say --yes.',
    });
  }
  const { byDane: _known, ...kept } = record;
  const next: EndpointRecord = {
    ...withExpected(kept, []),
    basis: 'none',
    pins: [],
    candidates: [],
    lastCa: null,
    undo: undoPoint(record, command.command, now),
  };
  const stillRejected =
    record.rejected.length === 0
      ? []
      : [`Still rejected: ${record.rejected.map((key) => key.spki).join(', ')}.`];
  return {
    record: next,
    audit: [told(situation)('forgotten', null, `basis was ${record.basis}`)],
    lines: [`Forgot ${endpoint}.`, ...trustedLines(next, situation), ...stillRejected],
  };
}

const isForgotten = ({ basis, pins, candidates, lastCa, expected = [] }: EndpointRecord): boolean =>
  basis === 'none' && [...pins, ...candidates, ...expected].length === 0 && lastCa === null;
