// The one writer over LevelDB. A turn takes every queued commit as one batch and one generation: seal first
// if it lags, then one synced batch, then the seal, then the answers. It must never answer before the seal
// is on the disk, and never go on after a failed step without reading everything again.

import { chainStart, entryOf, type Checkpoint, type Retention } from './audit.ts';
import { foldOperations, readAudit } from './audit-log.ts';
import { encode, storedOf, type RecordRow } from './codec.ts';
import { asStoreError, keys, type Database } from './database.ts';
import { removeHolder, type StorePaths } from './directory.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { Feed } from './feed.ts';
import type { StoreIo } from './io.ts';
import { Ledger, newHead, type Plan } from './ledger.ts';
import { lookAt, lookInto, type Look } from './look.ts';
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
import { writeSeal, type Seal } from './seal.ts';
import { noSealedKeys, sealedKeysOf, stricter } from './sealed-keys.ts';
import { ownChanges } from './stage.ts';
import { storeClosed, StoreError } from './store-error.ts';
import { touched, touchOperations, withSightings, type Sightings } from './touches.ts';
import { report, type VerifyReport } from './verify.ts';

interface Waiting {
  readonly changes: readonly Change[];
  readonly resolve: (answer: Committed | Conflict) => void;
  readonly reject: (error: StoreError) => void;
}

interface Facts {
  readonly paths: StorePaths;
  readonly now: () => number;
  readonly io: StoreIo;
  readonly retention: Retention;
  readonly first: boolean;
  readonly secret: Uint8Array;
  readonly unannounced: readonly StoredAuditEntry[];
}

/** `suspect`: a step failed, the disk must be read again before anything else. `damaged` is final. */
type State = 'good' | 'suspect' | 'damaged';

const foldEveryMs = 3_600_000;
const nothing = { rows: new Map(), weights: new Map(), digest: 0n } as const;

