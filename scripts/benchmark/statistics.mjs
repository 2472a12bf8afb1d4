// Numbers of a run made into few: medians, ranges, and ratios of what was measured side by side. Pure.

export function quantile(numbers, share) {
  const sorted = Array.from(numbers).toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (numbers) => quantile(numbers, 0.5);

/** `{median, low, high}`; null of nothing. */
export function summary(numbers) {
  if (numbers.length === 0) return null;
  return { median: median(numbers), low: Math.min(...numbers), high: Math.max(...numbers) };
}

/** Rep by rep, as they were measured beside each other: what disturbed one disturbed the other too. */
export function ratio(ours, theirs) {
  const pairs = Math.min(ours.length, theirs.length);
  const ratios = ours.slice(0, pairs).map((number, index) => number / theirs[index]);
  return summary(ratios.filter(Number.isFinite));
}

/** Three significant digits, and no more behind the point than a reader wants. */
export function shown(number) {
  if (number === 0) return '0';
  const size = Math.abs(number);
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
