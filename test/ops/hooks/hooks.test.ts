// Queue, repeats and reloads, with deliveries that the test ends by hand. Time is the test's own, but for waits that are
// written down.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Delivered, ReadyHook } from '../../../src/ops/hooks/delivery.ts';
import type { ExecHook } from '../../../src/ops/hooks/hook.ts';
import { Hooks } from '../../../src/ops/hooks/hooks.ts';
import type { Payload } from '../../../src/ops/hooks/payload.ts';
import { Repeats } from '../../../src/ops/hooks/repeats.ts';
import type { ProxyEvent } from '../../../src/proxy/events.ts';
import { ended, judged, spki } from '../events.ts';
import { exec, teller } from './world.ts';

const endpoint = 'imap.example.org:993';
const refused = (host = 'imap', facts: object = {}): ProxyEvent =>
  ended({
    outcome: 'refused',
    reason: 'starttls-missing',
    basis: null,
    spki: null,
    endpoint: `${host}.example.org:993`,
    ...facts,
  });

/** A delivery in the hands of the test. */
interface Try {
  readonly payload: Payload;
  readonly signal: AbortSignal;
  readonly end: (done: Partial<Delivered>) => void;
}

const good: Delivered = { result: 'delivered', attempts: 1, detail: null };

class Bench {
  now = 1_790_000_000_000;
  readonly events: ProxyEvent[] = [];
  readonly wrote: string[] = [];
  readonly tries: Try[] = [];
  readonly hooks = new Hooks({
    on: (event) => {
      this.events.push(event);
      // As in a daemon, where they hear of all that is told.
      this.hooks.event(event);
    },
    wrote: (hook, output) => this.wrote.push(`${hook}: ${output}`),
    now: () => this.now,
    teller,
    referenceOf: () => '7F3AK2QM',
  });

  ready(facts: Partial<ExecHook> = {}, ...argv: readonly string[]): ReadyHook {
    return {
      hook: exec(['/bin/true', ...argv], facts),
      deliver: (payload, signal) =>
        new Promise((resolve) => {
          const end = (done: Partial<Delivered>): void => resolve({ ...good, ...done });
          signal.addEventListener('abort', () => end({ result: 'failed', detail: 'broken off' }), {
            once: true,
          });
          this.tries.push({ payload, signal, end });
        }),
    };
  }

  /** The delivery that was begun as the `count`th. */
  async try(count = 1): Promise<Try> {
    await vi.waitUntil(() => this.tries.length >= count, { timeout: 5000, interval: 1 });
    const found = this.tries[count - 1];
    if (found === undefined) throw new Error('there is none');
    return found;
  }

  results(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const event of this.events)
      if (event.type === 'hook-delivered') counts[event.result] = (counts[event.result] ?? 0) + 1;
    return counts;
  }

  get warnings(): readonly string[] {
    return this.events.flatMap((event) =>
      event.type === 'warning' ? [`${event.code}: ${event.message}`] : [],
    );
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  vi.useRealTimers();
  await bench.hooks.close(0);
});

