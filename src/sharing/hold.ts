// Holds the database for this process and its siblings. It is served only after it was found to be the store
// this process knows: what is not good enough for us is not good enough for them.

import { openLevelStore, type EmbeddedStore } from '../store/level.ts';
import type { AuditEntry, PinStore } from '../store/pin-store.ts';
import { pathsIn } from '../store/directory.ts';
import { openFront, type Front } from './front.ts';

export interface HoldOptions {
  readonly now: () => number;
  /** Hears of what guests change, and of what nobody was told of; null leaves that untold. */
  readonly changed: ((audit: readonly AuditEntry[]) => void) | null;
  readonly giveWay: () => void;
}

export interface Holding {
  readonly role: 'holder';
  readonly store: PinStore;
  readonly secret: Uint8Array;
  /** Never rejects: where no socket can be had siblings cannot share, but this process can go on. */
  serve(): Promise<void>;
  /** Guests first: none may think of a store as good that is being closed. */
  close(why: 'closed' | 'bye'): Promise<void>;
}

/** Creates the store where there is none: a library process may, as `run` may. @throws StoreError */
export async function hold(directory: string, options: HoldOptions): Promise<Holding> {
  const { now, changed, giveWay } = options;
  const store = await openLevelStore({ directory, create: true, now, umask: 'as-is' });
  const { secret } = store;
  const sharing = { store, secret, committed: changed ?? (() => undefined), giveWay };
  let front: Front | null = null;
  return {
    role: 'holder',
    store,
    secret,
    async serve() {
      if (changed !== null) await tellUnannounced(store, changed).catch(() => undefined);
      front = await openFront(pathsIn(directory).socket, sharing, { refs: 'unref' }).catch(() => null);
    },
    async close(why) {
      const closing = front?.close(why);
      await store.close();
      await closing;
    },
  };
}

async function tellUnannounced(
  store: EmbeddedStore,
  changed: (audit: readonly AuditEntry[]) => void,
): Promise<void> {
  if (store.unannounced.length > 0) changed(store.unannounced);
  await store.announced();
}
