// The records of a database as they are read, each counted once: what they sum up to, and which of them can be believed.
// A record is believed when its own checksum holds, or when all there are sum up to the digest of a sound head: then every
// byte of every one is as it was written, its checksum included.

import { Pace } from '../pace.ts';
import { decodeRow, hashOf, type RecordRow } from './codec.ts';
import { keys } from './database.ts';
import { addWeight, digestText, noDigest, weightOf, type Head } from './head.ts';
import { startOfRow, UnreadRow } from './unread-row.ts';

/** A key of the database, and the row as it is stored there. */
export type Entry = readonly [string, string];

/** `all`: each checksum is computed. `in-doubt`: only if the digest does not say already that they hold. */
export type Checksums = 'all' | 'in-doubt';

export interface Stocktaking {
  /** Records that verify, by endpoint. */
  readonly rows: Map<string, RecordRow>;
  /** What each record adds to the digest, verified or not. */
  readonly weights: Map<string, bigint>;
  readonly digest: bigint;
  readonly unverified: readonly string[];
}

const prefixLength = keys.record('').length;

export class Stock {
  readonly #rows = new Map<string, RecordRow>();
  readonly #weights = new Map<string, bigint>();
  #digest = noDigest;

  /** Those that were counted before are passed over. */
  add(entries: readonly Entry[]): void {
    // One long text, which rows have parts of: the collector of young objects would copy each text twice.
    const texts = entries.map(([, text]) => text).join('');
    let [at, sum] = [0, noDigest];
    for (const [key, text] of entries) {
      const end = at + text.length;
      sum += this.#weigh(key, text, texts.slice(at, end));
      at = end;
    }
    this.#digest = addWeight(this.#digest, sum);
  }

  /** What was added; the stock is used up. `head` is null where there is none that can be relied on. */
  async taken(head: Head | null, checksums: Checksums): Promise<Stocktaking> {
    const [rows, weights, digest] = [this.#rows, this.#weights, this.#digest];
    const fits = head !== null && head.count === weights.size && head.digest === digestText(digest);
    if (checksums === 'all' || !fits) await this.#drop();
    const unverified =
      rows.size === weights.size ? [] : [...weights.keys()].filter((name) => !rows.has(name));
    return { rows, weights, digest, unverified };
  }

  #weigh(key: string, text: string, kept: string): bigint {
    const endpoint = key.slice(prefixLength);
    if (this.#weights.has(endpoint)) return noDigest;
    const weight = weightOf(hashOf(key, text));
    const start = startOfRow(endpoint, text);
    const row = start === null ? decodeRow(key, endpoint, text) : new UnreadRow(start, kept);
    if (row !== null) this.#rows.set(endpoint, row);
    this.#weights.set(endpoint, weight);
    return weight;
  }

  /** Rows whose checksum does not hold go. */
  async #drop(): Promise<void> {
    const pace = new Pace();
    for (const [endpoint, row] of this.#rows) {
      if (row instanceof UnreadRow && !row.isSound(keys.record(endpoint))) this.#rows.delete(endpoint);
      if (pace.isDue) await pace.rest();
    }
  }
}
