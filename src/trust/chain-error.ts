// What OpenSSL's chain verdict means in our words. OpenSSL stops at its first error, so its verdict adds a fault
// only where we found none that explains it: a certificate that it refuses never shows an empty list.

import type { Fault } from './fault.ts';

/** First the fault that stands for the code, then others that explain it as well. */
type Meaning = readonly [Fault, ...Fault[]];

const untrusted: Meaning = ['unknown-issuer', 'self-signed', 'incomplete-chain', 'malformed'];
const unreadable: Meaning = ['malformed'];

const meanings: Readonly<Record<string, Meaning>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ['self-signed', 'unknown-issuer', 'malformed'],
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_REJECTED: untrusted,
  CERT_HAS_EXPIRED: ['issuer-expired', 'expired'],
  CERT_NOT_YET_VALID: ['not-yet-valid'],
  INVALID_CA: ['not-a-ca'],
  INVALID_PURPOSE: ['wrong-purpose', 'not-a-ca'],
  PATH_LENGTH_EXCEEDED: ['path-too-long'],
  CERT_CHAIN_TOO_LONG: ['path-too-long'],
  HOSTNAME_MISMATCH: ['name-mismatch', 'name-only-in-cn'],
  // Node has no code for weak digests and keys, critical extensions, name constraints and a missing keyCertSign.
  UNSPECIFIED: [
    'malformed',
    'weak-signature',
    'weak-key',
    'unknown-critical-extension',
    'not-a-ca',
    'name-constraint',
  ],
};

/** The fault to add for Node's code of OpenSSL's chain verdict, null when what was found explains it. */
export const unexplained = (code: string, found: ReadonlySet<Fault>): Fault | null => {
  const meaning = (Object.hasOwn(meanings, code) ? meanings[code] : undefined) ?? unreadable;
  return meaning.some((fault) => found.has(fault)) ? null : meaning[0];
};
