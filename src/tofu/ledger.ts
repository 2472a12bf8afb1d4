// Writes what was decided: durable first, then the mirror, then the announcement. Nothing here judges, and a
// write that failed or met another one leaves the mirror as it was or as the store says. What other processes
// write to the store comes into the mirror as well, and a ledger that cannot follow them says so in its health.

import type {
  Change,
  Committed,
  Conflict,
  PinStore,
  StoreHealth,
  StoredRecord,
  Touch,
} from '../store/pin-store.ts';
import type { AuditEntry } from '../trust/change.ts';
import type { EndpointRecord } from '../trust/record.ts';
import type { Listener, TrustEvent } from './event.ts';
import { Mirror, type Entry, type Move, type Sighting } from './mirror.ts';

export interface Writing {
  readonly record: EndpointRecord;
  readonly audit: readonly AuditEntry[];
  /** The connection that taught it, for the announcement. */
  readonly session?: string | undefined;
}

/**
 * `before` is what the mirror held, `after` what was written: the mirror holds it unless another process wrote
 * since. After `conflict` the mirror holds what the store has; try again.
 */
export type Written =
  | ({ readonly state: 'stored' } & Move)
  | { readonly state: 'conflict' }
  | { readonly state: 'failed'; readonly cause: unknown };

export type WrittenAll =
  | { readonly state: 'stored'; readonly moves: readonly Move[] }
  | Exclude<Written, { readonly state: 'stored' }>;

interface PlannedWrite {
  readonly before: Entry;
  readonly change: Change & { readonly record: EndpointRecord };
}

const flushEveryMs = { pin: 3_600_000, candidate: 60_000 } as const;

const unfollowed = {
  state: 'unavailable',
  detail: 'what other processes write to the pin store is not heard of any more',
} as const;

interface LedgerOptions {
  readonly store: PinStore;
  readonly on: Listener<TrustEvent>;
  /** Of the store before it was read. */
  readonly generation: number;
}

interface Waiting extends Touch {
  readonly kind: Sighting['kind'];
}

export class Ledger {
  readonly mirror: Mirror;
  readonly #store: PinStore;
  readonly #on: Listener<TrustEvent>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #flushedAt = new Map<string, number>();
  readonly #generation: number;
  readonly #stop = new AbortController();
  /** Endpoints just being written, with what was told of them meanwhile. */
  readonly #writing = new Map<string, StoredRecord | null>();
  #moved: (moved: Move) => void = () => undefined;
  #following: 'yes' | 'lost' = 'yes';
  #health: StoreHealth['state'] | null = null;

  private constructor(mirror: Mirror, options: LedgerOptions) {
    this.mirror = mirror;
    this.#store = options.store;
    this.#on = options.on;
    this.#generation = options.generation;
  }

  /** Reads every record. @throws StoreError */
  static async open(store: PinStore, on: Listener<TrustEvent>): Promise<Ledger> {
    const { generation } = store.health();
    const ledger = new Ledger(await Mirror.load(store), { store, on, generation });
    ledger.health();
    return ledger;
  }

  /** From now on the mirror takes in what others write to the store; `moved` hears of each change, after it. */
  follow(moved: (moved: Move) => void): void {
    this.#moved = moved;
    void this.#follow();
  }

  /** Stops following. Writes go on as long as the store is open. */
  close(): void {
    this.#stop.abort();
  }

  /** The store's own word; a change of it is announced. */
  health(): StoreHealth {
    const said = this.#store.health();
    const health = this.#following === 'lost' && said.state === 'good' ? { ...said, ...unfollowed } : said;
    if (health.state !== this.#health) {
      this.#health = health.state;
      this.#on({ type: 'store-health', health });
    }
    return health;
  }

  /** Writes the next record of an endpoint on top of the one the mirror holds. Never rejects. */
  async write(endpoint: string, writing: Writing): Promise<Written> {
    const written = await this.writeAll(new Map([[endpoint, writing]]));
    if (written.state !== 'stored') return written;
    const entry = this.mirror.entry(endpoint);
    const [{ before, after } = { before: entry, after: entry }] = written.moves;
    return { state: 'stored', before, after };
  }

