// The audit log: every entry carries the hash of itself and the one before, so that none can be altered,
// dropped or slipped in unnoticed. Entries too old or too many are folded into a checkpoint that keeps
// the hash where the chain goes on.

import { hashOf, isCount, isObject } from './codec.ts';
import type { AuditEntry, StoredAuditEntry } from './pin-store.ts';

/** An audit entry as it stands in the database; `generation` is the turn that wrote it. */
export interface AuditRow extends StoredAuditEntry {
  readonly generation: number;
}

/** Where the chain starts: everything up to `sequence` was folded. */
export interface Checkpoint {
  readonly sequence: number;
  readonly hash: string;
}

export const chainStart: Checkpoint = { sequence: 0, hash: hashOf('letterlock audit') };

/** What is kept: 2 years, of these never more than 100 000 entries, and the latest 1 000 whatever their age. */
export interface Retention {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
  /** A clock that runs years ahead for a moment must not take with it who approved which key. */
  readonly minEntries: number;
}

export const auditRetention: Retention = {
  maxAgeMs: 2 * 365.25 * 86_400_000,
  maxEntries: 100_000,
  minEntries: 1000,
};

const hashOfEntry = (
  before: string,
  entry: AuditEntry & { readonly sequence: number; readonly generation: number },
) =>
  hashOf(
    before,
    JSON.stringify([
      entry.sequence,
      entry.generation,
      entry.at,
      entry.endpoint,
      entry.event,
      entry.origin,
      entry.spki,
      entry.detail,
    ]),
  );

/** `entries` chained after `last`. */
export function chain(
  last: Checkpoint,
  entries: readonly AuditEntry[],
  generation: number,
): readonly AuditRow[] {
  let before = last;
  return entries.map(({ at, endpoint, event, origin, spki, detail }) => {
    const numbered = { at, endpoint, event, origin, spki, detail, sequence: before.sequence + 1, generation };
    const row = { ...numbered, hash: hashOfEntry(before.hash, numbered) };
    before = row;
    return row;
  });
}

/** Whether `row` is the one that follows `before`. */
export const follows = (before: Checkpoint, row: AuditRow): boolean =>
  row.sequence === before.sequence + 1 && row.hash === hashOfEntry(before.hash, row);

export function parseAuditRow(text: string): AuditRow | null {
  try {
    const value: unknown = JSON.parse(text);
    return isAuditRow(value) ? value : null;
  } catch {
    return null;
  }
}

const isAuditRow = (value: unknown): value is AuditRow =>
  isObject(value) &&
  isCount(value['sequence']) &&
  isCount(value['generation']) &&
  isCount(value['at']) &&
  typeof value['hash'] === 'string' &&
  typeof value['endpoint'] === 'string';

/** The entry for readers: without what only the store needs. */
export function entryOf({
  at,
  endpoint,
  event,
  origin,
  spki,
  detail,
  sequence,
  hash,
}: AuditRow): StoredAuditEntry {
  return { at, endpoint, event, origin, spki, detail, sequence, hash };
}

/**
 * How many of `oldest` (a run that starts right after the checkpoint) are to be folded. Stops at the
 * first one that does not chain: a broken chain is evidence and stays.
 */
export function foldable(
  checkpoint: Checkpoint,
  oldest: readonly AuditRow[],
  limits: { readonly retention: Retention; readonly last: number; readonly now: number },
): number {
  let before = checkpoint;
  let count = 0;
  for (const row of oldest) {
    const { maxAgeMs, maxEntries, minEntries } = limits.retention;
    const younger = limits.last - row.sequence;
    const surplus = younger >= maxEntries;
    const outdated = limits.now - row.at > maxAgeMs && younger >= minEntries;
    if ((!surplus && !outdated) || !follows(before, row)) break;
    before = row;
    count += 1;
  }
  return count;
}
