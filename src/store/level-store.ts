// The embedded store as its readers see it: answers from memory, queues commits so that the writer takes one
// turn at a time, and remembers which changes were already told. It must never answer a commit before the
// writer says that it is on the disk.

import { entryOf } from './audit.ts';
import { readAudit } from './audit-log.ts';
import { encode, type RecordRow } from './codec.ts';
import { asStoreError, keys } from './database.ts';
import { removeHolder } from './directory.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { Feed } from './feed.ts';
import { lookInto, type Look } from './look.ts';
import type {
  Change,
  Committed,
  Conflict,
  SealedKeys,
  StoreHealth,
  StoredAuditEntry,
  StoredRecord,
  Touch,
} from './pin-store.ts';
import { ownChanges } from './stage.ts';
import { storeClosed, StoreError } from './store-error.ts';
import { touched, touchOperations, withSightings, type Sightings } from './touches.ts';
import { report, type VerifyReport } from './verify.ts';
import { Writer, type Recovered, type WriterFacts } from './writer.ts';
import { storedOf } from './unread-row.ts';

interface Waiting {
  readonly changes: readonly Change[];
  readonly resolve: (answer: Committed | Conflict) => void;
  readonly reject: (error: StoreError) => void;
}

interface Facts extends WriterFacts {
  readonly first: boolean;
  readonly secret: Uint8Array;
  readonly unannounced: readonly StoredAuditEntry[];
}

/** Until a store in doubt is read again; twice as long each time. Reading everything of a large one takes its time. */
const againMs = { first: 500, longest: 10_000 } as const;

const healthStates = { good: 'good', suspect: 'unavailable', damaged: 'damaged' } as const;

