// Long work in small pieces. A pass over everything that is remembered or configured must not hold the event loop, which
// relays mail meanwhile. Whoever rests lets others write: what is read after a rest may be newer than what was read before.

import { setImmediate as turn } from 'node:timers/promises';

const sliceMs = 8;

/** One for each pass: `for (…) { …; if (pace.isDue) await pace.rest(); }`. */
export class Pace {
  #since = performance.now();

  /** Whether this piece has gone on for long enough. */
  get isDue(): boolean {
    return performance.now() - this.#since >= sliceMs;
  }

  /** Lets the event loop turn once. */
  async rest(): Promise<void> {
    await turn();
    this.#since = performance.now();
  }
}
