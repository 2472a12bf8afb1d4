// Trust anchors, always explicit: what the environment or Node's defaults trust must not change a verdict.

import type { SecureContext } from 'node:tls';

export interface AnchorSet {
  /** Identity of the set: SHA-256 over the sorted certificate hashes. Part of cache keys. */
  readonly digest: string;
  /** DER, deduplicated by SHA-256. */
  readonly certificates: readonly Uint8Array[];
  readonly counts: { readonly system: number; readonly bundled: number; readonly file: number };
  /** One shared context per set: CA list, TLS 1.2 or better, `@SECLEVEL=2`. */
  readonly context: SecureContext;
}