export class LevelStore implements EmbeddedStore {
  readonly secret: Uint8Array;
  readonly found: EmbeddedStore['found'];
  readonly #facts: Facts;
  readonly #feed = new Feed();
  readonly #waiting: Waiting[] = [];
  #database: Database | null;
  #ledger: Ledger;
  /** The seal as it is on the disk; null when it cannot be read. */
  #seal: Seal | null;
  #lost: readonly string[] = [];
  #sightings = new Map<string, Sightings>();
  #checkpoint: Checkpoint = chainStart;
  #state: State = 'good';
  #detail: string | null = null;
  #unannounced: readonly StoredAuditEntry[];
  #marking = false;
  #foldAt = 0;
  #tail: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(look: Look, facts: Facts) {
    this.#facts = facts;
    this.#unannounced = facts.unannounced;
    this.secret = facts.secret;
    this.#database = look.database;
    this.#seal = null;
    this.#ledger = this.#take(look);
    this.found = facts.first && this.#state === 'good' ? 'created' : foundAs(look);
  }

  get unannounced(): readonly StoredAuditEntry[] {
    return this.#unannounced;
  }

  async *load(): AsyncGenerator<StoredRecord> {
    this.#checkOpen();
    const records = [...this.#ledger.rows.values()].map((row) => this.#reported(row));
    yield* records;
    yield* this.#lost.map((endpoint) => ({ endpoint, revision: 0, record: null, verified: false }));
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
    const newer = () => [...this.#ledger.rows.values()].filter((row) => row.generation > generation);
    yield* this.#feed.follow(() => newer().map(storedOf), signal);
  }

  async *history(endpoint: string | null): AsyncGenerator<StoredAuditEntry> {
    this.#checkOpen();
    if (this.#database === null) return;
    try {
      for await (const row of readAudit(this.#database, this.#checkpoint.sequence)) {
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
      const database = this.#database;
      if (database === null || this.#state !== 'good') return;
      const exists = (endpoint: string) => this.#ledger.rows.get(endpoint)?.record != null;
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
    const stored = sealedKeysOf(this.#ledger.rows.get(endpoint)?.record ?? null);
    if (this.#state === 'good' && !this.#behind()) return stored;
    return stricter(stored, this.#seal?.endpoints.get(endpoint) ?? noSealedKeys);
  }

  held(): ReadonlySet<string> {
    if (this.#state === 'good') return this.#ledger.held;
    return new Set([...this.#ledger.held, ...(this.#seal?.held ?? [])]);
  }

  health(): StoreHealth {
    const closed = this.#closing !== null;
    const states = { good: 'good', suspect: 'unavailable', damaged: 'damaged' } as const;
    return {
      state: closed ? 'unavailable' : states[this.#state],
      detail: closed ? 'the pin store is closed' : this.#detail,
      backend: 'level',
      generation: this.#ledger.head.generation,
      records: this.#ledger.rows.size,
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
      const broken = this.#database === null ? this.#detail : null;
      return report(await lookInto(this.#facts.paths, { database: this.#database, broken }));
    });
  }

  /** What was committed before is finished first. */
  close(): Promise<void> {
    this.#closing ??= this.#inTurn(async () => {
      if (this.#unannounced.length === 0) await this.#mark();
      this.#feed.end();
      await this.#database?.close();
      await removeHolder(this.#facts.paths);
    });
    return this.#closing;
  }

  /** Brings the seal up to a head that a crash left one ahead; if it fails the next turn tries again. */
  async heal(): Promise<void> {
    if (this.#state === 'good' && this.#behind()) await this.#catchUp().catch(() => undefined);
  }

  async #turn(): Promise<void> {
    const commits = this.#waiting.splice(0);
    try {
      const answers = await this.#write(commits.map(({ changes }) => changes));
      for (const [index, { resolve }] of commits.entries()) {
        const answer = answers[index];
        if (answer !== undefined) resolve(answer);
      }
      this.#markLater();
    } catch (error) {
      const failure = asStoreError(error, 'the change could not be made durable');
      for (const { reject } of commits) reject(failure);
    }
  }

  async #write(commits: readonly (readonly Change[])[]): Promise<Plan['answers']> {
    if (this.#state === 'suspect') await this.#recover();
    const database = this.#database;
    if (this.#state === 'damaged' || database === null) throw this.#damagedError();
    if (this.#behind()) await this.#catchUp();
    const plan = this.#ledger.plan(commits);
    if (plan.operations.length === 0) return plan.answers;
    const { checkpoint, operations } = await this.#fold(database, plan);
    const seal = this.#ledger.seal(plan);
    try {
      await this.#facts.io.writeBatch(database, [...plan.operations, ...operations]);
      await writeSeal(this.#facts.paths.seal, seal, this.#facts.io);
    } catch (error) {
      await this.#suspect(error);
      throw error;
    }
    this.#checkpoint = checkpoint;
    this.#seal = seal;
    this.#ledger.apply(plan);
    for (const row of plan.rows.values()) if (row.record === null) this.#sightings.delete(row.endpoint);
    this.#feed.publish([...plan.rows.values()].map(storedOf));
    return plan.answers;
  }

  async #catchUp(): Promise<void> {
    const seal = this.#ledger.seal();
    await writeSeal(this.#facts.paths.seal, seal, this.#facts.io);
    this.#seal = seal;
  }

  // An old log that cannot be read must not keep a rejection from being written.
  async #fold(database: Database, plan: Plan): ReturnType<typeof foldOperations> {
    const { retention } = this.#facts;
    const now = this.#facts.now();
    const last = plan.head.audit.sequence;
    const full = last - this.#checkpoint.sequence > retention.maxEntries;
    const keep = { checkpoint: this.#checkpoint, operations: [] };
    if (!full && now < this.#foldAt) return keep;
    this.#foldAt = now + foldEveryMs;
    return foldOperations(database, this.#checkpoint, { retention, last, now }).catch(() => keep);
  }

  async #suspect(cause: unknown): Promise<void> {
    this.#state = 'suspect';
    this.#detail = asStoreError(cause, 'the last change could not be made durable').message;
    await this.#recover().catch(() => undefined);
  }

  // The failed turn may be on the disk or not; only the disk can tell, and followers hear of it.
  async #recover(): Promise<void> {
    await this.#database?.close().catch(() => undefined);
    this.#database = null;
    const look = await lookAt(this.#facts.paths);
    if (look.database === null) throw new StoreError('store-io', look.broken ?? 'the database does not open');
    const { rows: before, head } = this.#ledger;
    this.#database = look.database;
    this.#ledger = this.#take(look);
    const moved = [...this.#ledger.rows.values()].filter(
      ({ endpoint, revision }) => before.get(endpoint)?.revision !== revision,
    );
    this.#feed.publish(moved.map(storedOf));
    for await (const row of readAudit(look.database, head.audit.sequence)) {
      this.#unannounced = [...this.#unannounced, entryOf(row)];
    }
  }

  #take({ survey, seal, appraisal }: Look): Ledger {
    const sound = appraisal.state !== 'damaged' && appraisal.state !== 'rolled-back';
    this.#seal = seal.state === 'read' ? seal.seal : null;
    this.#state = sound ? 'good' : 'damaged';
    this.#detail = sound ? null : appraisal.findings.join('; ');
    this.#sightings = new Map(survey?.sightings);
    this.#checkpoint = survey?.checkpoint ?? chainStart;
    const rows = survey?.rows ?? nothing.rows;
    const names = [...(survey?.unverified ?? []), ...(this.#seal?.endpoints.keys() ?? [])];
    this.#lost = sound ? [] : [...new Set(names)].filter((endpoint) => !rows.has(endpoint));
    const head = survey?.head ?? { ...newHead('', chainStart), generation: this.#seal?.generation ?? 0 };
    return new Ledger(survey ?? nothing, head);
  }

  #behind(): boolean {
    return this.#seal === null || this.#seal.generation < this.#ledger.head.generation;
  }

  #reported(row: RecordRow): StoredRecord {
    return { ...storedOf(row), record: withSightings(row.record, this.#sightings.get(row.endpoint)) };
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
    if (this.#database === null || this.#state !== 'good') return;
    const value = encode(keys.announced, this.#ledger.head.audit.sequence);
    await this.#database.put(keys.announced, value).catch(() => undefined);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(work);
    this.#tail = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  #damagedError(): StoreError {
    return new StoreError('store-damaged', `the pin store is damaged: ${this.#detail ?? 'unknown damage'}`, {
      hint: 'Nothing new is trusted until it is mended: letterlock pins verify, then letterlock pins repair.',
    });
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
