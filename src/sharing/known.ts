// The records a process knows of a store it does not write itself, or not alone: the newest of each endpoint,
// told in order to whoever follows. News may come twice and late; it never goes back.

import { Feed } from '../store/feed.ts';
import type { Change, Committed, StoredRecord } from '../store/pin-store.ts';

interface KnownRow {
  readonly stored: StoredRecord;
  /** Of the store when we heard of it: never less than that of the write. */
  readonly generation: number;
}

export class Known {
  readonly #rows = new Map<string, KnownRow>();
  readonly #feed = new Feed();

  /** Takes in what is newer than what is known, and tells of it. */
  put(records: Iterable<StoredRecord>, generation: number): void {
    const news: StoredRecord[] = [];
    for (const stored of records) {
      const known = this.#rows.get(stored.endpoint)?.stored;
      // Revision 0 was never written: no news of anything.
      if (stored.revision <= (known?.revision ?? 0)) continue;
      this.#rows.set(stored.endpoint, { stored, generation });
      news.push(stored);
    }
    if (news.length > 0) this.#feed.publish(news);
  }

  /** What a commit wrote, known in the moment in which it is answered. */
  committed(changes: readonly Change[], { revisions }: Committed, generation: number): void {
    const rows = changes.map(({ endpoint, record, expected }) => ({
      endpoint,
      revision: revisions.get(endpoint) ?? expected + 1,
      record,
      verified: true,
    }));
    this.put(rows, generation);
  }

  /** The first endpoint of which `records` know less than is known here; null when there is none. */
  missingIn(records: readonly StoredRecord[]): string | null {
    const revisions = new Map(records.map(({ endpoint, revision }) => [endpoint, revision]));
    for (const [endpoint, { stored }] of this.#rows)
      if ((revisions.get(endpoint) ?? -1) < stored.revision) return endpoint;
    return null;
  }

  async *follow(generation: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    const newer = () => [...this.#rows.values()].filter((row) => row.generation > generation);
    yield* this.#feed.follow(() => newer().map(({ stored }) => stored), signal);
  }

  /** Resolves when everybody who follows has taken in everything told so far. */
  taken(): Promise<void> {
    return this.#feed.drained();
  }

  /** Ends every iteration. */
  end(): void {
    this.#feed.end();
  }
}
