// When servers are asked next: spread out after a start, after a sleep and after a clock that was set, and never
// later than their interval says.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestWaitMs, ProbeSchedule } from '../../src/proxy/probe-schedule.ts';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse('2026-11-30T12:00:00Z');

/** A random that the seed decides. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
const every = (ms: number, ...names: readonly string[]): ReadonlyMap<string, number> =>
  new Map(names.map((name) => [name, ms]));

/** What is taken from `from` to `to`, looking as often as the schedule asks for. */
function run(schedule: ProbeSchedule, from: number, to: number): readonly (readonly [number, string])[] {
  const taken: (readonly [number, string])[] = [];
  for (let now = from; now < to; now += Math.max(1, schedule.waitMs(now) ?? to))
    for (const name of schedule.take(now, 100)) taken.push([now, name]);
  return taken;
}

describe('the schedule', () => {
  it('of a thousand started at once spreads the first times over the whole interval', () => {
    const random = seeded(7);
    const firsts = Array.from({ length: 1000 }, () => {
      const schedule = new ProbeSchedule(random);
      schedule.replace(every(6 * hour, 'a'), start);
      return (schedule.next('a') ?? 0) - start;
    });
    const quarters = [0, 1, 2, 3].map(
      (quarter) => firsts.filter((ms) => Math.floor(ms / (1.5 * hour)) === quarter).length,
    );
    for (const count of quarters) expect(count).toBeGreaterThan(200);
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...firsts)).toBeLessThan(6 * hour);
  });

  it('asks each again within its interval and not before half of it, whatever the random says', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 5, max: 2000 }), (seed, minutes) => {
        const schedule = new ProbeSchedule(seeded(seed));
        const everyMs = minutes * minute;
        schedule.replace(every(everyMs, 'a', 'b'), start);
        const times = run(schedule, start, start + 5 * everyMs);
        for (const name of ['a', 'b']) {
          const own = times.filter(([, taken]) => taken === name).map(([at]) => at);
          expect(own.length).toBeGreaterThanOrEqual(4);
          expect((own[0] ?? 0) - start).toBeLessThanOrEqual(everyMs);
          for (const [index, at] of own.slice(1).entries()) {
            const since = at - (own[index] ?? 0);
            expect(since).toBeGreaterThanOrEqual(everyMs / 2);
            expect(since).toBeLessThanOrEqual(everyMs);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never gives more than there is room for, and the rest next time', () => {
    const schedule = new ProbeSchedule(() => 0);
    schedule.replace(every(hour, 'a', 'b', 'c'), start);
    expect(schedule.take(start, 2)).toEqual(['a', 'b']);
    expect(schedule.take(start, 0)).toEqual([]);
    expect(schedule.take(start, -1)).toEqual([]);
    expect(schedule.take(start, 2)).toEqual(['c']);
    expect(schedule.take(start, 2)).toEqual([]);
  });

  it('is looked at once a minute at least, and not at all where nothing is watched', () => {
    const schedule = new ProbeSchedule(() => 0.5);
    expect(schedule.waitMs(start)).toBe(null);
    schedule.replace(every(6 * hour, 'a'), start);
    expect(schedule.waitMs(start)).toBe(longestWaitMs);
    expect(schedule.waitMs(start + 3 * hour - 1)).toBe(1);
    expect(schedule.waitMs(start + 4 * hour)).toBe(0);
  });
});

describe('after a sleep of hours', () => {
  it('what was missed is not asked at once but within a quarter of an hour', () => {
    const schedule = new ProbeSchedule(seeded(3));
    const names = Array.from({ length: 200 }, (_, index) => `server ${index}`);
    schedule.replace(every(hour, ...names), start);
    schedule.take(start, 0);
    const awake = start + 9 * hour;
    expect(schedule.take(awake, 100)).toEqual([]);
    const times = names.map((name) => (schedule.next(name) ?? 0) - awake);
    expect(Math.max(...times)).toBeLessThanOrEqual(15 * minute);
    for (const third of [0, 1, 2])
      expect(times.filter((ms) => Math.floor(ms / (5 * minute)) === third).length).toBeGreaterThan(40);
  });

  it('what was not due yet keeps its time', () => {
    const schedule = new ProbeSchedule(() => 0.9);
    schedule.replace(every(24 * hour, 'a'), start);
    schedule.take(start, 1);
    const due = schedule.next('a');
    schedule.take(start + 9 * hour, 1);
    expect(schedule.next('a')).toBe(due);
  });

  it('an event loop that was busy for a moment is no sleep', () => {
    const schedule = new ProbeSchedule(() => 0);
    schedule.replace(every(hour, 'a'), start + 1);
    schedule.take(start, 1);
    expect(schedule.take(start + longestWaitMs + 15_000, 1)).toEqual(['a']);
  });
});

it('a clock set back by years makes nobody wait for years, and asks nobody at once', () => {
  const schedule = new ProbeSchedule(seeded(5));
  schedule.replace(every(hour, 'a', 'b', 'c', 'd'), start);
  schedule.take(start, 4);
  const past = start - 20 * 365 * 24 * hour;
  expect(schedule.take(past, 4)).toEqual([]);
  for (const name of ['a', 'b', 'c', 'd'])
    expect((schedule.next(name) ?? 0) - past).toBeLessThanOrEqual(hour);
  expect(run(schedule, past, past + hour + 1).map(([, name]) => name)).toEqual(
    expect.arrayContaining(['a', 'b', 'c', 'd']),
  );
});

describe('another configuration', () => {
  it('keeps the time of what stays, spreads what is new or asked more often, and forgets what went', () => {
    const randoms = [0.5, 0.6, 0.7, 0.25, 0.1];
    const schedule = new ProbeSchedule(() => randoms.shift() ?? 0);
    schedule.replace(new Map([...every(hour, 'stays', 'goes'), ['changes', hour]]), start);
    expect(schedule.next('stays')).toBe(start + 0.5 * hour);
    const later = start + 10 * minute;
    schedule.replace(
      new Map([
        ['stays', hour],
        ['changes', 2 * hour],
        ['comes', hour],
      ]),
      later,
    );
    expect(schedule.next('stays')).toBe(start + 0.5 * hour);
    expect(schedule.next('changes')).toBe(later + 0.5 * hour);
    expect(schedule.next('comes')).toBe(later + 0.1 * hour);
    expect(schedule.next('goes')).toBe(null);
  });

  it('that watches nothing any more asks for no look', () => {
    const schedule = new ProbeSchedule(() => 0);
    schedule.replace(every(hour, 'a'), start);
    schedule.replace(new Map(), start);
    expect(schedule.waitMs(start)).toBe(null);
  });
});
