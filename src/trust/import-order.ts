// An import: what other programs or a backup say of one endpoint, planned as a whole before any of it is stored.
// What would add trust beside keys that are trusted already, or trust a rejected key, is said and not done unless
// asked for. Pure.

import { basisBeside } from './add.ts';
import { dateOf, trustedLines, untilText } from './answer.ts';
import { withoutCandidate } from './candidates.ts';
import { told, undoPoint, type Outcome, type Situation } from './command.ts';
import {
  expectationsMet,
  expectationText,
  isSameExpectation,
  liveExpectations,
  withExpected,
  type Expected,
  type ShownLeaf,
} from './expected.ts';
import { noticeExpiry } from './expiry.ts';
import { evidenceOf } from './known-key.ts';
import { emptyRecord, type EndpointRecord, type Pin } from './record.ts';
import { planRestore } from './restore.ts';
import { isRejected, liveKeys, standingOf } from './standing.ts';

/** What is taken over: a key, the hash of a certificate or key, or the whole record of a backup. */
export type ImportEntry =
  | { readonly kind: 'pin'; readonly spki: string; readonly until: number | null }
  | ({ readonly kind: 'expectation'; readonly until: number | null } & Expected)
  | { readonly kind: 'record'; readonly record: EndpointRecord };

export interface ImportOrder {
  /** Canonical endpoint name. */
  readonly endpoint: string;
  /** A record stands alone. */
  readonly entries: readonly ImportEntry[];
  /** Where keys are trusted already, the imported ones come beside them. */
  readonly keep: boolean;
  /** Rejected keys, `sha256//…`, that are to be trusted all the same. */
  readonly unreject: readonly string[];
}

/** `conflict` and `rejected` keep the whole import from being applied. */
export interface ImportItem {
  readonly does: 'pin' | 'expect' | 'restore' | 'nothing' | 'conflict' | 'rejected';
  readonly text: string;
}

export interface ImportPlan {
  readonly endpoint: string;
  /** One for each entry, in their order. */
  readonly items: readonly ImportItem[];
  /** Null when something stands in the way. */
  readonly outcome: Outcome | null;
}

/** More in one record would be no list of keys of one server. */
const maxExpectations = 64;

export const isBlocked = ({ does }: ImportItem): boolean => does === 'conflict' || does === 'rejected';

/** What the import comes to for one endpoint. Never throws. */
export function planImport(order: ImportOrder, given: Situation): ImportPlan {
  const noticed = given.record === null ? null : noticeExpiry(given.record, given.now);
  const situation = { ...given, record: noticed?.record ?? given.record };
  const [entry, ...others] = order.entries;
  const steps =
    entry?.kind === 'record' && others.length === 0
      ? [planRestore(entry.record, { order, situation })]
      : order.entries.reduce<readonly Step[]>(
          (done, next) => [...done, stepFor(next, { order, situation, done })],
          [],
        );
  const items = steps.map(({ item }) => item);
  const outcome = items.some(isBlocked) ? null : outcomeOf(steps, situation);
  const audit =
    outcome === null || outcome.audit.length === 0 ? [] : [...(noticed?.audit ?? []), ...outcome.audit];
  const epoch = (given.record?.epoch ?? 0) + (audit.length === 0 ? 0 : 1);
  return {
    endpoint: order.endpoint,
    items,
    outcome: outcome === null ? null : { ...outcome, audit, record: { ...outcome.record, epoch } },
  };
}

/** One entry's part of the plan: the record after it, or the same when it changes nothing. */
export interface Step {
  readonly item: ImportItem;
  readonly record: EndpointRecord;
  readonly audit: Outcome['audit'];
}

interface Scene {
  readonly order: ImportOrder;
  readonly situation: Situation;
  readonly done: readonly Step[];
}

const recordBefore = ({ situation, done }: Scene): EndpointRecord =>
  done.at(-1)?.record ?? situation.record ?? emptyRecord(situation.endpoint);

function stepFor(entry: ImportEntry, scene: Scene): Step {
  const record = recordBefore(scene);
  const still = (does: ImportItem['does'], text: string): Step => ({
    item: { does, text },
    record,
    audit: [],
  });
  if (entry.kind === 'record')
    return still('conflict', 'a backup of an endpoint cannot be mixed with other entries');
  if (entry.until !== null && entry.until <= scene.situation.now)
    return still('nothing', `its end, ${dateOf(entry.until)}, has passed`);
  if (entry.kind === 'pin') return stepForPin(entry, scene, still);
  const spki = keyBehind(entry, record);
  return spki === null
    ? stepForExpectation(entry, scene, still)
    : stepForPin({ spki, until: entry.until }, scene, still);
}

type Still = (does: ImportItem['does'], text: string) => Step;

