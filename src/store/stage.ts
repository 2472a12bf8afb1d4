// What a turn would write: commits are played in order against the records there are, each as a whole or
// not at all. Pure, shared by every store with one writer, so that none has its own idea of a conflict.

import type { RecordRow } from './codec.ts';
import type { AuditEntry, Change, Committed, Conflict, StoredRecord } from './pin-store.ts';
import { storedOf } from './unread-row.ts';

export interface Staged {
  /** One answer for each commit, to be given only when `rows` are durable. */
  readonly answers: readonly (Committed | Conflict)[];
  readonly rows: ReadonlyMap<string, RecordRow>;
  readonly audit: readonly AuditEntry[];
}

/** The changes, sharing nothing with the caller. Throws TypeError for changes no store could carry out. */
export function ownChanges(changes: readonly Change[]): readonly Change[] {
  const seen = new Set<string>();
  for (const { endpoint, expected, record } of changes) {
    if (endpoint === '') throw new TypeError('a change needs an endpoint');
    if (seen.has(endpoint)) throw new TypeError(`two changes of ${endpoint} in one commit`);
    if (!Number.isSafeInteger(expected) || expected < 0)
      throw new TypeError(`revision ${expected} cannot be expected`);
    if (record !== null && record.endpoint !== endpoint) {
      throw new TypeError(`a record of ${record.endpoint} cannot be stored for ${endpoint}`);
    }
    seen.add(endpoint);
  }
  return structuredClone(changes);
}

/** Plays `commits` on `rows`; what they write gets `generation`. */
export function stage(
  rows: ReadonlyMap<string, RecordRow>,
  commits: readonly (readonly Change[])[],
  generation: number,
): Staged {
  const written = new Map<string, RecordRow>();
  const audit: AuditEntry[] = [];
  const current = (endpoint: string) => written.get(endpoint) ?? rows.get(endpoint);
  const answers = commits.map((changes): Committed | Conflict => {
    const moved = changes.filter(({ endpoint, expected }) => (current(endpoint)?.revision ?? 0) !== expected);
    if (moved.length > 0) {
      return {
        committed: false,
        current: moved.map(({ endpoint }) => standing(endpoint, current(endpoint))),
      };
    }
    for (const change of changes) {
      written.set(change.endpoint, rowOf(change, generation));
      audit.push(...change.audit);
    }
    return {
      committed: true,
      revisions: new Map(changes.map((change) => [change.endpoint, change.expected + 1])),
    };
  });
  return { answers, rows: written, audit };
}

const rowOf = ({ endpoint, expected, record }: Change, generation: number): RecordRow => ({
  endpoint,
  revision: expected + 1,
  generation,
  record,
});

const standing = (endpoint: string, row: RecordRow | undefined): StoredRecord =>
  row === undefined ? { endpoint, revision: 0, record: null, verified: true } : storedOf(row);

/** Endpoints still held after these audit entries: an operator's `forget` alone lifts a hold. */
export function stillHeld(held: ReadonlySet<string>, audit: readonly AuditEntry[]): ReadonlySet<string> {
  const lifted = new Set(audit.filter(({ event }) => event === 'forgotten').map(({ endpoint }) => endpoint));
  return lifted.size === 0 ? held : new Set([...held].filter((endpoint) => !lifted.has(endpoint)));
}
