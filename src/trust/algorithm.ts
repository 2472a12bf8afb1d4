// Names and strength of signature algorithms and keys. Strength is what the faults weak-signature and weak-key
// mean: SHA-224 or better; RSA and DSA of 2048 bits, elliptic curves of 224 bits. Unknown is never strong.

import type { KeyObject } from 'node:crypto';
import { type Der, elementsOf, Fields, oidOf, readOnly, tags } from './der.ts';

export interface SignatureAlgorithm {
  /** Such as `ecdsa-with-SHA256`; the dotted identifier when it has no name here. */
  readonly name: string;
  readonly weak: boolean;
}

const strong: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.113549.1.1.14': 'sha224WithRSAEncryption',
  '1.2.840.113549.1.1.15': 'sha512-224WithRSAEncryption',
  '1.2.840.113549.1.1.16': 'sha512-256WithRSAEncryption',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '2.16.840.1.101.3.4.3.1': 'dsa-with-sha224',
  '2.16.840.1.101.3.4.3.2': 'dsa-with-sha256',
  '2.16.840.1.101.3.4.3.3': 'dsa-with-sha384',
  '2.16.840.1.101.3.4.3.4': 'dsa-with-sha512',
  '2.16.840.1.101.3.4.3.10': 'ecdsa-with-SHA3-256',
  '2.16.840.1.101.3.4.3.11': 'ecdsa-with-SHA3-384',
  '2.16.840.1.101.3.4.3.12': 'ecdsa-with-SHA3-512',
  '2.16.840.1.101.3.4.3.14': 'sha3-256WithRSAEncryption',
  '2.16.840.1.101.3.4.3.15': 'sha3-384WithRSAEncryption',
  '2.16.840.1.101.3.4.3.16': 'sha3-512WithRSAEncryption',
  '1.2.156.10197.1.501': 'sm2-with-SM3',
  '1.3.101.112': 'Ed25519',
  '1.3.101.113': 'Ed448',
  '2.16.840.1.101.3.4.3.17': 'ML-DSA-44',
  '2.16.840.1.101.3.4.3.18': 'ML-DSA-65',
  '2.16.840.1.101.3.4.3.19': 'ML-DSA-87',
};

/** Named so that people read a word; whatever stands in neither table is as weak as these. */
const broken: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'md2WithRSAEncryption',
  '1.2.840.113549.1.1.3': 'md4WithRSAEncryption',
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.3.14.3.2.29': 'sha1WithRSASignature',
  '1.2.840.10040.4.3': 'dsa-with-sha1',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
};

const rsaPss = '1.2.840.113549.1.1.10';
const strongHashes: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'SHA256',
  '2.16.840.1.101.3.4.2.2': 'SHA384',
  '2.16.840.1.101.3.4.2.3': 'SHA512',
  '2.16.840.1.101.3.4.2.4': 'SHA224',
  '2.16.840.1.101.3.4.2.8': 'SHA3-256',
  '2.16.840.1.101.3.4.2.9': 'SHA3-384',
  '2.16.840.1.101.3.4.2.10': 'SHA3-512',
};

/** RFC 4055 section 3.1: a hash that is not named is SHA-1. */
const pssHash = (parameters: Der | null): string | null => {
  const named = parameters === null ? undefined : elementsOf(parameters, 8).find(({ tag }) => tag === 0xa0);
  if (named === undefined) return null;
  return strongHashes[oidOf(new Fields(readOnly(named.content, tags.sequence)).take(tags.oid))] ?? null;
};

/** Of an AlgorithmIdentifier. Throws DerError. */
export const signatureAlgorithm = (identifier: Der): SignatureAlgorithm => {
  const fields = new Fields(identifier);
  const oid = oidOf(fields.take(tags.oid));
  const parameters = fields.any();
  fields.end();
  if (oid === rsaPss) {
    const hash = pssHash(parameters);
    return { name: hash === null ? 'rsassaPss' : `rsassaPss-${hash}`, weak: hash === null };
  }
  const name = strong[oid];
  return name === undefined ? { name: broken[oid] ?? oid, weak: true } : { name, weak: false };
};

const ecPublicKey = '1.2.840.10045.2.1';

/** RFC 5480 section 2.1.1: a curve is named. Its parameters written out could be those of a curve made to be broken. */
export const hasExplicitCurve = (spki: Der): boolean => {
  const algorithm = new Fields(new Fields(spki).take(tags.sequence));
  return oidOf(algorithm.take(tags.oid)) === ecPublicKey && algorithm.any()?.tag !== tags.oid;
};

export interface KeyStrength {
  /** Such as `RSA 2048`, `EC P-256`, `Ed25519`. */
  readonly name: string;
  readonly weak: boolean;
}

const nistCurves: Readonly<Record<string, string>> = {
  prime192v1: 'P-192',
  secp224r1: 'P-224',
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

const modulusStrength = (label: string, key: KeyObject): KeyStrength => {
  const { modulusLength = 0, publicExponent = 65_537n } = key.asymmetricKeyDetails ?? {};
  // With exponent 1 a signature is the message itself; an even one has no inverse.
  const unsafeExponent = publicExponent < 3n || publicExponent % 2n === 0n;
  return { name: `${label} ${modulusLength}`, weak: modulusLength < 2048 || unsafeExponent };
};

const curveStrength = (curve: string | undefined): KeyStrength => {
  if (curve === undefined) return { name: 'EC with explicit parameters', weak: true };
  // OpenSSL's curve names carry the field size: secp160r1, prime256v1, brainpoolP384r1, sect163k1.
  const size = /\d{3}/.exec(curve)?.[0];
  const bits = Number(size ?? (curve === 'SM2' ? 256 : 0));
  return { name: `EC ${nistCurves[curve] ?? curve}`, weak: bits < 224 };
};

export const keyStrength = (key: KeyObject): KeyStrength => {
  const type: string = key.asymmetricKeyType ?? 'unknown';
  switch (type) {
    case 'rsa':
      return modulusStrength('RSA', key);
    case 'rsa-pss':
      return modulusStrength('RSA-PSS', key);
    case 'dsa':
      return modulusStrength('DSA', key);
    case 'ec':
      return curveStrength(key.asymmetricKeyDetails?.namedCurve);
    case 'ed25519':
      return { name: 'Ed25519', weak: false };
    case 'ed448':
      return { name: 'Ed448', weak: false };
    default:
      return { name: type.toUpperCase(), weak: !type.startsWith('ml-dsa-') && !type.startsWith('slh-dsa-') };
  }
};
