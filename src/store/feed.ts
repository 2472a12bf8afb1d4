// Hands every durable change to whoever follows the store. A follower that is slow gets the latest state
// of each endpoint instead of a queue that grows.

import type { StoredRecord } from './pin-store.ts';

export class Feed {
  readonly #followers = new Set<(records: readonly StoredRecord[] | null) => void>();
  /** Followers that have not yet asked for more after what they were given. */
  readonly #busy = new Set<unknown>();
  #waiting: (() => void)[] = [];

  publish(records: readonly StoredRecord[]): void {
    for (const follower of this.#followers) follower(records);
  }

  /** Ends every iteration. */
  end(): void {
    for (const follower of this.#followers) follower(null);
  }

  /** Resolves when every follower took what was published so far and asked for more. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#tellDrained();
    });
  }

  /** First what `before()` says at the moment iteration starts, then what is published, until `signal` aborts. */
  async *follow(before: () => readonly StoredRecord[], signal: AbortSignal): AsyncGenerator<StoredRecord> {
    const waiting = new Map<string, StoredRecord>();
    let ended = signal.aborted;
    let wake: (() => void) | null = null;
    const follower = (records: readonly StoredRecord[] | null) => {
      if (records === null) ended = true;
      for (const record of records ?? []) {
        waiting.delete(record.endpoint);
        waiting.set(record.endpoint, record);
        this.#busy.add(follower);
      }
      wake?.();
    };
    const stop = () => follower(null);
    this.#followers.add(follower);
    signal.addEventListener('abort', stop, { once: true });
    try {
      follower(before());
      for (;;) {
        for (const [endpoint, record] of waiting) {
          if (signal.aborted) return;
          waiting.delete(endpoint);
          yield record;
        }
        if (ended) return;
        this.#rest(follower);
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (ended || waiting.size > 0) resolve();
        });
      }
    } finally {
      this.#followers.delete(follower);
      signal.removeEventListener('abort', stop);
      this.#rest(follower);
    }
  }

  #rest(follower: unknown): void {
    this.#busy.delete(follower);
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (this.#busy.size > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell();
  }
}
