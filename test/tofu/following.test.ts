// Two engines on one store, as two processes have them: what one decides holds for the other.

import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore, StoredRecord } from '../../src/store/pin-store.ts';
import { Tofu } from '../../src/tofu.ts';
import type { TrustEvent } from '../../src/tofu/event.ts';
import type { Vouched } from '../../src/trust/vouched.ts';
import { selfSigned, start, World, type Identity } from './world.ts';

async function two(store: PinStore = openMemoryStore()): Promise<readonly [World, World]> {
  const worlds = [
    await World.open({ policy: 'tofu' }, store),
    await World.open({ policy: 'tofu' }, store),
  ] as const;
  onTestFinished(async () => {
    for (const world of worlds) await world.tofu.close();
    await store.close();
  });
  return worlds;
}

async function vouchedFor(world: World, identity: Identity): Promise<Vouched> {
  const settled = await world.settle(identity);
  if (!settled.accept) throw new Error(`refused: ${settled.reason}`);
  return settled.vouched;
}

describe('what another process writes', () => {
  it('is known here: the key it pinned is the pinned one, another one is refused', async () => {
    const [one, other] = await two();
    const [known, strange] = [selfSigned(), selfSigned()];
    expect(await one.meet(known)).toBe('first-use');
    await vi.waitFor(() => expect(other.record.pins).toHaveLength(1));
    expect(await other.meet(known)).toBe('pin');
    expect(await other.meet(strange)).toBe('pin-mismatch');
  });

  it('takes trust away here: a key rejected there is refused, told of, and its Vouched does not count any more', async () => {
    const [one, other] = await two();
    const identity = selfSigned();
    await one.meet(identity);
    await vi.waitFor(() => expect(other.record.pins).toHaveLength(1));
    const vouched = await vouchedFor(other, identity);
    expect(other.tofu.isCurrent(vouched)).toBe(true);
    await one.reject(identity);
    await vi.waitFor(() =>
      expect(other.told('key-untrusted')).toEqual([
        { type: 'key-untrusted', endpoint: other.endpoint.name, spki: identity.spki },
      ]),
    );
    expect(other.tofu.isCurrent(vouched)).toBe(false);
    expect(await other.meet(identity)).toBe('key-rejected');
  });

  it('ends what was vouched for where a change was missed, though the record looks the same', async () => {
    const store = openMemoryStore();
    const [one] = await two(store);
    const identity = selfSigned();
    const vouched = await vouchedFor(one, identity);
    const endpoint = one.endpoint.name;
    const same = { endpoint, record: one.record, audit: [] };
    // Both in one tick: whoever follows is shown the latter alone.
    void store.commit([{ ...same, expected: 1, record: null }]);
    void store.commit([{ ...same, expected: 2 }]);
    await vi.waitFor(() => expect(one.tofu.isCurrent(vouched)).toBe(false));
    expect(one.record.epoch).toBe(vouched.epoch);
  });

  it('is not heard twice by the one who wrote it, be the echo faster than the answer', async () => {
    const real = openMemoryStore();
    const [one] = await two({ ...wrapped(real), commit: (changes) => slow(real.commit(changes)) });
    const identity = selfSigned();
    await one.meet(identity);
    await one.reject(identity);
    await one.tofu.sweep();
    expect(one.told('key-untrusted')).toHaveLength(1);
  });

  it('decides a race: of two first uses with two keys one wins in both', async () => {
    const [one, other] = await two();
    const endings = await Promise.all([one.meet(selfSigned()), other.meet(selfSigned())]);
    expect(endings.toSorted()).toEqual(['first-use', 'pin-mismatch']);
    expect(one.record.pins).toHaveLength(1);
    await vi.waitFor(() => expect(other.record.pins).toEqual(one.record.pins));
  });
});

describe('a store whose changes cannot be followed any more', () => {
  it('is unavailable: a key that was trusted is refused', async () => {
    const real = openMemoryStore();
    const broken = new AbortController();
    const deaf = {
      ...wrapped(real),
      changes: (generation: number) => breaking(real.changes(generation, broken.signal)),
    };
    const [one] = await two(deaf);
    const identity = selfSigned();
    expect(await one.meet(identity)).toBe('first-use');
    expect(await one.meet(identity)).toBe('pin');
    broken.abort();
    await vi.waitFor(() => expect(one.told('store-health').at(-1)?.health.state).toBe('unavailable'));
    expect(await one.meet(identity)).toBe('store-unavailable');
  });
});

const wrapped = (real: PinStore): PinStore => ({
  load: () => real.load(),
  commit: (changes) => real.commit(changes),
  changes: (generation, signal) => real.changes(generation, signal),
  history: (endpoint) => real.history(endpoint),
  touch: (touches) => real.touch(touches),
  sealed: (endpoint) => real.sealed(endpoint),
  held: () => real.held(),
  health: () => real.health(),
  close: () => real.close(),
});

/** An answer that comes after everybody else heard of the change. */
async function slow(answer: ReturnType<PinStore['commit']>): ReturnType<PinStore['commit']> {
  await answer;
  await new Promise((resolve) => setImmediate(resolve));
  return answer;
}

async function* breaking(feed: AsyncIterable<StoredRecord>): AsyncGenerator<StoredRecord> {
  yield* feed;
  throw new Error('the connection broke');
}

const engineOn = async (store: PinStore) => {
  const events: TrustEvent[] = [];
  const options = { store, secret: Buffer.alloc(32, 7), now: () => start, builtAt: 0 };
  return { events, tofu: await Tofu.open({ ...options, on: (event) => void events.push(event) }) };
};

describe('an engine that was closed', () => {
  it('follows nobody any more', async () => {
    const store = openMemoryStore();
    const { tofu } = await engineOn(store);
    await tofu.close();
    const world = await World.open({ policy: 'tofu' }, store);
    await world.meet(selfSigned());
    await world.tofu.close();
    expect(tofu.record(world.endpoint.name)).toBeNull();
  });

  it('has nothing to say when its store is closed right after it', async () => {
    const store = openMemoryStore();
    const { tofu, events } = await engineOn(store);
    await tofu.close();
    await store.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toMatchObject([{ type: 'store-health', health: { state: 'good' } }]);
  });
});
