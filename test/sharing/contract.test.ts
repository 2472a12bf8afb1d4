// The contract of every pin store, kept by those that share one: over a connection, as holder and as guest.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { call } from '../../src/sharing/call.ts';
import { openFront } from '../../src/sharing/front.ts';
import { openRemoteStore } from '../../src/sharing/remote-store.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore } from '../../src/store/pin-store.ts';
import { pinStoreContract } from '../store/contract.ts';
import { temporaryDirectory } from '../store/fixtures.ts';
import { shared } from './world.ts';

async function remote(): Promise<PinStore> {
  const store = openMemoryStore();
  const path = join(temporaryDirectory(), 'pins.sock');
  const sharing = { store, secret: randomBytes(32), committed: () => undefined, giveWay: null };
  const front = await openFront(path, sharing, { refs: 'unref' });
  onTestFinished(() => front.close());
  const called = await call(path, { deadlineMs: 2000 });
  if (called.state !== 'open') throw new Error(`no connection: ${called.state}`);
  return openRemoteStore(called);
}

pinStoreContract({ name: 'a store over a connection', open: remote });
pinStoreContract({ name: 'the holder of a shared store', open: () => shared(temporaryDirectory()) });
pinStoreContract({
  name: 'a guest of a shared store',
  async open() {
    const directory = temporaryDirectory();
    await shared(directory);
    return shared(directory);
  },
});
