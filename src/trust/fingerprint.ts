// Fingerprints: how a key and a certificate are named, how what people paste is read, and the short references
// of candidates. A comparison always takes all 32 octets; part of a fingerprint never counts, since a key whose
// fingerprint begins as wanted is quickly made.

import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  X509Certificate,
} from 'node:crypto';
import { readFrame } from './frame.ts';

/** `either`: hexadecimal forms are used for certificates and for keys alike, so they may match both. */
export interface Fingerprint {
  readonly kind: 'spki' | 'either';
  /** `sha256//BASE64=` for `spki`, `AB:CD:…` for `either`. */
  readonly value: string;
}

const prefix = 'sha256//';
const octets = 32;

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
/** `AB:CD:…` of a hexadecimal digest. */
export const colons = (hex: string): string => hex.toUpperCase().replace(/..(?=.)/g, '$&:');

/** `sha256//BASE64=` of a DER SubjectPublicKeyInfo. */
export const spkiOf = (spki: Uint8Array): string => prefix + sha256(spki).toString('base64');

/** `AB:CD:…` SHA-256 of a DER certificate. */
export const sha256Of = (certificate: Uint8Array): string => colons(sha256(certificate).toString('hex'));

/** The SubjectPublicKeyInfo as it stands in the certificate; null when the frame of the certificate is not strict DER. */
const writtenSpki = (certificate: Uint8Array): Uint8Array | null => {
  try {
    return readFrame(certificate).spki.whole;
  } catch {
    return null;
  }
};

/**
 * `sha256//BASE64=` of `key` as `written` in a certificate. The octets are those of the certificate, but only if they
 * hold the key that OpenSSL checks the handshake with; a certificate in which two readers see two keys has none
 * (null). Where there are none, because the frame is not strict DER, the key counts as OpenSSL writes it. May throw.
 */
export const spkiOfKey = (key: KeyObject, written: Uint8Array | null): string | null => {
  const exported = key.export({ type: 'spki', format: 'der' });
  if (written === null || Buffer.compare(exported, written) === 0) return spkiOf(exported);
  const same = createPublicKey({ key: Buffer.from(written), format: 'der', type: 'spki' }).equals(key);
  return same ? spkiOf(written) : null;
};

/** `sha256//BASE64=` of the key in a DER certificate as spkiOfKey takes it; null when there is none to be had. */
export const spkiOfCertificate = (certificate: Uint8Array): string | null => {
  try {
    const { raw, publicKey } = new X509Certificate(certificate);
    // Node takes PEM as well: what is hashed and what is read must be the same octets.
    return Buffer.compare(raw, certificate) === 0 ? spkiOfKey(publicKey, writtenSpki(certificate)) : null;
  } catch {
    return null;
  }
};

const label = /^(?:sha-?256(?: fingerprint)?)\s*[:=]\s*/i;
const pairs = /^[0-9a-f]{2}(?:([:\- ]?)[0-9a-f]{2})(?:\1[0-9a-f]{2})*$/i;

const readBase64 = (text: string): Fingerprint | null => {
  const digest = Buffer.from(text, 'base64');
  const value = digest.toString('base64');
  return digest.length === octets && value.replace('=', '') === text.replace(/=$/, '')
    ? { kind: 'spki', value: prefix + value }
    : null;
};

const readHex = (text: string): Fingerprint | null => {
  const digest = pairs.test(text) ? Buffer.from(text.replace(/[:\- ]/g, ''), 'hex') : null;
  return digest?.length === octets ? { kind: 'either', value: colons(digest.toString('hex')) } : null;
};

/**
 * Reads a full SHA-256 fingerprint as people paste it: `sha256//BASE64=` (the key, as curl writes it) or 64
 * hexadecimal digits, plain or in pairs, also after `SHA256 Fingerprint=` as openssl prints them. Null for all else.
 */
export const parseFingerprint = (text: string): Fingerprint | null => {
  const trimmed = text.trim();
  if (trimmed.slice(0, prefix.length).toLowerCase() === prefix)
    return readBase64(trimmed.slice(prefix.length));
  return readHex(trimmed.replace(label, ''));
};

const digitsOf = (text: string): number => text.replace(label, '').replace(/[^0-9a-f]/gi, '').length;

/** As parseFingerprint. Throws RangeError that says what is wrong with the text. */
export const requireFingerprint = (text: string): Fingerprint => {
  const fingerprint = parseFingerprint(text);
  if (fingerprint !== null) return fingerprint;
  const wanted =
    'give the full SHA-256 fingerprint: sha256//BASE64= (44 characters) or 64 hexadecimal digits';
  if (normalizeReference(text.trim()) !== null)
    throw new RangeError(`that is a reference, which is too short to compare a key with; ${wanted}`);
  const isHex = /^[0-9a-f:\- ]+$/i.test(text.trim().replace(label, ''));
  if (!isHex) throw new RangeError(`that is no fingerprint; ${wanted}`);
  const digits = digitsOf(text.trim());
  const guess = digits === 40 ? ' (SHA-1)' : digits === 32 ? ' (MD5)' : '';
  throw new RangeError(`that fingerprint has ${digits} hexadecimal digits${guess}; ${wanted}`);
};

const digestOf = (fingerprint: string): Buffer =>
  fingerprint.startsWith(prefix)
    ? Buffer.from(fingerprint.slice(prefix.length), 'base64')
    : Buffer.from(fingerprint.replaceAll(':', ''), 'hex');

const same = (one: Buffer, other: Buffer): boolean =>
  one.length === octets && other.length === octets && timingSafeEqual(one, other);

/**
 * Whether `expect` names this key or this certificate. Throws RangeError when `expect` is not a whole fingerprint:
 * a person who gave too little must be told so, not that it does not match.
 */
export const matchesFingerprint = (
  expect: string,
  shown: { readonly spki: string | null; readonly sha256: string | null },
): boolean => {
  const { kind, value } = requireFingerprint(expect);
  const wanted = digestOf(value);
  const key = shown.spki !== null && same(wanted, digestOf(shown.spki));
  const certificate = kind === 'either' && shown.sha256 !== null && same(wanted, digestOf(shown.sha256));
  return key || certificate;
};

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The reference of a candidate: 8 Crockford base32 characters of HMAC-SHA-256. It finds a candidate and never approves one. */
export const referenceOf = (secret: Uint8Array, endpoint: string, spki: string): string => {
  const digest = createHmac('sha256', secret).update(endpoint).update('\0').update(spki).digest();
  const bits = digest.readUIntBE(0, 5);
  return Array.from({ length: 8 }, (_, at) => crockford[Math.floor(bits / 32 ** (7 - at)) % 32]).join('');
};

/** A reference as typed or read out: letter case and the look-alikes I, L and O do not matter. Null when it is none. */
export const normalizeReference = (text: string): string | null => {
  const read = text.trim().toUpperCase().replace(/[IL]/g, '1').replace(/O/g, '0');
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(read) ? read : null;
};
