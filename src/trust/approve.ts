// `approve`: an operator vouches for a key by its full fingerprint. What would still be refused afterwards is
// not stored, and what could end other keys by surprise is asked back first. Pure.

import { CommandError } from '../errors.ts';
import { dateOf, trustedLines } from './answer.ts';
import { withoutCandidate } from './candidates.ts';
import { told, undoPoint, type CommandOf, type Outcome, type Situation } from './command.ts';
import { commandTarget, type PinTarget } from './continuity.ts';
import { withExpected } from './expected.ts';
import { knownKey, type KnownKey } from './known-key.ts';
import { judge } from './policy.ts';
import { emptyRecord, type EndpointRecord, type Expectation, type Pin } from './record.ts';
import { retired, retirementMs } from './retirement.ts';
import { recalled } from './seen.ts';
import { isOver, isRejected, standingOf, type Standing } from './standing.ts';
import type { Evidence } from './evidence.ts';
import type { RefusalReason } from '../errors.ts';

type Approve = CommandOf<'approve'>;

/** @throws CommandError `not-found`, `usage` when a decision is missing, `refused` when it would not help */
export function approve(command: Approve, situation: Situation): Outcome {
  const key = knownKey(situation, command.expect);
  const target = commandTarget(key.spki, key.evidence, situation.settings);
  const standing = standingOf({ ...situation, recordVerified: true }, key.spki);
  const scene: Scene = {
    command,
    situation,
    key,
    target,
    standing,
    exception: isException(command, { situation, standing }),
  };
  checkRejection(scene);
  if (command.as === 'ca') checkAsCa(scene);
  else checkDecision(scene);
  const outcome = command.as === 'ca' ? approveAsCa(scene) : approvePin(scene);
  return { ...outcome, lines: [...outcome.lines, ...evaluation(scene, outcome.record)] };
}

const isTarget = (pin: Pin, { spki, kind }: PinTarget): boolean => pin.spki === spki && pin.kind === kind;

interface Scene {
  readonly command: Approve;
  readonly situation: Situation;
  readonly key: KnownKey;
  /** What is pinned: the key itself or, under continuity: anchor, the anchor it was last vouched for by. */
  readonly target: PinTarget;
  readonly standing: Standing;
  /** The CA decides for this endpoint and goes on deciding; the approval stands beside it. */
  readonly exception: boolean;
}

const isException = (
  command: Approve,
  { situation, standing }: { readonly situation: Situation; readonly standing: Standing },
): boolean => situation.settings.policy === 'auto' && standing.column === 'ca' && command.as !== 'pin';

const isPlain = ({ forMs, as, keep, endOld }: Approve): boolean =>
  forMs === null && as === null && !keep && !endOld;

function checkRejection({ command, standing }: Scene): void {
  if (!standing.rejected || command.unreject) return;
  throw new CommandError('usage', 'this key was rejected here', {
    hint: 'If that was a mistake, say so with --unreject.',
  });
}

function checkDecision(scene: Scene): void {
  const { command, situation, exception, standing } = scene;
  if (command.keep && command.endOld)
    throw new CommandError('usage', '--keep and --end-old exclude each other');
  if (!isPlain(command) || exception) return;
  if (situation.settings.policy === 'auto' && standing.column !== 'none' && isCaValidNow(scene)) {
    throw new CommandError('usage', 'a trusted CA vouches for this key: say what shall decide from now on', {
      hint: decisionHint(situation),
    });
  }
  if (!standing.rejected && hasEndedPin(scene)) {
    throw new CommandError(
      'usage',
      'the pin of this key has ended; most likely the server uses several keys',
      {
        hint: 'Choose: --keep (the other keys stay), --end-old (they end now), --for TIME (this key for a while), --as pin (this key now, the others for 7 more days).',
      },
    );
  }
}

