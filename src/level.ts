// `letterlock/level`: a pin store on disk. It loads LevelDB, which is why it is a door of its own.

import { openLevelStore as open, type EmbeddedStore } from './store/level.ts';

export { StoreError } from './store/store-error.ts';
export type { EmbeddedStore };

export interface LevelStoreOptions {
  /** For letterlock alone; made with mode 0700 where it is not there. */
  readonly directory: string;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/** Opens the store in a directory, and makes it where there is none. The caller closes it. @throws StoreError */
export const openLevelStore = ({ directory, now = Date.now }: LevelStoreOptions): Promise<EmbeddedStore> =>
  open({ directory, create: true, now });
