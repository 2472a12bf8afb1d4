// `add`: a key is pinned before it was ever seen. It stands beside what is known already: no other pin ends,
// and an endpoint that is CA-verified stays so. Pure.

import { CommandError } from '../errors.ts';
import { dateOf, trustedLines } from './answer.ts';
import { withoutCandidate } from './candidates.ts';
import { told, undoPoint, type CommandOf, type Outcome, type Situation } from './command.ts';
import { commandTarget, pinsAnchors } from './continuity.ts';
import { evidenceOf, findKey, namedSpki } from './known-key.ts';
import { emptyRecord, type EndpointRecord, type Pin } from './record.ts';
import { isRejected } from './standing.ts';

/** @throws CommandError `usage` for what is no key fingerprint, or a rejected key without --unreject */
export function add(command: CommandOf<'add'>, situation: Situation): Outcome {
  const spki = findKey(situation, command.pin)?.spki ?? namedSpki(command.pin);
  const wasRejected = isRejected(situation, spki);
  if (wasRejected && !command.unreject) {
    throw new CommandError('usage', 'this key was rejected here', {
      hint: 'If that was a mistake, say so with --unreject.',
    });
  }
  const record = situation.record ?? emptyRecord(situation.endpoint);
  const pin = addedPin(spki, { command, situation, record });
  const next: EndpointRecord = {
    ...record,
    basis: basisBeside(record),
    pins: [...record.pins.filter((other) => other.spki !== pin.spki || other.kind !== pin.kind), pin],
    rejected: record.rejected.filter((rejection) => rejection.spki !== spki),
    candidates: withoutCandidate(record.candidates, spki),
    undo: undoPoint(record, command.command, situation.now),
  };
  const tell = told(situation);
  const end = pin.until === null ? 'without an end' : `until ${dateOf(pin.until)}`;
  return {
    record: next,
    audit: [...(wasRejected ? [tell('unrejected', spki, 'added')] : []), tell('added', pin.spki, end)],
    lines: [
      `Pinned ${pin.spki}${pin.kind === 'anchor' ? ', an anchor,' : ''} for ${situation.endpoint} ${end}.`,
      ...trustedLines(next, situation),
      ...notice(situation),
    ],
  };
}

/** The basis of a record that gets one more key: CA verification, also when only the ratchet remembers it, goes on; all else is decided by pins from here on. */
export const basisBeside = ({ basis, lastCa }: EndpointRecord): EndpointRecord['basis'] =>
  basis === 'ca' || (basis === 'none' && lastCa !== null) ? 'ca' : 'pinned';

function addedPin(
  spki: string,
  { command, situation, record }: { command: CommandOf<'add'>; situation: Situation; record: EndpointRecord },
): Pin {
  const evidence = evidenceOf(situation, spki);
  // Under continuity: anchor a key nobody has seen yet is meant as that of an anchor.
  const unseen = pinsAnchors(situation.settings) && evidence === null;
  const target = unseen
    ? ({ spki, kind: 'anchor' } as const)
    : commandTarget(spki, evidence, situation.settings);
  const known = record.pins.find((pin) => pin.spki === target.spki && pin.kind === target.kind);
  return {
    ...target,
    origin: 'added',
    firstSeen: known?.firstSeen ?? situation.now,
    lastSeen: known?.lastSeen ?? null,
    until: command.forMs === null ? null : situation.now + command.forMs,
    endedAt: null,
    evidence,
  };
}

function notice({ settings }: Situation): readonly string[] {
  if (settings.policy === 'ca') return ['Under trust: ca pins are not looked at.'];
  return settings.policy === 'ca+tofu'
    ? ['Under trust: ca+tofu a pinned key must be CA-verified as well.']
    : [];
}