describe('a notice', () => {
  test('goes to the hooks that asked for its class, one after the other for each', async () => {
    bench.hooks.configure([bench.ready(), bench.ready({ name: 'other', on: ['started'] })]);
    bench.hooks.event(refused('a'));
    bench.hooks.event(refused('b'));
    const first = await bench.try();
    expect(first.payload.data).toMatchObject({
      hook: 'desktop',
      endpoint: 'a.example.org:993',
      machine: 'machine.example',
    });
    expect(bench.hooks.waiting()).toEqual([
      { hook: 'desktop', waiting: 1 },
      { hook: 'other', waiting: 0 },
    ]);
    expect(bench.tries).toHaveLength(1);
    first.end({});
    (await bench.try(2)).end({});
    await expect.poll(() => bench.results()).toEqual({ delivered: 2 });
    bench.hooks.event(refused('c'));
    expect((await bench.try(3)).payload.data.id).not.toBe(first.payload.data.id);
  });

  test('is begun after the listener returned', () => {
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused());
    expect(bench.tries).toHaveLength(0);
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 1 }]);
  });

  test('that could not be delivered is told with its reason, and what a program wrote is kept apart', async () => {
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused());
    (await bench.try()).end({ result: 'failed', detail: 'exit 3', output: 'no display\n\u001b[2J' });
    await expect
      .poll(() => bench.events)
      .toEqual([
        { type: 'hook-delivered', hook: 'desktop', result: 'failed', attempts: 1, detail: 'exit 3' },
      ]);
    expect(bench.wrote).toEqual(['desktop: no display\\x0a\\x1b[2J']);
  });

  test('whose delivery throws is told as a mistake, and the next one is tried', async () => {
    const ready = bench.ready();
    let count = 0;
    const deliver: ReadyHook['deliver'] = (payload, signal) =>
      (count += 1) === 1 ? Promise.reject(new TypeError('CANARY')) : ready.deliver(payload, signal);
    bench.hooks.configure([{ ...ready, deliver }]);
    bench.hooks.event(refused('a'));
    bench.hooks.event(refused('b'));
    (await bench.try()).end({});
    await expect.poll(() => bench.results()).toEqual({ failed: 1, delivered: 1 });
    expect(JSON.stringify(bench.events)).not.toContain('CANARY');
  });
});

const storeIs = (state: 'good' | 'damaged'): ProxyEvent => ({
  type: 'store-health',
  health: { state, detail: null, backend: 'level', generation: 3, records: 2 },
});
const change = (event: 'approved' | 'rejected'): ProxyEvent => ({
  type: 'pin-changed',
  endpoint,
  event,
  origin: 'cli',
  spki,
  detail: '',
});
const reloaded = (ok: boolean): ProxyEvent => ({ type: 'reloaded', ok, problems: ok ? 0 : 1 });

describe('the same again', () => {
  test('is not told within the time, and counted when it is', async () => {
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused());
    for (let again = 0; again < 1000; again++) {
      bench.now += 500;
      bench.hooks.event(refused());
    }
    (await bench.try()).end({});
    await expect.poll(() => bench.results()).toEqual({ delivered: 1, deduplicated: 1000 });
    bench.now += 100_000;
    bench.hooks.event(refused());
    expect((await bench.try(2)).payload.data.suppressed).toBe(1000);
  });

  test('is no change of trust, of the store or of the configuration: each of those is told', () => {
    bench.hooks.configure([bench.ready({ on: ['store-damaged', 'pin-changed', 'reload-failed'] })]);
    const pairs = [
      [storeIs('damaged'), storeIs('good')],
      [change('approved'), change('rejected')],
      [reloaded(false), reloaded(true)],
    ] as const;
    for (const [first, second] of pairs) for (const event of [first, second, first]) bench.hooks.event(event);
    // The second approval and rejection are told as well as the second damage and the second failure.
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 2 + 3 + 2 }]);
    bench.hooks.event(reloaded(false));
    expect(bench.results()).toEqual({ deduplicated: 1 });
  });

  test('is news of a key that waits again after an operator decided about it', () => {
    bench.hooks.configure([bench.ready({ on: ['candidate', 'refused'] })]);
    const waits: ProxyEvent = {
      type: 'pin-changed',
      endpoint,
      event: 'candidate',
      origin: 'proxy',
      spki,
      detail: 'pin-mismatch',
    };
    bench.hooks.event(waits);
    bench.hooks.event(waits);
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 1 }]);
    bench.hooks.event({ ...waits, event: 'approved', origin: 'cli', detail: '' });
    bench.hooks.event(waits);
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 2 }]);
  });

  test('is told when the clock was set back', async () => {
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused());
    bench.now -= 3_600_000;
    bench.hooks.event(refused());
    expect(bench.results()).toEqual({});
  });

  test('is always told to a hook that wants it so', () => {
    bench.hooks.configure([bench.ready({ repeatMs: 0 })]);
    bench.hooks.event(refused());
    bench.hooks.event(refused());
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 2 }]);
  });

  test('is told of an expiring certificate once a day', () => {
    bench.hooks.configure([bench.ready({ on: ['certificate-expiring'] })]);
    const dayMs = 86_400_000;
    const tell = (): void =>
      bench.hooks.event(
        judged({
          verdict: 'ca',
          notBefore: bench.now - 85 * dayMs,
          notAfter: 1_790_000_000_000 + 12 * dayMs,
        }),
      );
    tell();
    bench.now += dayMs - 1;
    tell();
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 1 }]);
    bench.now += 1;
    tell();
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 2 }]);
  });

  test('a refusal says nothing new to who knows that the key waits', () => {
    bench.hooks.configure([
      bench.ready({ on: ['candidate', 'refused'] }),
      bench.ready({ name: 'refusals', on: ['refused'] }),
    ]);
    bench.hooks.event({
      type: 'pin-changed',
      endpoint,
      event: 'candidate',
      origin: 'proxy',
      spki,
      detail: 'pin-mismatch',
    });
    bench.hooks.event(refused('imap', { reason: 'pin-mismatch', spki }));
    expect(bench.hooks.waiting()).toEqual([
      { hook: 'desktop', waiting: 1 },
      { hook: 'refusals', waiting: 1 },
    ]);
  });

  test('memory of it is bounded, the oldest goes', () => {
    const repeats = new Repeats();
    const at = { now: 1, windowMs: 1000 };
    for (let key = 0; key < 2049; key++) repeats.tell(String(key), 0);
    expect(repeats.suppresses('0', at)).toBe(false);
    expect(repeats.suppresses('1', at)).toBe(true);
    expect(repeats.suppresses('2048', at)).toBe(true);
  });
});

