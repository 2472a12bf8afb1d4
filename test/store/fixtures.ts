// Records, changes and directories for the tests of the stores.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { onTestFinished } from 'vitest';
import { openLevelStore, type EmbeddedStore, type LevelOptions } from '../../src/store/level.ts';
import type {
  AuditEntry,
  Change,
  Committed,
  Conflict,
  PinStore,
  StoredAuditEntry,
  StoredRecord,
} from '../../src/store/pin-store.ts';
import { emptyRecord, type EndpointRecord, type Pin } from '../../src/trust/record.ts';

export const endpoint = 'imap.example.org:993';
export const other = 'smtp.example.net:465';
/** A moment all tests agree on. */
export const noon = 1_780_000_000_000;

/** A directory under the system's temporary one, gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'letterlock-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const spkiOf = (name: string): string =>
  `sha256//${Buffer.from(name.padEnd(32, '.')).toString('base64')}`;

export const pinOf = (name: string, ends: Partial<Pick<Pin, 'until' | 'endedAt' | 'origin'>> = {}): Pin => ({
  spki: spkiOf(name),
  kind: 'leaf',
  origin: 'first-use',
  firstSeen: noon,
  lastSeen: null,
  until: null,
  endedAt: null,
  evidence: null,
  ...ends,
});

export const recordOf = (name: string, part: Partial<EndpointRecord> = {}): EndpointRecord => ({
  ...emptyRecord(name),
  basis: 'pinned',
  pins: [pinOf(name)],
  ...part,
});

export const auditOf = (name: string, part: Partial<AuditEntry> = {}): AuditEntry => ({
  at: noon,
  endpoint: name,
  event: 'first-use',
  origin: 'proxy',
  spki: spkiOf(name),
  detail: `first use of ${name}`,
  ...part,
});

export const changeOf = (name: string, expected: number, part: Partial<Change> = {}): Change => ({
  endpoint: name,
  expected,
  record: recordOf(name),
  audit: [auditOf(name)],
  ...part,
});

/** Commits and insists that it was committed. */
export async function committed(store: PinStore, changes: readonly Change[]): Promise<Committed> {
  const answer = await store.commit(changes);
  if (!answer.committed)
    throw new Error(`conflict on ${answer.current.map((row) => row.endpoint).join(', ')}`);
  return answer;
}

/** Commits and insists that it conflicted. */
export async function conflicted(store: PinStore, changes: readonly Change[]): Promise<Conflict> {
  const answer = await store.commit(changes);
  if (answer.committed) throw new Error('no conflict');
  return answer;
}

export async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function loaded(store: PinStore): Promise<ReadonlyMap<string, StoredRecord>> {
  const records = await collected(store.load());
  return new Map(
    records.map(({ endpoint: name, revision, record, verified }) => [
      name,
      { endpoint: name, revision, record, verified },
    ]),
  );
}

export const historyOf = (store: PinStore, name: string | null): Promise<StoredAuditEntry[]> =>
  collected(store.history(name));

/** Opens the embedded store and closes it after the test. */
export async function opened(directory: string, options: Partial<LevelOptions> = {}): Promise<EmbeddedStore> {
  const store = await openLevelStore({ directory, create: true, now: () => noon, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Opens the store, lets `work` do its work, closes it. */
export async function withStore<T>(
  directory: string,
  work: (store: EmbeddedStore) => Promise<T>,
): Promise<T> {
  const store = await openLevelStore({ directory, create: true, now: () => noon });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Works on the database behind the store's back. */
export async function withDatabase<T>(directory: string, work: (database: Level) => Promise<T>): Promise<T> {
  const database = new Level(join(directory, 'pins'), { createIfMissing: false });
  await database.open();
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
