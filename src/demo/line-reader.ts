// Reads lines and counted octets from a socket for the demo mail server. Buffers only, bounded.

import type { Duplex } from 'node:stream';

const maxLine = 1_048_576;

export class LineReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #held = Buffer.alloc(0);

  constructor(socket: Duplex) {
    this.#chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** The next line without its line end; null at the end of the stream. Throws RangeError for an endless line. */
  async line(): Promise<string | null> {
    let end = this.#held.indexOf(10);
    while (end === -1) {
      if (this.#held.length > maxLine) throw new RangeError('line too long');
      if (!(await this.#more())) return null;
      end = this.#held.indexOf(10);
    }
    const line = this.#take(end + 1).toString('latin1');
    return line.replace(/\r?\n$/, '');
  }

  /** Exactly `count` octets; null when the stream ends first. */
  async octets(count: number): Promise<Buffer | null> {
    while (this.#held.length < count) if (!(await this.#more())) return null;
    return this.#take(count);
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done === true) return false;
    this.#held = Buffer.concat([this.#held, value]);
    return true;
  }
}
