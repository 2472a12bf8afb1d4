// Turns bound how much goes on at once: dials under way, farewells delayed. First come, first served; who
// waits too long, or leaves, gives its place up.

import { Failure } from '../errors.ts';

/** Gives the turn back; calling it again does nothing. */
export type Release = () => void;

interface Waiter {
  readonly admit: () => void;
}

export class Turns {
  readonly #limit: number;
  #taken = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many could be taken at once. */
  get free(): number {
    return this.#limit - this.#taken;
  }

  /** A turn at once, or null when all are taken. */
  take(): Release | null {
    if (this.#taken >= this.#limit) return null;
    this.#taken += 1;
    return this.#release();
  }

  /** Waits for a turn. Throws Failure `timeout` after `deadlineMs`, or the signal's reason when aborted. */
  wait(options: { readonly deadlineMs: number; readonly signal: AbortSignal }): Promise<Release> {
    options.signal.throwIfAborted();
    const now = this.take();
    if (now !== null) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        options.signal.removeEventListener('abort', aborted);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        admit: () => {
          leave();
          this.#taken += 1;
          resolve(this.#release());
        },
      };
      const aborted = (): void => {
        leave();
        const reason: unknown = options.signal.reason;
        reject(reason instanceof Error ? reason : new Failure('client'));
      };
      const timer = setTimeout(() => {
        leave();
        reject(new Failure('timeout'));
      }, options.deadlineMs);
      options.signal.addEventListener('abort', aborted, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #release(): Release {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken -= 1;
      for (const waiter of this.#waiting) {
        waiter.admit();
        break;
      }
    };
  }
}
