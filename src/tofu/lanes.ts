// One lane for each endpoint: what reads a record, decides on it and writes it back must not be interleaved
// with another that does the same, or two first uses would both find nothing.

/** Runs work of one lane strictly one after the other, whatever becomes of it; lanes do not wait for each other. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /** Settles as `work` does. */
  run<T>(lane: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(lane) ?? Promise.resolve();
    const running = before.then(work);
    const tail = running.then(nothing, nothing);
    this.#tails.set(lane, tail);
    void this.#clear([lane], tail);
    return running;
  }

  /** In all of `lanes` at once. It stands in line in all of them from this very moment, so that no two wait for each other. */
  runAll<T>(lanes: readonly string[], work: () => Promise<T>): Promise<T> {
    const distinct = new Set(lanes);
    const running = Promise.all([...distinct].flatMap((lane) => this.#tails.get(lane) ?? [])).then(work);
    const tail = running.then(nothing, nothing);
    for (const lane of distinct) this.#tails.set(lane, tail);
    void this.#clear(distinct, tail);
    return running;
  }

  async #clear(lanes: Iterable<string>, tail: Promise<void>): Promise<void> {
    await tail;
    for (const lane of lanes) if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
  }

  /** When everything that was queued has ended. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }
}

const nothing = (): void => undefined;