  /** As `write`, for several endpoints: all of them or none. */
  async writeAll(writings: ReadonlyMap<string, Writing>): Promise<WrittenAll> {
    const planned = [...writings].map(([endpoint, writing]) => this.#plan(endpoint, writing));
    const endpoints = [...writings.keys()];
    for (const endpoint of endpoints) this.#writing.set(endpoint, null);
    const written = this.#taken(await this.#commit(planned.map(({ change }) => change)), planned);
    const meanwhile = endpoints.flatMap((endpoint) => this.#writing.get(endpoint) ?? []);
    for (const endpoint of endpoints) this.#writing.delete(endpoint);
    for (const stored of meanwhile) this.#learn(stored);
    if (written.state === 'stored') for (const writing of writings.values()) this.#announce(writing);
    return written;
  }

  #taken(
    answer: Committed | Conflict | { readonly cause: unknown },
    planned: readonly PlannedWrite[],
  ): WrittenAll {
    if (!('committed' in answer)) return { state: 'failed', cause: answer.cause };
    if (!answer.committed) {
      for (const stored of answer.current) this.#learn(stored);
      return { state: 'conflict' };
    }
    const moves = planned.map(({ before, change: { endpoint, record } }) => {
      const revision = answer.revisions.get(endpoint) ?? before.revision + 1;
      this.mirror.put({ endpoint, revision, record, verified: true });
      return { before, after: this.mirror.entry(endpoint) };
    });
    return { state: 'stored', moves };
  }

  #plan(endpoint: string, { record, audit }: Writing): PlannedWrite {
    const before = this.mirror.entry(endpoint);
    const moved = record.epoch !== (before.record?.epoch ?? 0);
    const next = { ...record, epoch: Math.max(record.epoch, before.epoch + (moved ? 1 : 0)) };
    return { before, change: { endpoint, expected: before.revision, record: next, audit } };
  }

  async #follow(): Promise<void> {
    try {
      for await (const stored of this.#store.changes(this.#generation, this.#stop.signal)) {
        // The echo of an own write must not look like the write of somebody else.
        if (this.#writing.has(stored.endpoint)) this.#writing.set(stored.endpoint, stored);
        else this.#learn(stored);
      }
    } catch {
      // What it was is the store's to say; what matters is that nothing is heard any more.
    }
    if (this.#stop.signal.aborted) return;
    // A store that ended its feed is closed and says so itself; if it does not, nobody would tell us of a rejection.
    this.#following = 'lost';
    this.health();
  }

  #learn(stored: StoredRecord): void {
    const moved = this.mirror.follow(stored);
    if (moved !== null) this.#moved(moved);
  }

  /** A key was shown again: kept in memory, written down by `flush`. */
  see(endpoint: string, spki: string, now: number): void {
    const sighting = this.mirror.see(endpoint, spki, now);
    if (sighting === null) return;
    const seenCount = sighting.kind === 'pin' ? 0 : sighting.seenCount;
    this.#waiting.set(`${endpoint}\0${spki}`, {
      endpoint,
      spki,
      kind: sighting.kind,
      lastSeen: now,
      seenCount,
    });
  }

  /**
   * Writes sightings down: of pins at most hourly, of candidates at most once a minute; all of them for `all`. A clock
   * that was set back keeps none of them.
   */
  async flush(now: number, which: 'due' | 'all'): Promise<void> {
    const due = [...this.#waiting].filter(
      ([key, { kind }]) =>
        which === 'all' || Math.abs(now - (this.#flushedAt.get(key) ?? -Infinity)) >= flushEveryMs[kind],
    );
    if (due.length === 0) return;
    for (const [key, at] of this.#flushedAt)
      if (Math.abs(now - at) > flushEveryMs.pin) this.#flushedAt.delete(key);
    for (const [key] of due) {
      this.#waiting.delete(key);
      this.#flushedAt.set(key, now);
    }
    try {
      await this.#store.touch(
        due.map(([, { endpoint, spki, lastSeen, seenCount }]) => ({ endpoint, spki, lastSeen, seenCount })),
      );
    } catch {
      // A lost sighting opens nothing; whether the store is well is told by its health.
      this.health();
    }
  }

  async #commit(changes: readonly Change[]): Promise<Committed | Conflict | { readonly cause: unknown }> {
    const startedAt = performance.now();
    try {
      const answer = await this.#store.commit(changes);
      this.#operated(startedAt, { ok: true });
      return answer;
    } catch (cause) {
      this.#operated(startedAt, { ok: false });
      return { cause };
    }
  }

  #announce({ audit, session }: Writing): void {
    const about = session === undefined ? {} : { session };
    for (const { endpoint, event, origin, spki, detail } of audit) {
      this.#on({ type: 'pin-changed', ...about, endpoint, event, origin, spki, detail });
    }
  }

  #operated(startedAt: number, { ok }: { readonly ok: boolean }): void {
    this.#on({ type: 'store-operation', seconds: (performance.now() - startedAt) / 1000, ok });
    this.health();
  }
}
