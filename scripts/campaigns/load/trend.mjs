// Whether something grows: the straight line through what was measured. Pure.

import { mebibyte } from './sizes.mjs';

/** Of `{at, value}` each: how much the line through them rises for one of `at`; 0 where there is no line. */
function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [atMean, valueMean] = [mean(({ at }) => at), mean(({ value }) => value)];
  const spread = points.reduce((sum, { at }) => sum + (at - atMean) ** 2, 0);
  const together = points.reduce((sum, { at, value }) => sum + (at - atMean) * (value - valueMean), 0);
  return spread === 0 ? 0 : together / spread;
}

/** The later half of them, three at least. */
const laterHalf = (points) =>
  points.slice(Math.min(Math.floor(points.length / 2), Math.max(0, points.length - 3)));

/**
 * What may come on top in that half: what is compiled late, how full the allocator's pages are, and that a thousand
 * connections which ended are remembered, in more words than those of a flood.
 */
const allowed = {
  heapUsed: (bytes) => mebibyte + bytes / 50,
  rss: (bytes) => 8 * mebibyte + bytes / 25,
};

/** Bytes a second in the later half, by a name of `allowed`; `found` hears of what is too much. */
export function trendOf(points, { what, found }) {
  const later = laterHalf(points);
  const [first, last] = [later[0], later.at(-1)];
  const seconds = (last.at - first.at) / 1000;
  const perSecond = slope(later.map((point) => ({ at: point.at / 1000, value: point[what] })));
  if (perSecond * seconds > allowed[what](first[what]))
    found(
      `${what} grew by ${Math.round(perSecond)} bytes a second over the last ${Math.round(seconds)} s, in which ${last.ended - first.ended} sessions ended`,
    );
  return perSecond;
}
