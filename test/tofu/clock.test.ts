import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClockWatch } from '../../src/tofu/clock.ts';

const day = 86_400_000;
const now = Date.parse('2026-06-01T00:00:00Z');
const built = now - day;
const around = (from: number, to: number) => ({ notBefore: now + from * day, notAfter: now + to * day });
const good = around(-10, 80);
const watching = (...seen: readonly (readonly [string, ReturnType<typeof around>])[]): ClockWatch => {
  const watch = new ClockWatch(built);
  for (const [endpoint, validity] of seen) watch.note(endpoint, validity);
  return watch;
};

describe('a clock', () => {
  test('that shows a time before the build is wrong, whatever the servers show', () => {
    const watch = watching(['a', good], ['b', good], ['c', good]);
    expect(watch.isSuspect(built - 1)).toBe(true);
    expect(watch.isSuspect(built)).toBe(false);
    expect(watch.isSuspect(Number.NaN)).toBe(true);
  });

  test.each([
    ['the last moment of thirty days', around(-100, -30), false],
    ['one later', { ...around(-100, -30), notAfter: now - 30 * day - 1 }, true],
    ['the first moment of validity', { ...around(0, 90) }, false],
    ['one before', { ...around(0, 90), notBefore: now + 1 }, true],
  ])('is doubted or not at %s', (_, validity, suspect) => {
    expect(watching(['a', validity], ['b', validity], ['c', validity]).isSuspect(now)).toBe(suspect);
  });

  test('is doubted when some certificates are of the future and some long over', () => {
    expect(
      watching(['a', around(1, 90)], ['b', around(-100, -40)], ['c', around(1, 90)]).isSuspect(now),
    ).toBe(true);
  });

  test('is not doubted for one server seen three times, nor for two', () => {
    const over = around(-100, -40);
    expect(watching(['a', over], ['a', over], ['a', over], ['b', over]).isSuspect(now)).toBe(false);
  });

  test('is believed again as soon as one server shows dates that fit', () => {
    const over = around(-100, -40);
    const watch = watching(['a', over], ['b', over], ['c', over]);
    expect(watch.isSuspect(now)).toBe(true);
    watch.note('b', good);
    expect(watch.isSuspect(now)).toBe(false);
    watch.note('b', over);
    expect(watch.isSuspect(now)).toBe(true);
  });

  test('that was put right is believed, by what was seen before', () => {
    const watch = watching(['a', good], ['b', good], ['c', good]);
    expect(watch.isSuspect(now + 365 * day)).toBe(true);
    expect(watch.isSuspect(now)).toBe(false);
  });

  test('is never doubted while one of the servers seen fits, whatever the others show', () => {
    const validity = fc.tuple(fc.integer({ min: -400, max: 400 }), fc.integer({ min: 0, max: 400 }));
    fc.assert(
      fc.property(fc.array(validity, { maxLength: 20 }), (others) => {
        const watch = watching(
          ['fits', good],
          ...others.map(([from, length], at) => [`s${at}`, around(from, from + length)] as const),
        );
        expect(watch.isSuspect(now)).toBe(false);
      }),
    );
  });

  test('is judged by the servers seen last where there are very many', () => {
    const over = around(-100, -40);
    const watch = watching(['first', good]);
    for (let at = 0; at < 1023; at += 1) watch.note(`s${at}`, over);
    expect(watch.isSuspect(now)).toBe(false);
    watch.note('another', over);
    expect(watch.isSuspect(now)).toBe(true);
  });
});
