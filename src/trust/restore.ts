// A record put back from a backup. Where nothing decides for the endpoint yet it is the record as it was; else
// only what is stricter is taken by itself, and keys come beside the others when that was asked for. A rejection
// wins, whether it stands in the backup, in the record or in the seal. Pure.

import { basisBeside } from './add.ts';
import { withCandidate, withoutCandidate } from './candidates.ts';
import type { AuditEntry } from './change.ts';
import { told, type Situation } from './command.ts';
import { isSameExpectation, liveExpectations, withExpected } from './expected.ts';
import type { ImportItem, ImportOrder, Step } from './import-order.ts';
import { emptyRecord, type EndpointRecord, type Expectation, type Pin, type Rejection } from './record.ts';
import { isOver, liveKeys, standingOf } from './standing.ts';

interface Scene {
  readonly order: ImportOrder;
  readonly situation: Situation;
}

/** The part of the plan for one endpoint of a backup. */
export function planRestore(backup: EndpointRecord, scene: Scene): Step {
  const { situation } = scene;
  const rejected = rejectedAfter(backup, scene);
  const isNew = standingOf({ ...situation, recordVerified: true }, '').column === 'none';
  return isNew ? restoreWhole(backup, { ...scene, rejected }) : restoreBeside(backup, { ...scene, rejected });
}

interface Ground extends Scene {
  readonly rejected: readonly Rejection[];
}

const before = ({ situation }: Scene): EndpointRecord => situation.record ?? emptyRecord(situation.endpoint);

function rejectedAfter(backup: EndpointRecord, scene: Scene): readonly Rejection[] {
  const { order, situation } = scene;
  const sealed = [...situation.sealed.rejected].map((spki) => ({ spki, at: situation.now }));
  const all = [...before(scene).rejected, ...backup.rejected, ...sealed];
  const first = all.filter(({ spki }, at) => all.findIndex((other) => other.spki === spki) === at);
  return first.filter(({ spki }) => !order.unreject.includes(spki));
}

function restoreWhole(backup: EndpointRecord, ground: Ground): Step {
  const { situation, rejected } = ground;
  const record: EndpointRecord = {
    ...withExpected(backup, liveExpectations(backup, situation.now)),
    endpoint: situation.endpoint,
    pins: backup.pins.map((pin) => sealedPin(pin, situation)),
    rejected,
    candidates: candidatesAfter(backup, ground),
    undo: null,
  };
  const live = livePins(record, situation);
  const refused = backup.pins.filter((pin) => rejected.some(({ spki }) => spki === pin.spki));
  const text = [
    basisText(record),
    `${count(live.length, 'key')} trusted`,
    ...(record.expected === undefined ? [] : [`${count(record.expected.length, 'certificate')} expected`]),
    `${rejected.length} rejected`,
    ...refused.map(({ spki }) => `${spki} stays rejected`),
  ].join(', ');
  const audit = [told(situation)('imported', null, `restored: ${text}`), ...rejections(ground, rejected)];
  return { item: { does: 'restore', text }, record, audit };
}

/** The seal may know of an end that the backup is too old for. */
function sealedPin(pin: Pin, { sealed, now }: Situation): Pin {
  const end = sealed.until.get(pin.spki);
  const until = end === undefined ? pin.until : Math.min(end, pin.until ?? end);
  const over = isOver({ ...pin, until }, { now, sealed });
  return { ...pin, until, endedAt: over ? (pin.endedAt ?? now) : null };
}

function candidatesAfter(backup: EndpointRecord, ground: Ground): EndpointRecord['candidates'] {
  const barred = new Set(ground.rejected.map(({ spki }) => spki));
  const known = new Set(backup.candidates.map(({ spki }) => spki));
  const pinned = new Set(livePins(backup, ground.situation).map(({ spki }) => spki));
  const fresh = before(ground).candidates.filter(({ spki }) => !known.has(spki) && !pinned.has(spki));
  return fresh.reduce(withCandidate, backup.candidates).filter(({ spki }) => !barred.has(spki));
}

