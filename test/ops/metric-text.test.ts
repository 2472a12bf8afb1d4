import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { pageText } from '../../src/ops/metric-text.ts';
import { turnsDuring } from '../turns.ts';

const odd = ['plain', 'with "quotes"', 'back\\slash', 'two\nlines'] as const;

function filled(series: number): Registry {
  const registry = new Registry();
  const registers = [registry];
  const bytes = new Counter({
    name: 'bytes_total',
    help: 'Bytes\nof all, with \\',
    labelNames: ['route'],
    registers,
  });
  const ends = new Gauge({ name: 'ends', help: 'Ends.', labelNames: ['upstream', 'state'], registers });
  const waits = new Histogram({
    name: 'waits',
    help: 'Waits.',
    labelNames: ['route'],
    buckets: [0.1, 1],
    registers,
  });
  new Gauge({ name: 'bare', help: 'Without labels.', registers }).set(1.5);
  registry.registerMetric(
    new Gauge({ name: 'nothing', help: 'None.', labelNames: ['route'], registers: [] }),
  );
  for (const [at, route] of odd.entries()) {
    bytes.inc({ route }, at * 1e15);
    waits.observe({ route }, at);
    ends.set(
      { upstream: route, state: 'ca' },
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0.25][at] ?? 0,
    );
  }
  for (let at = 0; at < series; at += 1) bytes.inc({ route: `route-${at}` });
  return registry;
}

test('the page of a scrape is what the library would have written', async () => {
  const registry = filled(3);
  expect(await pageText(registry)).toBe(await registry.metrics());
});

test('a scrape lets the event loop turn, in the middle of a family too', async () => {
  const registry = filled(60_000);
  const { turns, result } = await turnsDuring(() => pageText(registry));
  // One for each family, and more.
  expect(turns).toBeGreaterThan(registry.getMetricsAsArray().length);
  expect(result).toBe(await registry.metrics());
});
