// Bytes that each hang on a seed and on their offset, and on nothing else: a key stream of AES in counter mode. A shift,
// a loss, a byte twice, a stale buffer, another session's bytes: each differs at once, and is named by its first offset.

import { createCipheriv, createHash, type Cipher } from 'node:crypto';

const mebibyte = 1_048_576;
const zeros = Buffer.alloc(mebibyte);
const blockBytes = 16;
/** As few bytes as are alike by chance nowhere in what is searched. */
const tellingBytes = 6;
/** How far back and ahead of the wrong byte its origin is looked for. */
const searchedBytes = 4 * mebibyte;

/** A stream of content, taken in order from `offset` on. */
export class Content {
  readonly seed: string;
  #offset: number;
  readonly #cipher: Cipher;

  constructor(seed: string, offset = 0) {
    this.seed = seed;
    const counter = Buffer.alloc(blockBytes);
    counter.writeUInt32BE(Math.floor(offset / blockBytes), 12);
    const key = createHash('sha256').update(seed).digest().subarray(0, blockBytes);
    this.#cipher = createCipheriv('aes-128-ctr', key, counter);
    this.#offset = offset - (offset % blockBytes);
    this.next(offset % blockBytes);
  }

  /** How many bytes were taken, from the first one of the stream on. */
  get offset(): number {
    return this.#offset;
  }

  next(length: number): Buffer {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; left -= mebibyte) {
      parts.push(this.#cipher.update(zeros.subarray(0, Math.min(left, mebibyte))));
    }
    this.#offset += length;
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }
}

/** Compares what arrives with what has to. */
export class Check {
  received = 0;
  /** Says what the first fault is; nothing is compared after it. */
  #fault: (() => string) | null = null;
  /** Comes before the content. */
  #texts = Buffer.alloc(0);
  readonly #expected: Content;
  readonly #seeds: () => readonly string[];

  /** `seeds`: the streams whose bytes might be found in place of this one's. */
  constructor(expected: Content, seeds: () => readonly string[]) {
    this.#expected = expected;
    this.#seeds = seeds;
  }

  /** These bytes are to come first, behind the ones of earlier calls. */
  first(bytes: Uint8Array): void {
    this.#texts = Buffer.concat([this.#texts, bytes]);
  }

  get wrong(): boolean {
    return this.#fault !== null;
  }

  /** In words; to find out where wrong bytes are from takes a while. */
  fault(): string | null {
    return this.#fault?.() ?? null;
  }

  take(chunk: Uint8Array): void {
    this.received += chunk.length;
    if (this.wrong) return;
    const text = this.#texts.subarray(0, chunk.length);
    this.#texts = this.#texts.subarray(text.length);
    const said = Buffer.from(chunk.subarray(0, text.length));
    if (said.equals(text)) this.#compare(chunk.subarray(text.length));
    else
      this.#fault = () => `${JSON.stringify(said.toString())} in place of ${JSON.stringify(text.toString())}`;
  }

  #compare(chunk: Uint8Array): void {
    const from = this.#expected.offset;
    const expected = this.#expected.next(chunk.length);
    if (expected.equals(chunk)) return;
    const at = chunk.findIndex((byte, index) => byte !== expected[index]);
    // The memory of the piece is not the test's for longer than this call.
    const sample = Buffer.from(chunk.subarray(at, at + blockBytes));
    this.#fault = () => `wrong byte at offset ${from + at}: ${this.#origin(sample, from + at)}`;
  }

  #origin(sample: Buffer, offset: number): string {
    if (sample.length < tellingBytes) return 'too few to tell from where';
    const around = (seed: string): number => {
      const start = Math.max(0, offset - searchedBytes);
      const found = new Content(seed, start).next(2 * searchedBytes).indexOf(sample);
      return found < 0 ? found : start + found;
    };
    const own = around(this.#expected.seed);
    if (own >= 0)
      return `its own bytes of offset ${own}, ${own > offset ? 'some are lost' : 'some came twice'}`;
    for (const seed of this.#seeds()) {
      const found = around(seed);
      if (found >= 0) return `bytes of ${seed} of offset ${found}`;
    }
    return `bytes of nowhere, ${sample.toString('hex')}`;
  }
}
