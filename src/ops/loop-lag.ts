// How late the event loop comes to what is due. Looked at every 20 ms while the loop has work; a loop that has none is
// looked at every few seconds, because fifty wake-ups a second are all that a silent daemon would spend battery on.
// Of such a silence only a hold that begins with no event, and is over before the next look, goes unseen.

import { createHistogram, performance } from 'node:perf_hooks';

const busyMs = 20;
const quietMs = 5_000;
/** After so many looks the loop may be found quiet. */
const looksPerPhase = 50;
/** Who worked less than this between two such looks was not held up by more either. */
const quietActiveMs = 20;

/** Whoever made it closes it. Its timer keeps no process alive. */
export class LoopLag {
  readonly #late = createHistogram();
  #usage = performance.eventLoopUtilization();
  #looks = 0;
  /** Looks that were not taken, of a loop that was not late. */
  #spared = 0;
  /** By performance.now(); null while the loop is busy. */
  #quietSince: number | null = null;
  #due = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor() {
    this.#lookEvery(busyMs);
  }

  /** Something happens: from now on it is looked at closely. */
  stir(): void {
    if (this.#quietSince === null || this.#timer === null) return;
    this.#spare();
    this.#quietSince = null;
    this.#usage = performance.eventLoopUtilization();
    this.#lookEvery(busyMs);
  }

  /** Seconds, since `forget`; the whole time counts alike, also the quiet one. */
  percentile(percent: number): number {
    this.#spare();
    const { count } = this.#late;
    const rank = (percent / 100) * (count + this.#spared) - this.#spared;
    if (count === 0 || rank <= 0) return 0;
    return this.#late.percentile(Math.min(100, (100 * rank) / count)) / 1e9;
  }

  get longest(): number {
    return this.#late.count === 0 ? 0 : this.#late.max / 1e9;
  }

  forget(): void {
    this.#spare();
    this.#spared = 0;
    this.#late.reset();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #lookEvery(ms: number): void {
    this.close();
    this.#looks = 0;
    this.#due = performance.now() + ms;
    this.#timer = setInterval(() => this.#look(ms), ms).unref();
  }

  #look(ms: number): void {
    const now = performance.now();
    this.#late.record(Math.max(1, Math.round((now - this.#due) * 1e6)));
    this.#due = now + ms;
    this.#looks += 1;
    if (ms === busyMs && this.#looks < looksPerPhase) return;
    this.#looks = 0;
    const usage = performance.eventLoopUtilization();
    const active = usage.active - this.#usage.active;
    this.#usage = usage;
    if (active >= quietActiveMs) return this.stir();
    if (this.#quietSince !== null) return;
    this.#quietSince = now;
    this.#lookEvery(quietMs);
  }

  #spare(): void {
    if (this.#quietSince === null) return;
    const now = performance.now();
    this.#spared += (now - this.#quietSince) / busyMs;
    this.#quietSince = now;
  }
}
