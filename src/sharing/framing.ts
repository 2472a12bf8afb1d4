// Lines in and out of a socket, both bounded: one that never ends a line, and one that never reads what it is
// sent, lose their connection instead of filling the memory.

import type { Duplex } from 'node:stream';

const newline = 0x0a;

/** Every whole line until the peer ends. @throws RangeError for one that is too long */
export async function* linesFrom(
  socket: Duplex,
  { head, maxBytes }: { readonly head: Uint8Array; readonly maxBytes: number },
): AsyncGenerator<string> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(socket, head)) {
    let rest: Uint8Array = chunk;
    for (let end = rest.indexOf(newline); end !== -1; end = rest.indexOf(newline)) {
      const line = Buffer.concat([...pieces, rest.subarray(0, end)]);
      if (line.length > maxBytes) throw new RangeError('a line is too long');
      yield line.toString('utf8');
      [pieces, bytes] = [[], 0];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) pieces.push(rest);
    bytes += rest.length;
    if (bytes > maxBytes) throw new RangeError('a line is too long');
  }
}

async function* chunksOf(socket: Duplex, head: Uint8Array): AsyncGenerator<Uint8Array> {
  yield head;
  const stream: AsyncIterable<Uint8Array> = socket;
  yield* stream;
}

/** Writes lines; whoever writes waits until the peer takes them. */
export class Pen {
  readonly #socket: Duplex;
  readonly #patienceMs: number;
  #drained: Promise<void> | null = null;

  /** A peer that takes nothing for `patienceMs` is cut off. */
  constructor(socket: Duplex, { patienceMs }: { readonly patienceMs: number }) {
    this.#socket = socket;
    this.#patienceMs = patienceMs;
  }

  /** The peer is behind: what can be left out should be. */
  get behind(): boolean {
    return this.#drained !== null;
  }

  /** Resolves when more may be written, also when the connection is gone. */
  async write(line: string): Promise<void> {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (this.#socket.write(line)) return;
    this.#drained ??= this.#drain();
    await this.#drained;
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const patience = setTimeout(() => this.#socket.destroy(), this.#patienceMs);
      patience.unref();
      const done = (): void => {
        clearTimeout(patience);
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        this.#drained = null;
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }
}
