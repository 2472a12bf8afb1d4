// The TLS settings of the client's leg. A modern leg takes forward secrecy and authenticated ciphers only; a leg
// for old devices takes whatever OpenSSL still has, because such a device knows nothing better and the hop is local.

import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClientTlsVersion } from '../proxy/route.ts';
import type { PairText } from './pair.ts';

export const isLegacy = (minVersion: ClientTlsVersion): boolean =>
  minVersion === 'TLSv1' || minVersion === 'TLSv1.1';

const modernCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** TLS 1.0 and 1.1 sign with SHA-1, which OpenSSL 3 allows at security level 0 only. */
const legacyCiphers = 'DEFAULT:@SECLEVEL=0';

/**
 * One context for these pairs, of different kinds of key where there are several. No tickets: a resumed session
 * would go on with a certificate that was replaced, and saves next to nothing on this machine.
 * Throws what OpenSSL finds wrong with the pairs.
 */
export function contextOf(pairs: readonly PairText[], minVersion: ClientTlsVersion): SecureContext {
  return createSecureContext({
    cert: pairs.map(({ certificate }) => certificate),
    key: pairs.map(({ key }) => key),
    minVersion,
    maxVersion: 'TLSv1.3',
    ciphers: isLegacy(minVersion) ? legacyCiphers : modernCiphers,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  });
}
