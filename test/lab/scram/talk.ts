// A connection as a server reads it: whole lines and counted bytes, one after the other.

import { once } from 'node:events';
import type { Socket } from 'node:net';

/** The client left. */
export class Gone extends Error {}

export class Talk {
  readonly socket: Socket;
  #held = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** The next line as latin1, without its CRLF. Throws Gone. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf('\r\n');
      if (end >= 0) return (await this.bytes(end + 2)).toString('latin1', 0, end);
      await this.#more();
    }
  }

  /** The next `count` bytes. Throws Gone. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#held.length < count) await this.#more();
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async #more(): Promise<void> {
    for (;;) {
      const chunk: unknown = this.socket.read();
      if (Buffer.isBuffer(chunk)) {
        this.#held = Buffer.concat([this.#held, chunk]);
        return;
      }
      if (this.socket.destroyed || this.socket.readableEnded) throw new Gone();
      const over = new AbortController();
      const events = ['readable', 'end', 'close'].map((event) =>
        once(this.socket, event, { signal: over.signal }),
      );
      // A socket that fails closes as well.
      await Promise.race(events).catch(() => undefined);
      over.abort();
      await Promise.allSettled(events);
    }
  }
}
