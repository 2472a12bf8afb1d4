// The audit log as it lies in the database: reading it in order, checking its chain, folding its old end.

import {
  chainStart,
  foldable,
  follows,
  parseAuditRow,
  type AuditRow,
  type Checkpoint,
  type Retention,
} from './audit.ts';
import { encode } from './codec.ts';
import { keys, range, type Database, type Operation } from './database.ts';

const foldedAtOnce = 256;

/** Entries after `sequence`, oldest first; one that cannot be read is left out (verify tells of it). */
export async function* readAudit(database: Database, sequence: number): AsyncGenerator<AuditRow> {
  for await (const text of database.values({ ...range('audit'), gt: keys.audit(sequence) })) {
    const row = parseAuditRow(text);
    if (row !== null) yield row;
  }
}

/** What a turn adds to its batch to fold entries that are too old or too many; empty when there are none. */
export async function foldOperations(
  database: Database,
  checkpoint: Checkpoint,
  limits: { readonly retention: Retention; readonly last: number; readonly now: number },
): Promise<{ readonly checkpoint: Checkpoint; readonly operations: readonly Operation[] }> {
  const oldest: AuditRow[] = [];
  for await (const row of readAudit(database, checkpoint.sequence)) {
    oldest.push(row);
    if (oldest.length === foldedAtOnce) break;
  }
  const folded = oldest.slice(0, foldable(checkpoint, oldest, limits));
  const last = folded.at(-1);
  if (last === undefined) return { checkpoint, operations: [] };
  const moved = { sequence: last.sequence, hash: last.hash };
  const operations: Operation[] = folded.map((row) => ({ type: 'del', key: keys.audit(row.sequence) }));
  operations.push({ type: 'put', key: keys.checkpoint, value: encode(keys.checkpoint, moved) });
  return { checkpoint: moved, operations };
}

export interface AuditReport {
  readonly entries: number;
  /** Entries folded into the checkpoint. */
  readonly folded: number;
  /** The first place where the chain does not hold; null when it holds to its end. */
  readonly problem: string | null;
}

/** Follows the chain from the checkpoint to `end`; null for `end` when the head cannot tell. */
export async function verifyAudit(
  database: Database,
  checkpoint: Checkpoint,
  end: Checkpoint | null,
): Promise<AuditReport> {
  let before = checkpoint;
  let entries = 0;
  let problem: string | null = null;
  for await (const [key, text] of database.iterator(range('audit'))) {
    const row = parseAuditRow(text);
    const holds = row !== null && key === keys.audit(row.sequence) && follows(before, row);
    if (!holds) problem ??= `the audit chain does not hold after entry ${before.sequence}`;
    else if (problem === null) before = row;
    entries += 1;
  }
  if (problem === null && end !== null && (before.sequence !== end.sequence || before.hash !== end.hash)) {
    problem = `the audit log ends at entry ${before.sequence}, not at ${end.sequence}`;
  }
  return { entries, folded: checkpoint.sequence - chainStart.sequence, problem };
}
