// What is drawn by chance, the same for the same seed (mulberry32).

/** Numbers from 0 up to 1. */
export function chanceOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of `rows`, each as likely as its `weight` is large. */
export function drawn(rows, chance) {
  let place = chance() * rows.reduce((sum, { weight }) => sum + weight, 0);
  return rows.find(({ weight }) => (place -= weight) < 0) ?? rows.at(-1);
}
