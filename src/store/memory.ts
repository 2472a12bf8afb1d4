// A pin store that remembers until the process ends: for tests, and for programs that want no state. It
// keeps every promise of the contract but durability, and must never be the quiet fallback of another store.

import { chain, chainStart, entryOf, type AuditRow, type Checkpoint } from './audit.ts';
import type { RecordRow } from './codec.ts';
import { Feed } from './feed.ts';
import type {
  Change,
  Committed,
  Conflict,
  PinStore,
  SealedKeys,
  StoreHealth,
  StoredAuditEntry,
  StoredRecord,
  Touch,
} from './pin-store.ts';
import { sealedKeysOf } from './sealed-keys.ts';
import { ownChanges, stage, stillHeld } from './stage.ts';
import { storeClosed } from './store-error.ts';
import { touched, withSightings, type Sightings } from './touches.ts';
import { storedOf } from './unread-row.ts';

/** An empty store in memory. `held`: endpoints whose first use waits for the operator. The caller closes it. */
export function openMemoryStore(options: { readonly held?: Iterable<string> } = {}): PinStore {
  return new MemoryStore(new Set(options.held));
}

class MemoryStore implements PinStore {
  readonly #rows = new Map<string, RecordRow>();
  readonly #sightings = new Map<string, Sightings>();
  readonly #audit: AuditRow[] = [];
  readonly #feed = new Feed();
  #held: ReadonlySet<string>;
  #generation = 0;
  #closed = false;

  constructor(held: ReadonlySet<string>) {
    this.#held = held;
  }

  async *load(): AsyncGenerator<StoredRecord> {
    this.#checkOpen();
    const reported = [...this.#rows.values()].map((row) => this.#reported(row));
    yield* reported;
  }

  // Nothing is awaited between reading and writing: that is what makes this the one writer.
  async commit(changes: readonly Change[]): Promise<Committed | Conflict> {
    this.#checkOpen();
    const staged = stage(this.#rows, [ownChanges(changes)], this.#generation + 1);
    const answer = staged.answers[0];
    if (answer === undefined) throw new TypeError('a commit has an answer');
    if (staged.rows.size === 0) return answer;
    this.#generation += 1;
    for (const [endpoint, row] of staged.rows) this.#keep(endpoint, row);
    this.#audit.push(...chain(this.#lastAudit(), staged.audit, this.#generation));
    this.#held = stillHeld(this.#held, staged.audit);
    this.#feed.publish([...staged.rows.values()].map(storedOf));
    return answer;
  }

  async *changes(generation: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    this.#checkOpen();
    const newer = () => [...this.#rows.values()].filter((row) => row.generation > generation);
    yield* this.#feed.follow(() => newer().map(storedOf), signal);
  }

  async *history(endpoint: string | null): AsyncGenerator<StoredAuditEntry> {
    this.#checkOpen();
    yield* this.#audit.filter((row) => endpoint === null || row.endpoint === endpoint).map(entryOf);
  }

  async touch(touches: readonly Touch[]): Promise<void> {
    this.#checkOpen();
    const exists = (endpoint: string) => this.#rows.get(endpoint)?.record != null;
    for (const [endpoint, seen] of touched(this.#sightings, touches, exists))
      this.#sightings.set(endpoint, seen);
  }

  sealed(endpoint: string): SealedKeys {
    return sealedKeysOf(this.#rows.get(endpoint)?.record ?? null);
  }

  held(): ReadonlySet<string> {
    return this.#held;
  }

  health(): StoreHealth {
    return {
      state: this.#closed ? 'unavailable' : 'good',
      detail: this.#closed ? 'the pin store is closed' : null,
      backend: 'memory',
      generation: this.#generation,
      records: this.#rows.size,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#feed.end();
  }

  #keep(endpoint: string, row: RecordRow): void {
    this.#rows.set(endpoint, row);
    if (row.record === null) this.#sightings.delete(endpoint);
  }

  #reported(row: RecordRow): StoredRecord {
    return { ...storedOf(row), record: withSightings(row.record, this.#sightings.get(row.endpoint)) };
  }

  #lastAudit(): Checkpoint {
    return this.#audit.at(-1) ?? chainStart;
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }
}
