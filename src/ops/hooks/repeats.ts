// Remembers what one hook was told lately, so that a mail program which tries every second tells nobody every second.
// Bounded; the oldest goes first.

interface Told {
  readonly at: number;
  suppressed: number;
}

const maxTold = 2048;

export class Repeats {
  readonly #told = new Map<string, Told>();

  /** Whether it was told within `windowMs`; it is counted then. A clock that was set back makes nothing silent. */
  suppresses(key: string, { now, windowMs }: { readonly now: number; readonly windowMs: number }): boolean {
    const told = this.#told.get(key);
    if (told === undefined || now < told.at || now - told.at >= windowMs) return false;
    told.suppressed += 1;
    return true;
  }

  /** How often it was suppressed since it was last told. */
  suppressed(key: string): number {
    return this.#told.get(key)?.suppressed ?? 0;
  }

  /** Something came in between: it is news again. */
  forget(key: string): void {
    this.#told.delete(key);
  }

  /** It is told now. */
  tell(key: string, now: number): void {
    this.#told.delete(key);
    this.#told.set(key, { at: now, suppressed: 0 });
    const oldest = this.#told.keys().next();
    if (this.#told.size > maxTold && oldest.done !== true) this.#told.delete(oldest.value);
  }
}
