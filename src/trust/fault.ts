// The closed list of what can be wrong with a certificate, and what each fault blocks. Finding them is the
// work of examine.ts and what it calls; deciding on them that of policy.ts.

export const faults = {
  malformed: { blocks: 'first-use', sentence: 'The certificate breaks the encoding rules of RFC 5280.' },
  revoked: {
    blocks: 'first-use',
    sentence: 'A CA took this certificate, or one above it, back.',
  },
  'clock-suspect': { blocks: 'first-use', sentence: 'The clock of this machine is probably wrong.' },
  'known-interceptor': {
    blocks: 'first-use',
    sentence:
      'The certificate was made by software between you and the server, or stands in for one that was not found.',
  },
  'weak-key': {
    blocks: 'first-use',
    sentence: 'A key in the chain is too weak (RSA or DSA under 2048 bits, EC under 224 bits).',
  },
  'weak-signature': { blocks: 'first-use', sentence: 'A signature in the chain uses MD5, SHA-1 or older.' },
  'unknown-critical-extension': { blocks: 'first-use', sentence: 'A critical extension is not understood.' },
  'self-signed': { blocks: 'ca', sentence: 'The certificate is signed by its own key.' },
  'unknown-issuer': { blocks: 'ca', sentence: 'The chain ends at an issuer that is not trusted here.' },
  'incomplete-chain': { blocks: 'ca', sentence: 'The server did not send the intermediate certificates.' },
  expired: { blocks: 'ca', sentence: 'The certificate has expired.' },
  'not-yet-valid': { blocks: 'ca', sentence: 'The certificate is not valid yet.' },
  'issuer-expired': { blocks: 'ca', sentence: 'A certificate above the server certificate has expired.' },
  'staple-missing': {
    blocks: 'ca',
    sentence: 'The certificate demands a stapled OCSP answer (must-staple), and no valid one came.',
  },
  'name-mismatch': { blocks: 'ca', sentence: 'The certificate is for another name.' },
  'name-only-in-cn': {
    blocks: 'ca',
    sentence: 'The name stands only in the subject, not in subjectAltName.',
  },
  'wildcard-misused': { blocks: 'ca', sentence: 'A wildcard stands where RFC 9525 does not allow one.' },
  'wrong-purpose': { blocks: 'ca', sentence: 'The certificate is not for TLS servers.' },
  'not-a-ca': { blocks: 'ca', sentence: 'A certificate in the chain signed another without being a CA.' },
  'path-too-long': { blocks: 'ca', sentence: 'The chain is longer than a CA in it allows.' },
  'name-constraint': {
    blocks: 'ca',
    sentence: 'A CA in the chain may not issue certificates for a name that stands in it.',
  },
  'off-profile': {
    blocks: 'ca',
    sentence:
      'An extension or a name that RFC 5280 demands is missing, misplaced or not marked as it must be.',
  },
  v1: { blocks: 'ca', sentence: 'The certificate is X.509 version 1 or 2.' },
  'bad-serial': { blocks: 'ca', sentence: 'The serial number is zero, negative or longer than 20 octets.' },
  'ca-as-leaf': { blocks: 'ca', sentence: 'The server presents a CA certificate as its own.' },
} as const satisfies Record<string, { readonly blocks: 'first-use' | 'ca'; readonly sentence: string }>;

/** `blocks: 'first-use'` blocks CA validity as well. */
export type Fault = keyof typeof faults;

export const isFault = (code: string): code is Fault => Object.hasOwn(faults, code);

const order: readonly Fault[] = Object.keys(faults).filter(isFault);

/** Each fault once, in the order of the table above: lists are compared, stored and shown in this order only. */
export const orderFaults = (found: Iterable<Fault>): readonly Fault[] => {
  const set = new Set(found);
  return set.size === 0 ? [] : order.filter((fault) => set.has(fault));
};
