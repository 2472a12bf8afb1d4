// The write protocol over one LevelDB and one seal: seal first if it lags, then one synced batch, then the
// seal. It must never report a change before the seal is on the disk, and after a failed step never go on
// without reading everything again: the step may have worked or not, and only the disk can tell.

import { chainStart, entryOf, type Checkpoint, type Retention } from './audit.ts';
import { foldOperations, readAudit } from './audit-log.ts';
import type { RecordRow } from './codec.ts';
import { asStoreError, type Database } from './database.ts';
import type { StorePaths } from './directory.ts';
import type { StoreIo } from './io.ts';
import { Ledger, newHead, type Plan } from './ledger.ts';
import { noDigest } from './head.ts';
import { lookAt, type Look } from './look.ts';
import type { Change, SealedKeys, StoredAuditEntry } from './pin-store.ts';
import type { Seal } from './seal.ts';
import { SealFile, usualSmallBytes, type SealEnd } from './seal-file.ts';
import { noSealedKeys, sealedKeysOf, stricter } from './sealed-keys.ts';
import type { Stocktaking } from './stock.ts';
import { StoreError } from './store-error.ts';

/** `suspect`: a step failed, the disk must be read again before anything else. `damaged` is final. */
export type WriterState = 'good' | 'suspect' | 'damaged';

/** What a failed turn left on the disk after all. */
export interface Recovered {
  readonly rows: readonly RecordRow[];
  readonly audit: readonly StoredAuditEntry[];
}

export interface WriterFacts {
  readonly paths: StorePaths;
  readonly now: () => number;
  readonly io: StoreIo;
  readonly retention: Retention;
  /** A seal of fewer bytes is always written whole. */
  readonly smallSealBytes?: number | undefined;
}

type Believed = Pick<Seal, 'generation' | 'held' | 'endpoints'>;

/** A seal that says what the records say needs no copy of it. */
const believed = ({ generation, held }: Pick<Seal, 'generation' | 'held'>): Believed => ({
  generation,
  held,
  endpoints: new Map(),
});

const endOf = ({ seal }: Look): SealEnd | null => (seal.state === 'read' ? seal.end : null);

const foldEveryMs = 3_600_000;
const nothing = (): Stocktaking => ({
  rows: new Map(),
  weights: new Map(),
  digest: noDigest,
  unverified: [],
});

/** Takes one turn at a time: whoever calls must not call again before the last call came back. */
export class Writer {
  readonly #facts: WriterFacts;
  readonly #recovered: (recovered: Recovered) => void;
  #database: Database | null;
  #ledger: Ledger;
  /** What is believed of the seal as it is on the disk; null when it cannot be read. */
  #seal: Believed | null = null;
  #sealFile: SealFile;
  #lost: readonly string[] = [];
  #checkpoint: Checkpoint = chainStart;
  #state: WriterState = 'good';
  #detail: string | null = null;
  #foldAt = 0;

  constructor(look: Look, facts: WriterFacts, recovered: (recovered: Recovered) => void) {
    this.#facts = facts;
    this.#recovered = recovered;
    this.#database = look.database;
    this.#sealFile = this.#sealFileOf(endOf(look));
    this.#ledger = this.#take(look);
  }

  /** null while nothing can be read. */
  get database(): Database | null {
    return this.#database;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  get state(): WriterState {
    return this.#state;
  }

  /** What is wrong; null when nothing is. */
  get detail(): string | null {
    return this.#detail;
  }

  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  /** Endpoints known by name whose record is missing or does not verify. */
  get lost(): readonly string[] {
    return this.#lost;
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

  /**
   * Reads everything again after a failed step, and brings the seal up to a head that a crash left one ahead; whatever of it
   * fails the next turn tries again. As a turn: see the class. Never rejects.
   */
  async heal(): Promise<void> {
    try {
      if (this.#state === 'suspect') await this.#recover();
      if (this.#state === 'good' && this.#behind()) await this.#catchUp();
    } catch (error) {
      if (this.#state === 'suspect') this.#detail = asStoreError(error, 'the store cannot be read').message;
    }
  }

  /** One turn. The plan it resolves with is on the disk, sealed. Rejects with what went wrong. */
  async write(commits: readonly (readonly Change[])[]): Promise<Plan> {
    if (this.#state === 'suspect') await this.#recover();
    const database = this.#database;
    if (this.#state === 'damaged' || database === null) throw this.#damagedError();
    if (this.#behind()) await this.#catchUp();
    const plan = this.#ledger.plan(commits);
    if (plan.operations.length === 0) return plan;
    const { checkpoint, operations } = await this.#fold(database, plan);
    try {
      await this.#facts.io.writeBatch(database, [...plan.operations, ...operations]);
      await this.#sealFile.follow(this.#ledger.sealStep(plan), () => this.#ledger.seal(plan));
    } catch (error) {
      await this.#suspect(error);
      throw error;
    }
    this.#checkpoint = checkpoint;
    this.#ledger.apply(plan);
    this.#seal = believed(plan.head);
    return plan;
  }

  async close(): Promise<void> {
    await this.#database?.close();
  }

  async #catchUp(): Promise<void> {
    await this.#sealFile.write(this.#ledger.seal());
    this.#seal = believed(this.#ledger.head);
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

  async #recover(): Promise<void> {
    await this.#database?.close().catch(() => undefined);
    this.#database = null;
    const look = await lookAt(this.#facts.paths, 'in-doubt');
    if (look.database === null) throw new StoreError('store-io', look.broken ?? 'the database does not open');
    const { rows: before, head } = this.#ledger;
    this.#database = look.database;
    // Whole: what is read after a failed sync need not be on the disk, and no later sync puts it there.
    this.#sealFile = this.#sealFileOf(null);
    const audit: StoredAuditEntry[] = [];
    for await (const row of readAudit(look.database, head.audit.sequence)) audit.push(entryOf(row));
    this.#ledger = this.#take(look);
    const rows = [...this.#ledger.rows.values()].filter(
      ({ endpoint, revision }) => before.get(endpoint)?.revision !== revision,
    );
    this.#recovered({ rows, audit });
  }

  #take({ survey, seal, appraisal }: Look): Ledger {
    const sound = appraisal.state !== 'damaged' && appraisal.state !== 'rolled-back';
    this.#seal = seal.state === 'read' ? seal.seal : null;
    this.#state = sound ? 'good' : 'damaged';
    this.#detail = sound ? null : appraisal.findings.join('; ');
    this.#checkpoint = survey?.checkpoint ?? chainStart;
    const stock = survey ?? nothing();
    const names = sound ? [] : [...stock.unverified, ...(this.#seal?.endpoints.keys() ?? [])];
    this.#lost = [...new Set(names)].filter((endpoint) => !stock.rows.has(endpoint));
    const head = survey?.head ?? { ...newHead('', chainStart), generation: this.#seal?.generation ?? 0 };
    if (sound && this.#seal?.generation === head.generation) this.#seal = believed(head);
    return new Ledger(stock, head);
  }

  #sealFileOf(end: SealEnd | null): SealFile {
    const { paths, io, smallSealBytes: smallBytes = usualSmallBytes } = this.#facts;
    return new SealFile({ paths, io, smallBytes }, end);
  }

  #behind(): boolean {
    return this.#seal === null || this.#seal.generation < this.#ledger.head.generation;
  }

  #damagedError(): StoreError {
    return new StoreError('store-damaged', `the pin store is damaged: ${this.#detail ?? 'unknown damage'}`, {
      hint: 'Nothing new is trusted until it is mended: letterlock pins verify, then letterlock pins repair.',
    });
  }
}
