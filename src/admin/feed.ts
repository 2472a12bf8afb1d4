// What happened lately, for whoever looks on: the latest log entries in a ring, and any follower's place in it. A
// follower has no queue of its own: one that falls behind the ring is let go. It hears what the log says of an
// event, so nothing comes in that may not stand in a log.

import { CommandError } from '../errors.ts';
import { isQuiet, logEntry } from '../ops/log-entry.ts';
import type { LogEntry } from '../ops/log-entry.ts';
import type { ProxyEvent } from '../proxy/events.ts';
import type { FeedEntry, FollowOptions } from './live-shapes.ts';
import { isoDate } from './rows.ts';

export interface FeedLimits {
  /** Entries kept; default 1000. */
  readonly entries?: number;
  /** Default 16. */
  readonly followers?: number;
}

export class Feed {
  readonly #now: () => number;
  readonly #most: number;
  readonly #mostFollowers: number;
  /** Oldest first; ids rise by one. */
  readonly #ring: Held[] = [];
  readonly #wake = new Set<() => void>();
  #latest: number;
  #followers = 0;
  #closed = false;

  /** Ids go on from the time it is made, so that they rise over restarts too. */
  constructor(now: () => number, { entries = 1000, followers = 16 }: FeedLimits = {}) {
    this.#now = now;
    this.#most = entries;
    this.#mostFollowers = followers;
    this.#latest = now();
  }

  /** A listener of events; `entryFor` makes the entry, where one is wanted. */
  take(event: ProxyEvent, entryFor: typeof logEntry = logEntry): void {
    const entry = isQuiet(event) ? null : entryFor(event);
    if (!isTold(event, entry)) return;
    this.#latest += 1;
    this.#ring.push({ id: this.#latest, at: this.#now(), event, entry });
    if (this.#ring.length > this.#most) this.#ring.shift();
    this.#wakeAll();
  }

  /** @throws CommandError when there are too many followers, or this one reads too slowly */
  async *follow({ after, signal, hello }: FollowOptions): AsyncGenerator<FeedEntry, void> {
    if (this.#followers >= this.#mostFollowers) throw tooMany(this.#mostFollowers);
    this.#followers += 1;
    try {
      const { from, dropped } = this.#start(after);
      hello?.({ id: this.#latest, dropped });
      yield* this.#entriesAfter(from, signal);
    } finally {
      this.#followers -= 1;
    }
  }

  /** Ends every follower, in good order. */
  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  /** An id nobody gave yet is of another life of this daemon: everything since is told. */
  #start(after: number | null): { readonly from: number; readonly dropped: boolean } {
    if (after === null) return { from: this.#latest, dropped: false };
    const before = (this.#ring[0]?.id ?? this.#latest + 1) - 1;
    if (after > this.#latest) return { from: before, dropped: true };
    return { from: Math.max(after, before), dropped: after > 0 && after < before };
  }

  async *#entriesAfter(from: number, signal: AbortSignal): AsyncGenerator<FeedEntry, void> {
    let seen = from;
    while (!signal.aborted) {
      const oldest = this.#ring[0]?.id ?? this.#latest + 1;
      if (seen + 1 < oldest) throw tooSlow();
      const next = this.#ring[seen + 1 - oldest];
      if (next !== undefined) {
        seen = next.id;
        yield told(next);
      } else if (this.#closed) return;
      else await this.#moved(signal);
    }
  }

  #moved(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake();
  }
}

/** Put into words when somebody follows. */
interface Held {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: ProxyEvent;
  /** Null where none was made yet. */
  readonly entry: LogEntry | null;
}

const told = ({ id, at, event, entry }: Held): FeedEntry => ({
  id,
  at: isoDate(at),
  ...(entry ?? logEntry(event)),
});

/** Sessions come and go at `debug` in the log; who looks on wants to see them. */
const isTold = ({ type }: ProxyEvent, entry: LogEntry | null): boolean =>
  entry === null ? type === 'session-started' : entry.level !== 'debug';

const tooMany = (most: number): CommandError =>
  new CommandError('no-daemon', `${most} programs follow the events already`, {
    code: 'too-many-followers',
    hint: 'Close a page or a status --watch that is not needed.',
  });

const tooSlow = (): CommandError =>
  new CommandError('no-daemon', 'the events came faster than they were read', {
    code: 'reader-too-slow',
    hint: 'Follow again from the last id that was read: what is not kept any more is left out.',
  });
