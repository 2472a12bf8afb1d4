// What can be wrong with a store as a whole. Codes stay; the words may change. A damaged store is not an
// exception at the start (it still answers for what verifies): only a write to it is.

import { LetterlockError } from '../errors.ts';

export type StoreErrorCode =
  | 'store-locked'
  | 'store-missing'
  | 'store-damaged'
  | 'store-newer'
  | 'store-io'
  | 'store-permissions'
  | 'store-unavailable';

/** The process that holds a store, as far as it can be known. */
export interface StoreHolder {
  readonly pid: number;
  /** Login name, or the number where the name cannot be looked up. */
  readonly user: string | null;
}

/** Thrown by every store for every trouble with itself; `holder` is given with `store-locked` only. */
export class StoreError extends LetterlockError {
  declare readonly code: StoreErrorCode;
  readonly holder: StoreHolder | null;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly holder?: StoreHolder | null } = {},
  ) {
    super(code, message, options);
    this.holder = options.holder ?? null;
  }
}

export const storeClosed = (): StoreError => new StoreError('store-io', 'the pin store is closed');
