// One TLS handshake with a mail client, as its server.

import type { SecureContext } from 'node:tls';

/** What a client is shown. Asked anew for each handshake, so that a renewed certificate needs no restart. */
export interface ServerCredentials {
  /** Throws nothing: it is the last good one when a new one cannot be had. */
  context(): SecureContext;
}
