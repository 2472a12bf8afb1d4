// Chance that can be repeated: everything drawn in the campaign comes from here, from one seed.

import { createHash } from 'node:crypto';
import { numbersFrom } from '../lab/numbers.mjs';

export class Chance {
  #number;

  /** `what` sets apart what is drawn in one place from what is drawn in another, in whatever order they run. */
  constructor(seed, what = '') {
    this.#number = numbersFrom(createHash('sha256').update(`${seed} ${what}`).digest().readUInt32LE(0));
  }

  /** From 0 to 1, without 1. */
  next() {
    return this.#number();
  }

  /** A whole number from 0, less than `end`. */
  below(end) {
    return Math.floor(this.next() * end);
  }

  one(list) {
    return list[this.below(list.length)];
  }

  flip(share = 0.5) {
    return this.next() < share;
  }

  bytes(count) {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }

  shuffled(list) {
    const left = [...list];
    return list.map(() => left.splice(this.below(left.length), 1)[0]);
  }

  /** The same bytes in pieces, of which none is empty. */
  pieces(bytes, most = 6) {
    const cuts = Array.from({ length: this.below(most) }, () => this.below(bytes.length + 1));
    return cutAt(bytes, cuts);
  }
}

/** The same bytes, cut before each of these indexes. */
export function cutAt(bytes, indexes) {
  const edges = [...new Set([0, ...indexes, bytes.length])].toSorted((a, b) => a - b);
  return edges
    .slice(1)
    .map((edge, at) => bytes.subarray(edges[at], edge))
    .filter(({ length }) => length > 0);
}
