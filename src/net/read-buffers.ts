// The memory that relays read into, for all sessions of a process: one buffer in which every read lands, and a few
// slabs that hold what came until it is written. A slab belongs to one session from `take` to `give`; whoever
// gives one back must be sure that nobody reads or writes it any more, or one user's mail reaches another.

/** As much as the system hands over at once. */
const landingBytes = 65_536;
export const slabBytes = 131_072;
/** More free ones than this are left to the garbage collector. */
const spareSlabs = 16;

export class ReadBuffers {
  /** Holds what was read last, by whatever socket, until the next read of any: copied at once. */
  readonly landing: Buffer = Buffer.allocUnsafeSlow(landingBytes);
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
  }

  give(slab: Buffer): void {
    if (this.#spare.length < spareSlabs) this.#spare.push(slab);
  }
}
