// What can be kept of a damaged store, and what must wait for the operator because it cannot be known. Pure:
// it works on what was read. An endpoint whose present record is not sure is held, never first-used unasked.

import type { EndpointRecord, Pin } from '../trust/record.ts';
import { emptyRecord } from '../trust/record.ts';
import type { RecordRow } from './codec.ts';
import type { AuditEntry, PinChangeEvent, SealedKeys } from './pin-store.ts';
import type { Seal } from './seal.ts';
import { sealedKeysOf } from './sealed-keys.ts';
import type { Survey } from './survey.ts';

export type Mending = 'apply' | 'accept-rollback' | 'start-over';

export interface Wreck {
  readonly survey: Survey | null;
  readonly seal: Seal | null;
  /** Endpoints of the configuration and of the audit log. */
  readonly endpoints: Iterable<string>;
}

export interface Mended {
  readonly rows: ReadonlyMap<string, RecordRow>;
  readonly held: ReadonlySet<string>;
  /** Endpoints whose record is kept, with what the seal adds. */
  readonly kept: readonly string[];
  /** Kept, but older than the seal knows them. */
  readonly stale: readonly string[];
  /** Known by name, without a record that could be kept. */
  readonly lost: readonly string[];
}

export function mend(mending: Mending, wreck: Wreck, now: number): Mended {
  const names = namesOf(wreck);
  const over = mending === 'start-over';
  const rows = new Map<string, RecordRow>();
  for (const name of names) {
    const row = over ? startedOver(name, wreck, now) : mendedRow(name, wreck, now);
    if (row !== null) rows.set(name, row);
  }
  const old = wreck.survey?.rows;
  const recorded = names.filter((name) => old?.has(name) === true);
  const stale = recorded.filter((name) => !isCurrent(name, wreck));
  const unsure = over ? names : names.filter((name) => !isCurrent(name, wreck));
  return {
    rows,
    held: new Set([...(wreck.survey?.head?.held ?? []), ...(wreck.seal?.held ?? []), ...unsure]),
    kept: over ? [] : recorded,
    stale: over ? [] : stale,
    lost: names.filter((name) => (over || old?.has(name) !== true) && isKnown(name, wreck)),
  };
}

const namesOf = ({ survey, seal, endpoints }: Wreck): readonly string[] =>
  [
    ...new Set([...(survey?.weights.keys() ?? []), ...(seal?.endpoints.keys() ?? []), ...endpoints]),
  ].toSorted();

/** Somebody wrote a record of it once; a name that only the configuration knows was not lost. */
const isKnown = (name: string, { survey, seal }: Wreck): boolean =>
  survey?.weights.has(name) === true || seal?.endpoints.has(name) === true;

// Only a seal of this very store can vouch that a record is the last one written.
function isCurrent(name: string, { survey, seal }: Wreck): boolean {
  const row = survey?.rows.get(name);
  if (row === undefined || seal === null || survey?.head?.store !== seal.store) return false;
  return row.revision >= (seal.endpoints.get(name)?.revision ?? 1);
}

function mendedRow(endpoint: string, { survey, seal }: Wreck, now: number): RecordRow | null {
  const row = survey?.rows.get(endpoint);
  const sealed = seal?.endpoints.get(endpoint);
  if (sealed === undefined) return row ?? null;
  const before = row?.record ?? null;
  const record = withSealed(before ?? emptyRecord(endpoint), sealed, now);
  if (row !== undefined && (row.record === null ? record.rejected.length === 0 : record === before))
    return row;
  if (row === undefined && record.rejected.length === 0) return null;
  return { endpoint, revision: Math.max(row?.revision ?? 0, sealed.revision) + 1, generation: 0, record };
}

/** `record` with every rejection and every end the seal knows; itself when it has them all. */
function withSealed(record: EndpointRecord, sealed: SealedKeys, now: number): EndpointRecord {
  const own = sealedKeysOf(record);
  const rejected = [...sealed.rejected].filter((spki) => !own.rejected.has(spki));
  const ends = [...sealed.until].filter(([spki, at]) => at < (own.until.get(spki) ?? Infinity));
  const earlier = new Map(ends);
  const moves = record.pins.some(({ spki }) => earlier.has(spki));
  if (rejected.length === 0 && !moves) return record;
  return {
    ...record,
    epoch: record.epoch + 1,
    pins: record.pins.map((pin) => endedBy(pin, earlier.get(pin.spki))),
    rejected: [...record.rejected, ...rejected.map((spki) => ({ spki, at: now }))],
    // What undo would bring back knows nothing of these.
    undo: null,
  };
}

const endedBy = (pin: Pin, at: number | undefined): Pin => (at === undefined ? pin : { ...pin, until: at });

function startedOver(endpoint: string, { survey, seal }: Wreck, now: number): RecordRow | null {
  const row = survey?.rows.get(endpoint);
  const sealed = seal?.endpoints.get(endpoint);
  const known = new Map(row?.record?.rejected.map((rejection) => [rejection.spki, rejection]));
  for (const spki of sealed?.rejected ?? []) if (!known.has(spki)) known.set(spki, { spki, at: now });
  if (known.size === 0) return null;
  const revision = Math.max(row?.revision ?? 0, sealed?.revision ?? 0) + 1;
  return {
    endpoint,
    revision,
    generation: 0,
    record: { ...emptyRecord(endpoint), rejected: [...known.values()] },
  };
}

const events = {
  apply: 'repaired',
  'accept-rollback': 'rollback-accepted',
  'start-over': 'started-over',
} as const satisfies Record<Mending, PinChangeEvent>;

/** Audit entries of a mending: one for the store, written `*`, and one for each endpoint it holds. */
export function auditOfMending(mending: Mending, mended: Mended, now: number): readonly AuditEntry[] {
  const entry = (endpoint: string, detail: string): AuditEntry => ({
    at: now,
    endpoint,
    event: events[mending],
    origin: 'cli',
    spki: null,
    detail,
  });
  const summary = `kept ${mended.kept.length} records, lost ${mended.lost.length}, ${mended.held.size} endpoints wait for approval`;
  return [
    entry('*', summary),
    ...[...mended.held].map((name) => entry(name, 'first use waits for approval')),
  ];
}
