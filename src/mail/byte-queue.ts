// Received bytes that wait for the rest of their line. Grows to what is held and no further; what was taken
// out or outgrown is overwritten, because a client's line can be a password.

export class ByteQueue {
  #bytes = new Uint8Array();
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Copies the chunk behind what is held. */
  push(chunk: Uint8Array): void {
    this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The byte at `index` from the front; NaN behind the end. */
  at(index: number): number {
    return index < this.length ? (this.#bytes[this.#start + index] ?? NaN) : NaN;
  }

  /** Index of the first LF at or after `from`, or -1. */
  lineFeedFrom(from: number): number {
    const found = this.#bytes.subarray(0, this.#end).indexOf(0x0a, this.#start + from);
    return found < 0 ? -1 : found - this.#start;
  }

  /** Removes and returns the first `count` bytes (or all there are). The caller owns the copy. */
  take(count: number = this.length): Uint8Array {
    const taken = this.#bytes.slice(this.#start, Math.min(this.#start + count, this.#end));
    this.drop(taken.length);
    return taken;
  }

  /** Removes the first `count` bytes unread; returns how many there were to remove. */
  drop(count: number): number {
    const dropped = Math.min(count, this.length);
    this.#bytes.fill(0, this.#start, this.#start + dropped);
    this.#start += dropped;
    if (this.#start === this.#end) this.#start = this.#end = 0;
    return dropped;
  }

  #makeRoom(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const needed = this.length + more;
    const room = new Uint8Array(Math.max(256, needed * 2));
    room.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes.fill(0);
    this.#end = this.length;
    this.#start = 0;
    this.#bytes = room;
  }
}
