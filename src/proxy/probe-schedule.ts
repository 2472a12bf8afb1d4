// When which server is to be asked next. Pure: it is told the time, and by whom it is told does not matter. Many
// proxies started in one moment must not knock at one moment, nor one that slept over all its times.

/** Whoever asks for what is due does so this often at least: a clock that moved more meanwhile was set, or stood still. */
export const longestWaitMs = 60_000;
const jumpMs = 20_000;
/** What was missed over a sleep is made good within this. */
const catchUpMs = 15 * 60_000;

interface Watched {
  readonly everyMs: number;
  dueAt: number;
}

/** Times are milliseconds since 1970. */
export class ProbeSchedule {
  readonly #random: () => number;
  readonly #watched = new Map<string, Watched>();
  #lookedAt: number | null = null;

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** What is to be asked, and how long at most from one time to the next. What stays as it was keeps its time. */
  replace(intervals: ReadonlyMap<string, number>, now: number): void {
    for (const [name, { everyMs }] of this.#watched)
      if (intervals.get(name) !== everyMs) this.#watched.delete(name);
    for (const [name, everyMs] of intervals)
      if (!this.#watched.has(name)) this.#watched.set(name, { everyMs, dueAt: this.#within(everyMs, now) });
  }

  /** At most `room` of those that are due, the longest due first. Each has its next time from now on. */
  take(now: number, room: number): readonly string[] {
    this.#notice(now);
    const due = [...this.#watched].filter(([, { dueAt }]) => dueAt <= now);
    const taken = due.toSorted(([, one], [, other]) => one.dueAt - other.dueAt).slice(0, Math.max(0, room));
    for (const [name] of taken) this.asked(name, now);
    return taken.map(([name]) => name);
  }

  /** It is being asked now, for whatever reason. */
  asked(name: string, now: number): void {
    const watched = this.#watched.get(name);
    if (watched !== undefined) watched.dueAt = now + watched.everyMs * (0.5 + this.#random() / 2);
  }

  /** Null where it is not watched. */
  next(name: string): number | null {
    return this.#watched.get(name)?.dueAt ?? null;
  }

  /** Until the next time to look, milliseconds; null where there is nothing to wait for. */
  waitMs(now: number): number | null {
    if (this.#watched.size === 0) return null;
    const first = Math.min(...[...this.#watched.values()].map(({ dueAt }) => dueAt));
    return Math.min(Math.max(0, first - now), longestWaitMs);
  }

  #notice(now: number): void {
    const slept = this.#lookedAt !== null && now - this.#lookedAt > longestWaitMs + jumpMs;
    this.#lookedAt = now;
    for (const watched of this.#watched.values()) {
      const { everyMs, dueAt } = watched;
      if (slept && dueAt <= now) watched.dueAt = this.#within(Math.min(everyMs, catchUpMs), now);
      // No time is further away than its interval, unless the clock was set back.
      else if (dueAt - now > everyMs) watched.dueAt = this.#within(everyMs, now);
    }
  }

  /** Never this very moment: a start has other things to do. */
  readonly #within = (ms: number, now: number): number => now + ms * this.#random();
}
