// Whatever the faults campaign draws by chance, from one seed: each part of it has a row of numbers of its own, so that
// a part that draws more does not change what another one draws.

import { createHash } from 'node:crypto';
import { numbersFrom } from '../lab/numbers.mjs';

export class Chance {
  #number;

  constructor(seed) {
    this.#number = numbersFrom(createHash('sha256').update(String(seed)).digest().readUInt32LE(0));
    this.seed = seed;
  }

  /** The same for the same name, whatever was drawn before. */
  part(name) {
    return new Chance(`${this.seed}/${name}`);
  }

  /** From 0 to 1, without 1. */
  next() {
    return this.#number();
  }

  /** A whole number from 0, without `limit`. */
  below(limit) {
    return Math.floor(this.next() * limit);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  shuffled(list) {
    const all = [...list];
    for (let last = all.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [all[last], all[other]] = [all[other], all[last]];
    }
    return all;
  }
}
