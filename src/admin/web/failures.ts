// How often a wrong code or token is answered as one: ten at once, then one every six seconds. It only chooses
// the answer to what failed already, so that nobody who guesses can shut out a holder of the right one.

const burst = 10;
const refillMs = 6000;

export class Failures {
  readonly #now: () => number;
  #left = burst;
  #since: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Counts one failure; false when there were too many. */
  admit(): boolean {
    this.#refill();
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Whole seconds until the next one is admitted. */
  get retrySeconds(): number {
    return Math.max(1, Math.ceil((refillMs - (this.#now() - this.#since)) / 1000));
  }

  #refill(): void {
    const now = this.#now();
    const gained = Math.floor((now - this.#since) / refillMs);
    // A clock set back starts the wait anew; it gives nothing.
    if (gained < 0) this.#since = now;
    if (gained <= 0) return;
    this.#left = Math.min(burst, this.#left + gained);
    this.#since += gained * refillMs;
  }
}
