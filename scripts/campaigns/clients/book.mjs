// What a campaign found and how much it did. Findings that say the same thing are told a few times, then counted. What
// stands in them was made up for the run: its passwords open nothing.

const mostOfAKind = 3;
const excerptBytes = 120;

export class Book {
  #counts = new Map();
  #kinds = new Map();

  /** So much more was done. */
  count(label, more = 1) {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + more);
  }

  /** A measure of which the largest counts. */
  highest(label, value) {
    this.#counts.set(label, Math.max(this.#counts.get(label) ?? 0, value));
  }

  set(label, value) {
    this.#counts.set(label, value);
  }

  /** `kind` is the rule that was broken, `what` this one time. */
  found(kind, what) {
    const times = this.#kinds.get(kind) ?? [];
    times.push(what);
    this.#kinds.set(kind, times);
  }

  /** Whether it holds. */
  check(holds, kind, what) {
    if (!holds) this.found(kind, typeof what === 'function' ? what() : what);
    return holds;
  }

  get figures() {
    return [...this.#counts];
  }

  get findings() {
    return [...this.#kinds].flatMap(([kind, times]) => {
      const told = times.slice(0, mostOfAKind).map((what) => `${kind}: ${what}`);
      const more = times.length - told.length;
      return more === 0 ? told : [...told, `${kind}: ${more} times more`];
    });
  }
}

/** Bytes as a person can read them, and not too many. */
export function shown(bytes) {
  const text = JSON.stringify(Buffer.from(bytes).subarray(0, excerptBytes).toString('latin1'));
  return bytes.length > excerptBytes ? `${text}... (${bytes.length} bytes)` : text;
}
