// What bulk transfers carry: bytes that differ at each place and follow from a seed, so that both ends can say by a hash
// whether all came, in order and once.

import { createCipheriv, createHash } from 'node:crypto';

export const pieceBytes = 65_536;
const zeros = Buffer.alloc(pieceBytes);

/** The pieces of `bytes` bytes. */
export function* contentOf(seed, bytes) {
  const key = createHash('sha256').update(`content ${seed}`).digest();
  const stream = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  for (let left = bytes; left > 0; left -= pieceBytes) yield stream.update(zeros.subarray(0, left));
}

/** Takes `bytes` bytes in whatever pieces they come, then says their hash; `take` gives back what is more. */
export class Sink {
  /** Null until all have come. */
  hash = null;
  #left;
  #digest = createHash('sha256');

  constructor(bytes) {
    this.#left = bytes;
    this.#finish();
  }

  take(chunk) {
    const own = chunk.subarray(0, this.#left);
    this.#digest.update(own);
    this.#left -= own.length;
    this.#finish();
    return chunk.subarray(own.length);
  }

  #finish() {
    if (this.#left === 0) this.hash ??= this.#digest.digest('hex');
  }
}

export function hashOf(seed, bytes) {
  const sink = new Sink(bytes);
  for (const piece of contentOf(seed, bytes)) sink.take(piece);
  return sink.hash;
}

/** A peer that takes nothing for so long is stuck. */
const drainMs = 15_000;

/** Writes all of it, no faster than the socket takes it; ends early when that closes. Throws when it is stuck. */
export async function pour(socket, { seed, bytes }) {
  for (const piece of contentOf(seed, bytes)) {
    if (!socket.writable) return;
    if (!socket.write(piece)) await drained(socket);
  }
}

function drained(socket) {
  return new Promise((resolve, reject) => {
    const over = (settle) => (value) => {
      clearTimeout(timer);
      socket.off('drain', go);
      socket.off('close', go);
      settle(value);
    };
    const go = over(resolve);
    const timer = setTimeout(
      () => over(reject)(new Error(`nothing of a transfer was taken within ${drainMs} ms`)),
      drainMs,
    );
    socket.on('drain', go);
    socket.on('close', go);
  });
}
