// What fuzzing draws by chance; a seed repeats it.

import { wordsFrom } from '../../lab/numbers.mjs';

/** `random(n)` is a whole number from 0 to below n. */
export function randomFrom(seed) {
  const word = wordsFrom(seed);
  return (below) => word() % below;
}

export const oneOf = (list, random) => list[random(list.length)];

/** A seed of its own for everybody who has a name. */
export function seedFor(name, seed) {
  let mixed = seed >>> 0;
  for (const char of name) mixed = (Math.imul(mixed ^ char.codePointAt(0), 0x01000193) + 0x9e3779b9) >>> 0;
  return mixed;
}

/** Bytes or a text in pieces of any size, also of none. */
export function cutByChance(bytes, random) {
  const part = (from, to) => (typeof bytes === 'string' ? bytes.slice(from, to) : bytes.subarray(from, to));
  const most = oneOf([1, 2, 7, 40, 400], random);
  const pieces = [];
  for (let at = 0; at < bytes.length;) {
    const size = random(16) === 0 ? 0 : 1 + random(most);
    pieces.push(part(at, at + size));
    at += size;
  }
  return pieces;
}
