// What could not be reached a moment ago is tried last for a while: a dead first server costs its share of the
// deadline once, not with each session. Nothing is left out, so a memory that is wrong costs time only.

const rememberedMs = 30_000;

/** Times are monotonic milliseconds. Holds no more than what its owner lists. */
export class FailedLately<T> {
  readonly #at = new Map<T, number>();

  failed(item: T, now: number): void {
    this.#at.set(item, now);
  }

  reached(item: T): void {
    this.#at.delete(item);
  }

  /** Those that failed lately behind the others, each part in its own order. */
  ordered(items: readonly T[], now: number): readonly T[] {
    const failed = (item: T): boolean => now - (this.#at.get(item) ?? -Infinity) < rememberedMs;
    return [...items.filter((item) => !failed(item)), ...items.filter(failed)];
  }
}
