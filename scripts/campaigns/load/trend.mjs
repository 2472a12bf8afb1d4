// Whether something grows: the straight line through what was measured. Pure.

/** Of `{at, value}` each: how much the line through them rises for one of `at`; 0 where there is no line. */
export function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [atMean, valueMean] = [mean(({ at }) => at), mean(({ value }) => value)];
  const spread = points.reduce((sum, { at }) => sum + (at - atMean) ** 2, 0);
  const together = points.reduce((sum, { at, value }) => sum + (at - atMean) * (value - valueMean), 0);
  return spread === 0 ? 0 : together / spread;
}

/** The later half of them, three at least. */
export const laterHalf = (points) =>
  points.slice(Math.min(Math.floor(points.length / 2), Math.max(0, points.length - 3)));
