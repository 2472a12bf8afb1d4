// Lengths of time as people write them: a whole number and a unit.

import { quoted, UnusableValue } from './unusable.ts';

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;
const shortestWatchMs = 5 * 60_000;
const longestWatchMs = 30 * 86_400_000;

/** `30m`, `6h` or `1d` in milliseconds; null for `off`. Throws UnusableValue. */
export function parseWatch(text: string): number | null {
  if (text === 'off') return null;
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  const unitMs = units.find(([name]) => name === unit)?.[1];
  if (unitMs === undefined)
    throw new UnusableValue(`${quoted(text)} is not a length of time`, 'write 30m, 6h or 1d, or off');
  const ms = Number(count) * unitMs;
  if (ms < shortestWatchMs) throw new UnusableValue(`${text} is too often`, 'write 5m or more');
  if (ms > longestWatchMs) throw new UnusableValue(`${text} is too seldom`, 'write 30d or less, or off');
  return ms;
}

/** In the largest unit that it is a whole number of; `off` for null. */
export function watchText(ms: number | null): string {
  if (ms === null) return 'off';
  const [unit, unitMs] = units.find(([, size]) => ms % size === 0) ?? ['m', 60_000];
  return `${ms / unitMs}${unit}`;
}
