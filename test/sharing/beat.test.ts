// Time passes between a holder and its guest: what is heard without asking, and what silence means.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { call } from '../../src/sharing/call.ts';
import { openFront } from '../../src/sharing/front.ts';
import { openRemoteStore } from '../../src/sharing/remote-store.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore, StoreHealth } from '../../src/store/pin-store.ts';
import { temporaryDirectory } from '../store/fixtures.ts';

const health = (detail: string): StoreHealth => ({
  state: 'damaged',
  detail,
  backend: 'level',
  generation: 0,
  records: 0,
});

async function pair() {
  const path = join(temporaryDirectory(), 'pins.sock');
  const told = { health: health('at first') };
  const store: PinStore = Object.assign(openMemoryStore(), { health: () => told.health });
  const sharing = { store, secret: randomBytes(32), committed: () => undefined, giveWay: null };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const front = await openFront(path, sharing, { refs: 'unref' });
  const called = await call(path, { deadlineMs: 2000 });
  if (called.state !== 'open') throw new Error(called.state);
  const guest = await openRemoteStore(called);
  onTestFinished(async () => {
    await guest.close();
    await front.close();
  });
  return { guest, told, server: front };
}

/** Lets sockets do their work until it is so; no time passes. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !isSo(); turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(isSo()).toBe(true);
}

describe('a guest that asks nothing', () => {
  it('hears of the health of the store, and is not given up although minutes pass', async () => {
    const { guest, told } = await pair();
    expect(guest.health()).toMatchObject({ state: 'damaged', detail: 'at first' });
    for (let beat = 1; beat <= 30; beat += 1) {
      told.health = health(`beat ${beat}`);
      vi.advanceTimersByTime(2000);
      await until(() => guest.health().detail === `beat ${beat}`);
    }
  });

  it('gives up a holder that has fallen silent for ten seconds, not for nine', async () => {
    const { guest } = await pair();
    // In one go: the beats of that time are still on their way.
    vi.advanceTimersByTime(9999);
    expect(guest.health().state).toBe('damaged');
    vi.advanceTimersByTime(1);
    expect(guest.health()).toMatchObject({ state: 'unavailable', detail: expect.stringMatching(/silent/) });
  });
});
