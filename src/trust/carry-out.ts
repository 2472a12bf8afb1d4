// Carries out an operator's command on a record: ends that have passed are written down first, then the command
// does its part, and the epoch moves. Pure; a command that throws has changed nothing.

import { CommandError } from '../errors.ts';
import { add } from './add.ts';
import { approve } from './approve.ts';
import type { Command, Outcome, Situation } from './command.ts';
import { noticeExpiry } from './expiry.ts';
import { undo } from './undo.ts';
import { forget, reject } from './withdraw.ts';

/** @throws CommandError `usage`, `refused`, `not-found` as each command says */
export function carryOut(command: Command, situation: Situation): Outcome {
  if ('forMs' in command) checkDuration(command.forMs);
  const noticed = situation.record === null ? null : noticeExpiry(situation.record, situation.now);
  const outcome = transition(command, { ...situation, record: noticed?.record ?? situation.record });
  const audit = [...(noticed?.audit ?? []), ...outcome.audit];
  const epoch = (situation.record?.epoch ?? 0) + (audit.length === 0 ? 0 : 1);
  return { ...outcome, audit, record: { ...outcome.record, epoch } };
}

function transition(command: Command, situation: Situation): Outcome {
  switch (command.command) {
    case 'approve':
      return approve(command, situation);
    case 'reject':
      return reject(command, situation);
    case 'forget':
      return forget(command, situation);
    case 'undo':
      return undo(command, situation);
    case 'add':
      return add(command, situation);
  }
}

/** A hundred years: longer, and a date can no longer be written. */
const longestMs = 100 * 365 * 86_400_000;

function checkDuration(forMs: number | null): void {
  if (forMs === null || (Number.isFinite(forMs) && forMs > 0 && forMs <= longestMs)) return;
  throw new CommandError('usage', 'a pin counts for a time above zero and up to a hundred years');
}
