// What happened lately, kept in a ring and told to whoever follows.

import { describe, expect, test } from 'vitest';
import { Feed } from '../../src/admin/feed.ts';
import type { FeedLimits } from '../../src/admin/feed.ts';
import type { FeedEntry, FeedHello } from '../../src/admin/live-shapes.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import { everyEvent } from '../ops/events.ts';

const start = Date.parse('2026-11-23T12:00:00Z');
const warning = (message: string): ProxyEvent => ({ type: 'warning', code: 'test', message });

function feedWith(count: number, limits: FeedLimits = {}): Feed {
  const feed = new Feed(() => start, limits);
  for (let at = 1; at <= count; at += 1) feed.take(warning(`number ${at}`));
  return feed;
}

interface Followed {
  readonly hello: FeedHello[];
  readonly entries: FeedEntry[];
  readonly over: Promise<void>;
  stop(): void;
}

/** Follows until `count` entries came, or it ended. */
function follow(feed: Feed, after: number | null, count = Infinity): Followed {
  const stop = new AbortController();
  const hello: FeedHello[] = [];
  const entries: FeedEntry[] = [];
  const read = async (): Promise<void> => {
    const options = { after, signal: stop.signal, hello: (told: FeedHello) => void hello.push(told) };
    for await (const entry of feed.follow(options)) if (entries.push(entry) >= count) return;
  };
  return { hello, entries, over: read(), stop: () => stop.abort() };
}

const numbers = ({ entries }: Followed): readonly string[] =>
  entries.map(({ message }) => message.replace('number ', ''));

describe('a follower', () => {
  test('hears what happens from now on, each with the next id', async () => {
    const feed = feedWith(2);
    const followed = follow(feed, null, 2);
    feed.take(warning('number 3'));
    feed.take(warning('number 4'));
    await followed.over;
    expect(followed.hello).toEqual([{ id: start + 2, dropped: false }]);
    expect(followed.entries).toEqual([
      {
        id: start + 3,
        at: '2026-11-23T12:00:00.000Z',
        level: 'warn',
        event: 'warning',
        message: 'number 3',
        fields: { code: 'test' },
      },
      expect.objectContaining({ id: start + 4, message: 'number 4' }),
    ]);
  });

  test.each([
    ['everything that is kept for 0', 0, ['3', '4', '5'], false],
    ['what came after the one it knows', start + 3, ['4', '5'], false],
    ['the rest where nothing is missing between', start + 2, ['3', '4', '5'], false],
    ['that there is a gap', start + 1, ['3', '4', '5'], true],
    ['everything where its id is of another life', start - 100, ['3', '4', '5'], true],
    ['everything where its id was never given', start + 99, ['3', '4', '5'], true],
  ])('hears %s', async (_name, after, told, dropped) => {
    const rest = follow(feedWith(5, { entries: 3 }), after, told.length);
    await rest.over;
    expect(numbers(rest)).toEqual(told);
    expect(rest.hello).toEqual([{ id: start + 5, dropped }]);
  });

  test('hears nothing where nothing is kept yet, and no gap', async () => {
    const feed = feedWith(0);
    const followed = follow(feed, 0, 1);
    feed.take(warning('number 1'));
    await followed.over;
    expect(followed.hello).toEqual([{ id: start, dropped: false }]);
    expect(numbers(followed)).toEqual(['1']);
  });

  test('is let go when the ring has run past it', async () => {
    const feed = feedWith(0, { entries: 3 });
    const reader = feed.follow({ after: null, signal: new AbortController().signal });
    const first = reader.next();
    feed.take(warning('number 1'));
    expect((await first).value).toMatchObject({ message: 'number 1' });
    for (let at = 2; at <= 5; at += 1) feed.take(warning(`number ${at}`));
    await expect(reader.next()).rejects.toMatchObject({ code: 'reader-too-slow' });
  });

  test('that is as slow as the ring is long loses nothing', async () => {
    const feed = feedWith(0, { entries: 3 });
    const reader = feed.follow({ after: null, signal: new AbortController().signal });
    const first = reader.next();
    feed.take(warning('number 1'));
    await first;
    for (let at = 2; at <= 4; at += 1) feed.take(warning(`number ${at}`));
    expect((await reader.next()).value).toMatchObject({ message: 'number 2' });
  });

  test('ends when its signal aborts, when the feed closes, and not before it was told everything', async () => {
    const feed = feedWith(1);
    const [stopped, closed] = [follow(feed, 0), follow(feed, 0)];
    stopped.stop();
    await stopped.over;
    feed.take(warning('number 2'));
    feed.close();
    await closed.over;
    expect(numbers(closed)).toEqual(['1', '2']);
  });

  test('is one of 16, and makes room when it goes', async () => {
    const feed = feedWith(0);
    const all = Array.from({ length: 16 }, () => follow(feed, null));
    await expect(follow(feed, null).over).rejects.toMatchObject({
      code: 'too-many-followers',
      exit: 'no-daemon',
    });
    all[0]?.stop();
    await all[0]?.over;
    const next = follow(feed, 0, 1);
    feed.take(warning('number 1'));
    await next.over;
    expect(numbers(next)).toEqual(['1']);
    feed.close();
    await Promise.all(all.map(({ over }) => over));
  });
});

describe('the feed', () => {
  test('tells of what the log says at info and above, and of sessions that begin', async () => {
    const feed = new Feed(() => start);
    for (const event of everyEvent) feed.take(event);
    const followed = follow(feed, 0);
    feed.close();
    await followed.over;
    const told = new Set(followed.entries.map(({ event }) => event));
    expect(told).toContain('session-started');
    expect(told).toContain('session-ended');
    expect(told).toContain('pin-changed');
    expect(told).not.toContain('judged');
    expect(told).not.toContain('carried');
    expect(
      followed.entries.filter(({ level, event }) => level === 'debug' && event !== 'session-started'),
    ).toEqual([]);
  });

  test('goes on with its ids after a restart', () => {
    const before = feedWith(3);
    const after = new Feed(() => start + 1000);
    const hello: FeedHello[] = [];
    for (const feed of [before, after]) {
      const following = feed.follow({
        after: null,
        signal: AbortSignal.abort(),
        hello: (told) => void hello.push(told),
      });
      void following.next();
    }
    expect(hello[1]?.id).toBeGreaterThan(hello[0]?.id ?? Infinity);
  });
});
