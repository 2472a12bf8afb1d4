// Waiting for what has to come, with a limit that counts only while nothing moves.

export interface Awaited {
  /** A figure that changes as long as there is hope. */
  readonly moved: () => number;
  readonly what: () => string;
}

export class Patience {
  readonly #ms: number;

  /** So long may nothing move. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  async until(holds: () => boolean, { moved, what }: Awaited): Promise<void> {
    let last = moved();
    let since = performance.now();
    while (!holds()) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const now = performance.now();
      if (moved() !== last) since = now;
      last = moved();
      if (now - since > this.#ms) throw new Error(`${what()}, then nothing for ${this.#ms} ms`);
    }
  }

  /** The value of `promise`, which has to come soon. */
  async of<T>(promise: Promise<T>, awaited: Awaited): Promise<T> {
    let came = false;
    const value = promise.finally(() => (came = true));
    await Promise.race([value, this.until(() => came, awaited)]);
    return value;
  }
}

/** So many turns of the event loop; sockets are read and written in each. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