export class LevelStore implements EmbeddedStore {
  readonly secret: Uint8Array;
  readonly found: EmbeddedStore['found'];
  readonly #facts: Facts;
  readonly #writer: Writer;
  readonly #feed = new Feed();
  readonly #waiting: Waiting[] = [];
  readonly #sightings: Map<string, Sightings>;
  #unannounced: readonly StoredAuditEntry[];
  #marking = false;
  #again: NodeJS.Timeout | null = null;
  #againMs: number = againMs.first;
  #tail: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(look: Look, facts: Facts) {
    this.#facts = facts;
    this.#unannounced = facts.unannounced;
    this.#sightings = new Map(look.survey?.sightings);
    this.#writer = new Writer(look, facts, (recovered) => this.#tellRecovered(recovered));
    this.secret = facts.secret;
    this.found = facts.first && this.#writer.state === 'good' ? 'created' : foundAs(look);
  }

  get unannounced(): readonly StoredAuditEntry[] {
    return this.#unannounced;
  }

  async *load(): AsyncGenerator<StoredRecord> {
    this.#checkOpen();
    for (const row of this.#writer.ledger.rows.values()) yield this.#reported(row);
    yield* this.#writer.lost.map((endpoint) => ({ endpoint, revision: 0, record: null, verified: false }));
  }

  async commit(changes: readonly Change[]): Promise<Committed | Conflict> {
    this.#checkOpen();
    const own = ownChanges(changes);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ changes: own, resolve, reject });
      if (this.#waiting.length === 1) void this.#inTurn(() => this.#turn());
    });
  }

  async *changes(generation: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    this.#checkOpen();
    const newer = () => [...this.#writer.ledger.rows.values()].filter((row) => row.generation > generation);
    yield* this.#feed.follow(() => newer().map(storedOf), signal);
  }

  async *history(endpoint: string | null): AsyncGenerator<StoredAuditEntry> {
    this.#checkOpen();
    if (this.#writer.database === null) throw this.#unreadable();
    try {
      for await (const row of readAudit(this.#writer.database, this.#writer.checkpoint.sequence)) {
        if (endpoint === null || row.endpoint === endpoint) yield entryOf(row);
      }
    } catch (error) {
      throw asStoreError(error, 'the audit log cannot be read');
    }
  }

  /** Kept in memory at once, on the disk without a sync; a damaged store keeps nothing. */
  async touch(touches: readonly Touch[]): Promise<void> {
    this.#checkOpen();
    await this.#inTurn(async () => {
      const database = this.#writer.database;
      if (database === null || this.#writer.state !== 'good') return;
      const exists = (endpoint: string) => this.#writer.ledger.rows.get(endpoint)?.record != null;
      const moved = touched(this.#sightings, touches, exists);
      for (const [endpoint, sightings] of moved) this.#sightings.set(endpoint, sightings);
      try {
        await database.batch(touchOperations(moved));
      } catch (error) {
        throw asStoreError(error, 'sightings could not be kept');
      }
    });
  }

  sealed(endpoint: string): SealedKeys {
    return this.#writer.sealed(endpoint);
  }

  held(): ReadonlySet<string> {
    return this.#writer.held();
  }

  health(): StoreHealth {
    const closed = this.#closing !== null;
    return {
      state: closed ? 'unavailable' : healthStates[this.#writer.state],
      detail: closed ? 'the pin store is closed' : this.#writer.detail,
      backend: 'level',
      generation: this.#writer.ledger.head.generation,
      records: this.#writer.ledger.rows.size,
    };
  }

  async announced(): Promise<void> {
    this.#checkOpen();
    this.#unannounced = [];
    await this.#inTurn(() => this.#mark());
  }

  async verify(): Promise<VerifyReport> {
    this.#checkOpen();
    return this.#inTurn(async () => {
      const broken = this.#writer.database === null ? this.#writer.detail : null;
      const { database } = this.#writer;
      return report(await lookInto(this.#facts.paths, { database, broken, checksums: 'all' }));
    });
  }

  /** What was committed before is finished first. */
  close(): Promise<void> {
    if (this.#again !== null) clearTimeout(this.#again);
    this.#closing ??= this.#inTurn(async () => {
      if (this.#unannounced.length === 0) await this.#mark();
      this.#feed.end();
      await this.#writer.close();
      await removeHolder(this.#facts.paths);
    });
    return this.#closing;
  }

  /** See Writer.heal. */
  heal(): Promise<void> {
    return this.#writer.heal();
  }

  async #turn(): Promise<void> {
    const commits = this.#waiting.splice(0);
    try {
      const { answers, rows } = await this.#writer.write(commits.map(({ changes }) => changes));
      for (const row of rows.values()) if (row.record === null) this.#sightings.delete(row.endpoint);
      this.#feed.publish([...rows.values()].map(storedOf));
      for (const [index, { resolve }] of commits.entries()) {
        const answer = answers[index];
        if (answer !== undefined) resolve(answer);
      }
      this.#markLater();
    } catch (error) {
      const failure = asStoreError(error, 'the change could not be made durable');
      for (const { reject } of commits) reject(failure);
      this.#lookAgainLater();
    }
  }

  // Nobody commits to a store that is not good, so no commit would ever find out that the disk is well again.
  #lookAgainLater(): void {
    if (this.#writer.state !== 'suspect' || this.#again !== null || this.#closing !== null) return;
    this.#again = setTimeout(() => {
      this.#again = null;
      void this.#inTurn(() => this.#lookAgain());
    }, this.#againMs).unref();
    this.#againMs = Math.min(this.#againMs * 2, againMs.longest);
  }

  async #lookAgain(): Promise<void> {
    if (this.#closing !== null) return;
    await this.#writer.heal();
    if (this.#writer.state === 'suspect') this.#lookAgainLater();
    else this.#againMs = againMs.first;
  }

  #unreadable(): StoreError {
    return new StoreError(
      'store-io',
      `the audit log cannot be read: ${this.#writer.detail ?? 'no database'}`,
    );
  }

  #tellRecovered({ rows, audit }: Recovered): void {
    this.#unannounced = [...this.#unannounced, ...audit];
    this.#feed.publish(rows.map(storedOf));
  }

  #reported(row: RecordRow): StoredRecord {
    const sightings = this.#sightings.get(row.endpoint);
    if (sightings === undefined) return storedOf(row);
    const { endpoint, revision, record } = row;
    return { endpoint, revision, record: withSightings(record, sightings), verified: true };
  }

  // By the next round of the event loop whoever committed has had its say; a crash before that leaves the
  // mark behind, and the change is told at the next start.
  #markLater(): void {
    if (this.#marking || this.#unannounced.length > 0) return;
    this.#marking = true;
    setImmediate(() => {
      this.#marking = false;
      if (this.#closing === null) void this.#inTurn(() => this.#mark());
    });
  }

  async #mark(): Promise<void> {
    if (this.#writer.database === null || this.#writer.state !== 'good') return;
    const value = encode(keys.announced, this.#writer.ledger.head.audit.sequence);
    await this.#writer.database.put(keys.announced, value).catch(() => undefined);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(work);
    this.#tail = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw storeClosed();
  }
}

function foundAs({ appraisal }: Look): EmbeddedStore['found'] {
  switch (appraisal.state) {
    case 'good':
      return 'good';
    case 'healed':
    case 'started':
      return 'healed';
    case 'rolled-back':
    case 'damaged':
      return 'damaged';
  }
}