function restoreBeside(backup: EndpointRecord, ground: Ground): Step {
  const { order, situation, rejected } = ground;
  const record = before(ground);
  const barred = new Set(rejected.map(({ spki }) => spki));
  const trusted = new Set(liveKeys({ ...situation, recordVerified: true }).map(({ spki }) => spki));
  const keys = livePins(backup, situation)
    .map((pin) => sealedPin(pin, situation))
    .filter((pin) => pin.endedAt === null && !barred.has(pin.spki) && !trusted.has(pin.spki));
  const expected = liveExpectations(backup, situation.now).filter(
    (one) => !(record.expected ?? []).some((known) => isSameExpectation(known, one)),
  );
  const adds = keys.length + expected.length > 0;
  if (adds && !order.keep) return { item: conflict(keys, expected), record, audit: [] };
  const ended = record.pins.map((pin) =>
    barred.has(pin.spki) && pin.endedAt === null ? { ...pin, endedAt: situation.now } : pin,
  );
  const next: EndpointRecord = {
    ...record,
    basis: adds ? basisBeside(record) : record.basis,
    pins: [...ended.filter((pin) => !keys.some((key) => isSamePin(key, pin))), ...keys.map(imported)],
    rejected,
    candidates: [...barred, ...keys.map(({ spki }) => spki)].reduce(withoutCandidate, record.candidates),
  };
  const audit = [
    ...keys.map(({ spki }) => told(situation)('imported', spki, 'from a backup, beside the others')),
    ...expected.map(() => told(situation)('imported', null, 'an expected certificate of a backup')),
    ...rejections(ground, rejected),
  ];
  const all = [...(record.expected ?? []), ...expected];
  return { item: besideItem({ keys, expected, audit }), record: withExpected(next, all), audit };
}

const isSamePin = (one: Pin, other: Pin): boolean => one.spki === other.spki && one.kind === other.kind;
const imported = (pin: Pin): Pin => ({ ...pin, origin: 'imported' });

/** One entry for each key whose standing changes: a rejection that is new, or one that is taken back. */
function rejections(ground: Ground, rejected: readonly Rejection[]): readonly AuditEntry[] {
  const known = new Set(before(ground).rejected.map(({ spki }) => spki));
  const tell = told(ground.situation);
  const fresh = rejected.filter(({ spki }) => !known.has(spki));
  const freed = [...known].filter((spki) => !rejected.some((other) => other.spki === spki));
  return [
    ...fresh.map(({ spki }) => tell('rejected', spki, 'from a backup')),
    ...freed.map((spki) => tell('unrejected', spki, 'imported')),
  ];
}

function conflict(keys: readonly Pin[], expected: readonly Expectation[]): ImportItem {
  const what = [...keys.map(({ spki }) => spki), ...(expected.length === 0 ? [] : ['expected certificates'])];
  return { does: 'conflict', text: `the backup would add ${what.join(', ')} to what is trusted already` };
}

function besideItem({
  keys,
  expected,
  audit,
}: {
  readonly keys: readonly Pin[];
  readonly expected: readonly Expectation[];
  readonly audit: readonly AuditEntry[];
}): ImportItem {
  if (audit.length === 0) return { does: 'nothing', text: 'all of the backup is known already' };
  const others = audit.length - keys.length - expected.length;
  const text = `${count(keys.length, 'key')} and ${count(expected.length, 'certificate')} beside what is trusted, ${count(others, 'rejection')} changed`;
  return { does: 'restore', text };
}

/** Keys of `record` that count at `now`, whatever the seal says. */
const livePins = (
  record: EndpointRecord,
  { now, sealed }: Pick<Situation, 'now' | 'sealed'>,
): readonly Pin[] =>
  record.pins.filter(
    (pin) =>
      pin.origin !== 'config' &&
      !isOver(pin, { now, sealed }) &&
      !record.rejected.some(({ spki }) => spki === pin.spki),
  );

const basisText = ({ basis }: EndpointRecord): string =>
  basis === 'ca' ? 'CA-verified' : basis === 'pinned' ? 'pinned' : 'nothing decided';

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