const decisionHint = ({ settings }: Situation): string => {
  const pins = '--as pin (this key is pinned), --for TIME, --keep, --end-old';
  return settings.configPins.length > 0
    ? `Choose: ${pins}. The pins: line of the configuration keeps the CA from deciding.`
    : `Choose: --as ca (the server moved to a CA: the CA decides, pins end), ${pins}.`;
};

function isCaValidNow({ key, situation }: Scene): boolean {
  const { evidence } = key;
  if (evidence === null || !evidence.caValid) return false;
  return evidence.notBefore <= situation.now && situation.now <= evidence.notAfter;
}

function hasEndedPin({ target, situation }: Scene): boolean {
  const own = situation.record?.pins.find((pin) => isTarget(pin, target));
  return own !== undefined && isOver(own, situation);
}

function checkAsCa(scene: Scene): void {
  const { command, situation, key } = scene;
  if (situation.settings.policy !== 'auto' && situation.settings.policy !== 'ca') {
    throw new CommandError('usage', `--as ca has no meaning under trust: ${situation.settings.policy}`, {
      hint: 'It works under trust: auto and trust: ca.',
    });
  }
  if (situation.settings.configPins.length > 0) {
    throw new CommandError('usage', 'the configuration pins keys of this endpoint, so the CA cannot decide', {
      hint: 'Remove the pins: line of this endpoint from the configuration first.',
    });
  }
  if (command.forMs !== null || command.keep || command.endOld) {
    throw new CommandError('usage', '--as ca ends every pin: --for, --keep and --end-old do not go with it');
  }
  if (key.evidence === null) {
    throw new CommandError('usage', 'this key was never seen with a certificate, so no CA vouches for it', {
      hint: 'Let the server show it once, or use --as pin.',
    });
  }
}

function approveAsCa({ command, situation, key, standing }: Scene): Outcome {
  const record = situation.record ?? emptyRecord(situation.endpoint);
  const ended = record.pins.filter((pin) => pin.endedAt === null);
  const next: EndpointRecord = {
    ...withExpected(record, []),
    basis: 'ca',
    pins: record.pins.map((pin) => (pin.endedAt === null ? { ...pin, endedAt: situation.now } : pin)),
    ...released(record, key.spki),
    undo: undoPoint(record, command.command, situation.now),
  };
  const tell = told(situation);
  const audit = [
    ...(standing.rejected ? [tell('unrejected', key.spki, 'approved')] : []),
    tell('approved', key.spki, 'as CA-verified: from now on the CA decides'),
    ...ended.map((pin) => tell('retired', pin.spki, 'ended: the CA decides')),
  ];
  const line = `${situation.endpoint} is CA-verified from now on; its pins have ended.`;
  return { record: next, audit, lines: [line, ...trustedLines(next, situation)] };
}

function approvePin(scene: Scene): Outcome {
  const { command, situation, key, target, standing, exception } = scene;
  const record = situation.record ?? emptyRecord(situation.endpoint);
  const pin = approvedPin(scene, record);
  const others = record.pins.filter((other) => !isTarget(other, target)).map((other) => after(other, scene));
  const next: EndpointRecord = {
    ...withExpected(record, expectedAfter(record, scene)),
    basis: exception ? 'ca' : 'pinned',
    pins: [...others, pin],
    ...released(record, key.spki),
    undo: undoPoint(record, command.command, situation.now),
  };
  const tell = told(situation);
  const audit = [
    ...(standing.rejected ? [tell('unrejected', key.spki, 'approved')] : []),
    tell(
      'approved',
      target.spki,
      exception ? 'beside the CA' : pin.until === null ? 'without an end' : `until ${dateOf(pin.until)}`,
    ),
    ...others
      .filter((other) => !record.pins.includes(other))
      .map((other) => tell('retired', other.spki, endText(other))),
  ];
  return {
    record: next,
    audit,
    lines: [...approvedLines(scene, pin), ...trustedLines(next, situation), ...configNotice(scene)],
  };
}

const endText = (pin: Pin): string =>
  pin.endedAt === null && pin.until !== null ? `until ${dateOf(pin.until)}` : 'ended';

