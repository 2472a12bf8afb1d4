// Numbers by chance that a seed repeats: everything that is drawn in any campaign comes from here.

/** Whole numbers from 0 to below 2 ** 32 (mulberry32: its whole state is one number). */
export function wordsFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Numbers from 0 to below 1. */
export function numbersFrom(seed) {
  const word = wordsFrom(seed);
  return () => word() / 2 ** 32;
}
