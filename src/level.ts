// `letterlock/level`: pin stores on disk. They load LevelDB, which is why they are behind a door of their own.

import type { SharedStore } from './sharing/shared-store.ts';
import { openLevelStore as open, type EmbeddedStore } from './store/level.ts';

export { StoreError } from './store/store-error.ts';
export type { EmbeddedStore, SharedStore };

export interface LevelStoreOptions {
  /** For letterlock alone; made with mode 0700 where it is not there. */
  readonly directory: string;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/**
 * Opens the store in a directory, and makes it where there is none. One process at a time has it; for several there is
 * openSharedStore. The caller closes it. @throws StoreError, `store-locked` where another process has it
 */
export const openLevelStore = ({ directory, now = Date.now }: LevelStoreOptions): Promise<EmbeddedStore> =>
  open({ directory, create: true, now, umask: 'as-is' });

/**
 * The pins of a daemon or of another process of this user, or else the store itself, shared with whoever comes later. With a
 * directory that one alone, without it the daemon that is found, or the user's own state. The caller closes it.
 * @throws StoreError, `store-unavailable` when nobody can be asked for 5 s
 */
export async function openSharedStore({
  directory,
  now = Date.now,
}: Partial<LevelStoreOptions> = {}): Promise<SharedStore> {
  const { openSharedStore: openShared } = await import('./sharing/shared-store.ts');
  return openShared({ state: directory ?? null, now });
}