describe('what is too much', () => {
  test('is dropped, counted, and told at once and then once a minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    bench.hooks.configure([bench.ready()]);
    for (let host = 0; host < 1256; host++) bench.hooks.event(refused(`h${host}`));
    expect(bench.results()).toEqual({ dropped: 1000 });
    expect(bench.warnings).toEqual([expect.stringMatching(/^hook-dropped: hook desktop: 1 notices/)]);
    vi.advanceTimersByTime(60_000);
    expect(bench.warnings).toHaveLength(2);
    expect(bench.warnings[1]).toMatch(/^hook-dropped: hook desktop: 999 notices/);
    vi.advanceTimersByTime(600_000);
    expect(bench.warnings).toHaveLength(2);
  });

  test('may be told later: what was dropped is not taken for told', async () => {
    bench.hooks.configure([bench.ready()]);
    for (let host = 0; host < 257; host++) bench.hooks.event(refused(`h${host}`));
    (await bench.try()).end({});
    await bench.try(2);
    bench.hooks.event(refused('h256'));
    expect(bench.results()).toEqual({ dropped: 1, delivered: 1 });
    expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 255 }]);
  });

  test('costs a listener next to nothing: a hundred thousand refusals in a row', () => {
    bench.hooks.configure([bench.ready(), bench.ready({ name: 'second' })]);
    // Time of its own: others may have the processor meanwhile.
    const before = process.cpuUsage();
    for (let count = 0; count < 100_000; count++) bench.hooks.event(refused(`h${count % 1000}`));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000 / 100_000).toBeLessThan(0.2);
    expect(bench.tries).toHaveLength(0);
  }, 60_000);
});

describe('a receiver that is gone', () => {
  test('is asked no more until the next reload', async () => {
    bench.hooks.configure([bench.ready()]);
    for (const host of ['a', 'b', 'c']) bench.hooks.event(refused(host));
    (await bench.try()).end({ result: 'failed', detail: 'HTTP 410', gone: true });
    await expect.poll(() => bench.results()).toEqual({ failed: 1, dropped: 2 });
    expect(bench.warnings[0]).toMatch(/^hook-gone: hook desktop: .* off until the next reload/);
    bench.hooks.event(refused('d'));
    expect(bench.results()).toEqual({ failed: 1, dropped: 3 });
    expect(bench.tries).toHaveLength(1);
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused('e'));
    expect((await bench.try(2)).payload.data.endpoint).toBe('e.example.org:993');
  });
});

