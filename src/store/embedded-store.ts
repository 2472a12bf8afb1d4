// The contract of the embedded store: what every pin store promises, and what only one that lives in this
// process and on this disk can tell.

import type { PinStore, StoredAuditEntry } from './pin-store.ts';
import type { VerifyReport } from './verify.ts';

/** The embedded store, with what only it can tell. */
export interface EmbeddedStore extends PinStore {
  /** Keys the references of candidates; a passing one where the store has lost its own. */
  readonly secret: Uint8Array;
  /** How it was found at the start. */
  readonly found: 'created' | 'good' | 'healed' | 'damaged';
  /**
   * Changes on the disk that a crash may have kept from being told: log them, then call `announced`.
   * Oldest first; told again at the next start if `announced` was not called.
   */
  readonly unannounced: readonly StoredAuditEntry[];
  announced(): Promise<void>;
  /** Reads everything again and checks it; changes nothing. */
  verify(): Promise<VerifyReport>;
}