function stepForPin(
  { spki, until }: { readonly spki: string; readonly until: number | null },
  scene: Scene,
  still: Still,
): Step {
  const { order, situation } = scene;
  const record = recordBefore(scene);
  const wasRejected = isRejected(situation, spki);
  const grounds = { ...situation, record, recordVerified: true };
  if (wasRejected && !order.unreject.includes(spki))
    return still('rejected', `${spki} was rejected here; --unreject ${spki} takes it all the same`);
  if (liveKeys(grounds).some((pin) => pin.spki === spki && pin.kind === 'leaf'))
    return still('nothing', `${spki} is trusted already`);
  if (isKnown(scene)) return still('conflict', `${spki} would be trusted ${beside(situation)}`);
  const tell = told(situation);
  const pin = importedPin(spki, { until, record, situation });
  return {
    item: { does: 'pin', text: `${spki} ${untilText(until)}` },
    record: {
      ...record,
      basis: basisBeside(record),
      pins: [...record.pins.filter((other) => other.spki !== spki || other.kind !== 'leaf'), pin],
      rejected: record.rejected.filter((rejection) => rejection.spki !== spki),
      candidates: withoutCandidate(record.candidates, spki),
    },
    audit: [
      ...(wasRejected ? [tell('unrejected', spki, 'imported')] : []),
      tell('imported', spki, untilText(until)),
    ],
  };
}

function importedPin(
  spki: string,
  { until, record, situation }: { until: number | null; record: EndpointRecord; situation: Situation },
): Pin {
  const known = record.pins.find((pin) => pin.spki === spki && pin.kind === 'leaf');
  return {
    spki,
    kind: 'leaf',
    origin: 'imported',
    firstSeen: known?.firstSeen ?? situation.now,
    lastSeen: known?.lastSeen ?? null,
    until,
    endedAt: null,
    evidence: evidenceOf({ ...situation, record }, spki),
  };
}

function stepForExpectation(
  entry: Extract<ImportEntry, { kind: 'expectation' }>,
  scene: Scene,
  still: Still,
): Step {
  const { situation } = scene;
  const record = recordBefore(scene);
  const { of, algorithm, digest, until } = entry;
  const expected = record.expected ?? [];
  const text = expectationText(entry);
  if (expected.some((one) => isSameExpectation(one, entry)))
    return still('nothing', `${text} is expected already`);
  if (isKnown(scene)) return still('conflict', `${text} would be trusted ${beside(situation)}`);
  if (expected.length >= maxExpectations)
    return still('conflict', `more than ${maxExpectations} expected certificates of one endpoint`);
  const one = { of, algorithm, digest, importedAt: situation.now, until };
  return {
    item: { does: 'expect', text: `${text} ${untilText(until)}` },
    record: withExpected({ ...record, basis: basisBeside(record) }, [...expected, one]),
    audit: [told(situation)('imported', null, `${text} is expected`)],
  };
}

/** Something decides for this endpoint already, and the operator has not said that more may come beside it. */
function isKnown({ order, situation }: Scene): boolean {
  return !order.keep && standingOf({ ...situation, recordVerified: true }, '').column !== 'none';
}

/** For people: what a new key would stand beside. */
function beside(situation: Situation): string {
  const grounds = { ...situation, recordVerified: true };
  const others = liveKeys(grounds).map(({ spki }) => spki);
  const expected = liveExpectations(situation.record, situation.now).map(expectationText);
  const named = [...others, ...expected];
  if (named.length > 0)
    return `beside ${named.slice(0, 3).join(', ')}${named.length > 3 ? ' and others' : ''}`;
  return standingOf(grounds, '').column === 'ca' ? 'beside the CA' : 'where every pin has ended';
}

/** The key of a certificate this endpoint was seen with, when the hash fits it. */
function keyBehind(entry: Expected, record: EndpointRecord): string | null {
  const seen = [...record.pins, ...record.candidates].flatMap(({ spki, evidence }): readonly ShownLeaf[] =>
    evidence === null ? [] : [{ ...evidence, spki }],
  );
  const leaves = record.lastCa === null ? seen : [...seen, record.lastCa];
  return leaves.find((leaf) => expectationsMet([entry], leaf).length > 0)?.spki ?? null;
}

function outcomeOf(steps: readonly Step[], situation: Situation): Outcome {
  const before = situation.record ?? emptyRecord(situation.endpoint);
  const audit = steps.flatMap((step) => step.audit);
  const record = steps.at(-1)?.record ?? before;
  if (audit.length === 0) return { record, audit, lines: [] };
  const next = { ...record, undo: undoPoint(before, 'import', situation.now) };
  return { record: next, audit, lines: trustedLines(next, situation) };
}
