// Signatures over what is no certificate: revocation lists and OCSP answers. The name of the algorithm is the
// sender's word, so it must fit the key, and one that is weak or unknown here proves nothing.

import { constants, type KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto';
import { type Der, DerError, elementsOf, Fields, oidOf, readOnly, tags } from './der.ts';

/** What was signed, by which algorithm, and the signature: RFC 5280 section 4.1.1. */
export interface Signed {
  /** The octets that were signed. */
  readonly body: Uint8Array;
  readonly algorithm: Der;
  readonly signature: Uint8Array;
}

type KeyKind = 'rsa' | 'rsa-pss' | 'ec' | 'ed25519' | 'ed448';

interface Scheme {
  readonly kinds: readonly KeyKind[];
  /** Null where the algorithm has its own. */
  readonly hash: string | null;
}

const rsa: readonly KeyKind[] = ['rsa'];
const ec: readonly KeyKind[] = ['ec'];

const schemes: ReadonlyMap<string, Scheme> = new Map([
  ['1.2.840.113549.1.1.11', { kinds: rsa, hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { kinds: rsa, hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { kinds: rsa, hash: 'sha512' }],
  ['1.2.840.10045.4.3.2', { kinds: ec, hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { kinds: ec, hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { kinds: ec, hash: 'sha512' }],
  ['1.3.101.112', { kinds: ['ed25519'], hash: null }],
  ['1.3.101.113', { kinds: ['ed448'], hash: null }],
]);

const rsaPss = '1.2.840.113549.1.1.10';
const pssHashes: ReadonlyMap<string, string> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/** RFC 4055 section 3.1; a hash that is not named is SHA-1, which is not taken here. */
const pssScheme = (parameters: Der | null): Scheme | null => {
  const named = parameters === null ? undefined : elementsOf(parameters, 8).find(({ tag }) => tag === 0xa0);
  if (named === undefined) return null;
  const hash = pssHashes.get(oidOf(new Fields(readOnly(named.content, tags.sequence)).take(tags.oid)));
  return hash === undefined ? null : { kinds: ['rsa', 'rsa-pss'], hash };
};

/** Null for an algorithm that proves nothing here. Throws DerError. */
const schemeOf = (algorithm: Der): { readonly scheme: Scheme; readonly pss: boolean } | null => {
  const fields = new Fields(algorithm);
  const oid = oidOf(fields.take(tags.oid));
  const pss = oid === rsaPss;
  const scheme = pss ? pssScheme(fields.any()) : (schemes.get(oid) ?? null);
  return scheme === null ? null : { scheme, pss };
};

/** Whether signatures of this algorithm prove anything here. Throws DerError. */
export const isProof = (algorithm: Der): boolean => schemeOf(algorithm) !== null;

/** Octets of a BIT STRING that has no unused bits. Throws DerError. */
export const signatureBits = (bits: Der): Uint8Array => {
  if (bits.content[0] !== 0) throw new DerError('a signature has unused bits');
  return bits.content.subarray(1);
};

/** Whether this key made the signature. Never throws. */
export const isSignedBy = ({ body, algorithm, signature }: Signed, key: KeyObject): boolean => {
  try {
    const found = schemeOf(algorithm);
    if (found === null) return false;
    const { scheme, pss } = found;
    if (!scheme.kinds.some((kind) => kind === key.asymmetricKeyType)) return false;
    const input: VerifyKeyObjectInput = pss
      ? {
          key,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_AUTO,
        }
      : { key };
    return verify(scheme.hash, body, input, signature);
  } catch {
    return false;
  }
};