describe('a reload', () => {
  test('that changes nothing of a hook lets it go on', async () => {
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused('a'));
    const first = await bench.try();
    bench.hooks.configure([bench.ready()]);
    expect(first.signal.aborted).toBe(false);
    bench.hooks.event(refused('a'));
    expect(bench.results()).toEqual({ deduplicated: 1 });
  });

  test('that changes a hook has what waits, and what was just tried, go by the new settings', async () => {
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused('a'));
    bench.hooks.event(refused('b'));
    const first = await bench.try();
    bench.hooks.configure([bench.ready({}, 'another')]);
    expect(first.signal.aborted).toBe(true);
    const second = await bench.try(2);
    expect(second.payload).toEqual(first.payload);
    second.end({});
    expect((await bench.try(3)).payload.data.endpoint).toBe('b.example.org:993');
    expect(bench.results()).toEqual({ delivered: 1 });
  });

  test('that takes a hook away ends it, and says what was lost', async () => {
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused('a'));
    bench.hooks.event(refused('b'));
    const first = await bench.try();
    bench.hooks.configure([]);
    await expect.poll(() => first.signal.aborted).toBe(true);
    await expect.poll(() => bench.results()).toEqual({ failed: 1, dropped: 1 });
    expect(bench.warnings).toEqual([expect.stringMatching(/1 notices .* there was no more time/)]);
    bench.hooks.event(refused('c'));
    expect(bench.hooks.waiting()).toEqual([]);
  });

  test('that adds a hook has it told from then on', async () => {
    bench.hooks.event(refused('a'));
    bench.hooks.configure([bench.ready()]);
    bench.hooks.event(refused('b'));
    expect((await bench.try()).payload.data.endpoint).toBe('b.example.org:993');
  });
});

describe('the end', () => {
  test('waits for what waits, tells that it comes, and hears of nothing after', async () => {
    bench.hooks.configure([bench.ready({ on: ['refused', 'stopped'] })]);
    bench.hooks.started();
    bench.hooks.event(refused('a'));
    const over = bench.hooks.close(5000);
    bench.hooks.event(refused('b'));
    (await bench.try()).end({});
    const last = await bench.try(2);
    expect(last.payload.type).toBe('stopped');
    last.end({});
    await over;
    expect(bench.results()).toEqual({ delivered: 2 });
  });

  test('does not wait long, and says what was lost', async () => {
    bench.hooks.configure([bench.ready()]);
    for (const host of ['a', 'b', 'c']) bench.hooks.event(refused(host));
    await bench.try();
    const started = performance.now();
    await bench.hooks.close(50);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(bench.results()).toEqual({ failed: 1, dropped: 2 });
    expect(bench.warnings).toEqual([expect.stringMatching(/^hook-dropped: hook desktop: 2 notices/)]);
  });

  test('of a daemon that never listened tells nobody that it stops', async () => {
    bench.hooks.configure([bench.ready({ on: ['stopped'] })]);
    await bench.hooks.close(50);
    expect(bench.tries).toHaveLength(0);
  });

  test('leaves nothing behind in the process', async () => {
    const before = process.listenerCount('exit');
    const other = new Bench();
    expect(process.listenerCount('exit')).toBe(before + 1);
    await other.hooks.close();
    expect(process.listenerCount('exit')).toBe(before);
  });
});

test('that the store is good is told after it was not, and only then', () => {
  bench.hooks.configure([bench.ready({ on: ['store-damaged', 'store-recovered'] })]);
  const health = (state: 'good' | 'damaged'): void =>
    bench.hooks.event({
      type: 'store-health',
      health: { state, detail: null, backend: 'level', generation: 1, records: 1 },
    });
  health('good');
  expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 0 }]);
  health('damaged');
  health('good');
  health('good');
  expect(bench.hooks.waiting()).toEqual([{ hook: 'desktop', waiting: 2 }]);
});