function approvedPin({ command, situation, key, target, exception }: Scene, record: EndpointRecord): Pin {
  const forMs = command.forMs ?? (exception ? retirementMs : null);
  const pin = record.pins.find((known) => isTarget(known, target));
  const seen = pin ?? record.candidates.find((known) => known.spki === key.spki);
  return {
    ...target,
    origin: 'approved',
    firstSeen: seen?.firstSeen ?? situation.now,
    lastSeen: seen?.lastSeen ?? null,
    until: forMs === null ? null : situation.now + forMs,
    endedAt: null,
    evidence: key.evidence,
  };
}

/** What becomes of another pin: the earlier of its own end and 7 days from now, unless the operator said otherwise. */
function after(pin: Pin, { command, situation, exception }: Scene): Pin {
  if (pin.origin === 'config' || isOver(pin, situation) || isRejected(situation, pin.spki)) return pin;
  if (command.endOld) return { ...pin, endedAt: situation.now };
  if (command.keep || command.forMs !== null || exception) return pin;
  return retired(pin, situation.now);
}

/** A certificate somebody else expected is one more key beside the approved one, and ends like one. */
function expectedAfter(record: EndpointRecord, scene: Scene): readonly Expectation[] {
  const { command, situation, exception } = scene;
  const expected = record.expected ?? [];
  if (command.endOld) return [];
  if (command.keep || command.forMs !== null || exception) return expected;
  const until = situation.now + retirementMs;
  return expected.map((one) => (one.until !== null && one.until <= until ? one : { ...one, until }));
}

const released = (record: EndpointRecord, spki: string): Pick<EndpointRecord, 'rejected' | 'candidates'> => ({
  rejected: record.rejected.filter((rejection) => rejection.spki !== spki),
  candidates: withoutCandidate(record.candidates, spki),
});

function approvedLines({ situation, key, exception }: Scene, pin: Pin): readonly string[] {
  const end = pin.until === null ? '' : ` until ${dateOf(pin.until)}`;
  const beside = exception ? ', as an exception beside the CA' : '';
  const anchor = pin.kind === 'anchor' ? `, the anchor of ${key.spki},` : '';
  return [`Approved ${pin.spki}${anchor} for ${situation.endpoint}${end}${beside}.`];
}

function configNotice({ command, situation, key }: Scene): readonly string[] {
  const others = situation.settings.configPins.filter((spki) => spki !== key.spki);
  const retires = !command.keep && command.forMs === null;
  if (others.length === 0 || !retires) return [];
  return [
    `Pins of the configuration do not end this way: to end ${others.join(', ')}, change the pins: line of this endpoint.`,
  ];
}

/** Judges the key as it was last seen under the new record. @throws CommandError `refused` */
function evaluation({ situation, key }: Scene, record: EndpointRecord): readonly string[] {
  if (key.evidence === null) return ['Not evaluated: this key has not been seen with a certificate yet.'];
  const grounds = { ...situation, record, recordVerified: true, sealed: nothingSealed };
  const verdict = judge(
    recalled(grounds, { endpoint: situation.endpoint, spki: key.spki, evidence: key.evidence }),
  );
  if (verdict.accept) return [];
  throw new CommandError('refused', `this would not help, and nothing was stored: ${verdict.why}`, {
    code: verdict.reason,
    hint: settingToChange(verdict.reason, situation),
  });
}

// The record that is judged holds all the rejections and ends there will be.
const nothingSealed: Evidence['sealed'] = { rejected: new Set(), until: new Map() };

function settingToChange(reason: RefusalReason, { settings, endpoint }: Situation): string {
  const asIs = `The setting trust: ${settings.policy} of ${endpoint} asks for more than a pin.`;
  if (reason !== 'ca-invalid' && reason !== 'ca-lost') return asIs;
  return `${asIs} Name the CA of this server with caFile:, or choose trust: auto or trust: tofu.`;
}
