// Writes what was decided: durable first, then the mirror, then the announcement. Nothing here judges, and a
// write that failed or met another one leaves the mirror as it was or as the store says.

import type { Change, Committed, Conflict, PinStore, StoreHealth, Touch } from '../store/pin-store.ts';
import type { AuditEntry } from '../trust/change.ts';
import type { EndpointRecord } from '../trust/record.ts';
import type { Listener, TrustEvent } from './event.ts';
import { Mirror, type Entry, type Sighting } from './mirror.ts';

export interface Writing {
  readonly record: EndpointRecord;
  readonly audit: readonly AuditEntry[];
}

/** `before` and `after` are what the mirror held. After `conflict` it holds what the store has; try again. */
export type Written =
  | { readonly state: 'stored'; readonly before: Entry; readonly after: Entry }
  | { readonly state: 'conflict' }
  | { readonly state: 'failed'; readonly cause: unknown };

const flushEveryMs = { pin: 3_600_000, candidate: 60_000 } as const;

interface Waiting extends Touch {
  readonly kind: Sighting['kind'];
}

export class Ledger {
  readonly mirror: Mirror;
  readonly #store: PinStore;
  readonly #on: Listener<TrustEvent>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #flushedAt = new Map<string, number>();
  #health: StoreHealth['state'] | null = null;

  private constructor(mirror: Mirror, store: PinStore, on: Listener<TrustEvent>) {
    this.mirror = mirror;
    this.#store = store;
    this.#on = on;
  }

  /** Reads every record. @throws StoreError */
  static async open(store: PinStore, on: Listener<TrustEvent>): Promise<Ledger> {
    const ledger = new Ledger(await Mirror.load(store), store, on);
    ledger.health();
    return ledger;
  }

  /** The store's own word; a change of it is announced. */
  health(): StoreHealth {
    const health = this.#store.health();
    if (health.state !== this.#health) {
      this.#health = health.state;
      this.#on({ type: 'store-health', health });
    }
    return health;
  }

  /** Writes the next record of an endpoint on top of the one the mirror holds. Never rejects. */
  async write(endpoint: string, { record, audit }: Writing): Promise<Written> {
    const before = this.mirror.entry(endpoint);
    const moved = record.epoch !== (before.record?.epoch ?? 0);
    const next = { ...record, epoch: Math.max(record.epoch, before.epoch + (moved ? 1 : 0)) };
    const change = { endpoint, expected: before.revision, record: next, audit };
    const answer = await this.#commit(change);
    if (!('committed' in answer)) return { state: 'failed', cause: answer.cause };
    if (!answer.committed) {
      for (const stored of answer.current) this.mirror.put(stored);
      return { state: 'conflict' };
    }
    const revision = answer.revisions.get(endpoint) ?? before.revision + 1;
    this.mirror.put({ endpoint, revision, record: next, verified: true });
    this.#announce(audit);
    return { state: 'stored', before, after: this.mirror.entry(endpoint) };
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

  /** Writes sightings down: of pins at most hourly, of candidates at most once a minute; all of them for `all`. */
  async flush(now: number, which: 'due' | 'all'): Promise<void> {
    const due = [...this.#waiting].filter(
      ([key, { kind }]) =>
        which === 'all' || now - (this.#flushedAt.get(key) ?? -Infinity) >= flushEveryMs[kind],
    );
    if (due.length === 0) return;
    for (const [key, at] of this.#flushedAt) if (now - at > flushEveryMs.pin) this.#flushedAt.delete(key);
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

  async #commit(change: Change): Promise<Committed | Conflict | { readonly cause: unknown }> {
    const startedAt = performance.now();
    try {
      const answer = await this.#store.commit([change]);
      this.#operated(startedAt, { ok: true });
      return answer;
    } catch (cause) {
      this.#operated(startedAt, { ok: false });
      return { cause };
    }
  }

  #announce(audit: readonly AuditEntry[]): void {
    for (const { endpoint, event, origin, spki, detail } of audit) {
      this.#on({ type: 'pin-changed', endpoint, event, origin, spki, detail });
    }
  }

  #operated(startedAt: number, { ok }: { readonly ok: boolean }): void {
    this.#on({ type: 'store-operation', seconds: (performance.now() - startedAt) / 1000, ok });
    this.health();
  }
}
