import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LoopLag } from '../../src/ops/loop-lag.ts';

const intervals = vi.spyOn(globalThis, 'setInterval');
let lag: LoopLag;
beforeEach(() => {
  intervals.mockClear();
  lag = new LoopLag();
});
afterEach(() => lag.close());

function hold(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const pace = (): unknown => intervals.mock.lastCall?.[1];
const longest = (): number => lag.longest;
const patient = { timeout: 15_000, interval: 100 } as const;

test('what held up the loop is told, and forgotten when asked', async () => {
  hold(200);
  await expect.poll(longest, patient).toBeGreaterThan(0.1);
  expect(lag.percentile(100)).toBeGreaterThan(0.1);
  lag.forget();
  expect(lag.longest).toBe(0);
  expect(lag.percentile(99)).toBe(0);
});

test(
  'a loop without work is hardly woken any more, until something happens',
  { timeout: 20_000 },
  async () => {
    expect(pace()).toBe(20);
    await expect.poll(pace, patient).toBe(5_000);
    lag.stir();
    expect(pace()).toBe(20);
    hold(200);
    await expect.poll(longest, patient).toBeGreaterThan(0.1);
  },
);

test('the quiet time counts in what is told of all the time', { timeout: 20_000 }, async () => {
  await expect.poll(pace, patient).toBe(5_000);
  lag.forget();
  hold(1_000);
  lag.stir();
  hold(200);
  await expect.poll(longest, patient).toBeGreaterThan(0.1);
  // A second of quiet is fifty looks that were not late; since then there were a few.
  expect(lag.percentile(50)).toBe(0);
});
