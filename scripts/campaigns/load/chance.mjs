// What is drawn by chance out of rows.

/** One of `rows`, each as likely as its `weight` is large. */
export function drawn(rows, chance) {
  let place = chance() * rows.reduce((sum, { weight }) => sum + weight, 0);
  return rows.find(({ weight }) => (place -= weight) < 0) ?? rows.at(-1);
}
