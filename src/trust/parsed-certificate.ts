// One certificate as the path builder and the examination see it: fields read by our own strict reader, key and
// signature checks by OpenSSL. Parsing never throws; a part that cannot be read stays empty and makes the
// certificate malformed. Holds native objects, so it is never kept: what is cached is plain data drawn from it.

import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import {
  hasExplicitCurve,
  keyStrength,
  type KeyStrength,
  type SignatureAlgorithm,
  signatureAlgorithm,
} from './algorithm.ts';
import { DerError, Fields, tags, timeOf } from './der.ts';
import { type DistinguishedName, noName, readName } from './distinguished-name.ts';
import { type Extensions, noExtensions, readExtensionValues } from './extensions.ts';
import { spkiOfKey } from './fingerprint.ts';
import { type Frame, readExtensions, readFrame } from './frame.ts';

export interface ParsedCertificate {
  readonly der: Uint8Array;
  /** SHA-256 of `der`, hexadecimal: the identity of the certificate. */
  readonly id: string;
  readonly version: number | null;
  readonly serial: Uint8Array | null;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Milliseconds since 1970; null when a date could not be read. */
  readonly dates: { readonly notBefore: number; readonly notAfter: number } | null;
  readonly signature: SignatureAlgorithm | null;
  readonly extensions: Extensions;
  readonly key: KeyStrength | null;
  /** `sha256//BASE64=` as spkiOfKey takes it. */
  readonly spki: string | null;
  readonly malformed: boolean;
  /** For the signature checks; null when OpenSSL cannot read the certificate or reads other octets. */
  readonly openssl: X509Certificate | null;
  readonly publicKey: KeyObject | null;
}

export const idOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex');

/** Runs the readers of single fields; remembers whether one of them failed. */
class Reading {
  sound = true;

  /** Whatever the reader throws means that the field is not what RFC 5280 says. */
  read<T, U>(otherwise: U, reader: () => T): T | U {
    try {
      return reader();
    } catch {
      this.sound = false;
      return otherwise;
    }
  }

  demand(condition: boolean): void {
    this.sound &&= condition;
  }
}

const readDates = (frame: Frame): { readonly notBefore: number; readonly notAfter: number } => {
  const fields = new Fields(frame.validity);
  const notBefore = timeOf(fields.take(tags.utcTime, tags.generalizedTime));
  const notAfter = timeOf(fields.take(tags.utcTime, tags.generalizedTime));
  fields.end();
  return { notBefore, notAfter };
};

/** X.690 section 8.3.1: an INTEGER has content. */
const numberOf = (content: Uint8Array): Uint8Array => {
  if (content.length === 0) throw new DerError('a number without octets');
  return content;
};

const readFields = (reading: Reading, frame: Frame) => {
  const extensions = readExtensionValues(reading.read([], () => readExtensions(frame.extensions)));
  // The algorithm outside is not signed: RFC 5280 section 4.1.1.2 wants both to be the same.
  reading.demand(extensions.sound && Buffer.compare(frame.signature.whole, frame.outerSignature.whole) === 0);
  reading.demand(!reading.read(true, () => hasExplicitCurve(frame.spki)));
  return {
    version: frame.version,
    serial: reading.read(null, () => numberOf(frame.serial)),
    subject: reading.read(noName, () => readName(frame.subject)),
    issuer: reading.read(noName, () => readName(frame.issuer)),
    dates: reading.read(null, () => readDates(frame)),
    signature: reading.read(null, () => signatureAlgorithm(frame.signature)),
    extensions,
  };
};

const noFields = {
  version: null,
  serial: null,
  subject: noName,
  issuer: noName,
  dates: null,
  signature: null,
  extensions: noExtensions,
};

const readByOpenssl = (der: Uint8Array): X509Certificate => {
  const openssl = new X509Certificate(der);
  if (Buffer.compare(openssl.raw, der) !== 0) throw new RangeError('OpenSSL reads other octets');
  return openssl;
};

/** Never throws. */
export const parseCertificate = (der: Uint8Array): ParsedCertificate => {
  const reading = new Reading();
  const frame = reading.read(null, () => readFrame(der));
  const fields = frame === null ? noFields : readFields(reading, frame);
  const openssl = reading.read(null, () => readByOpenssl(der));
  const publicKey = openssl === null ? null : reading.read(null, () => openssl.publicKey);
  const key = publicKey === null ? null : reading.read(null, () => keyStrength(publicKey));
  const spki =
    publicKey === null ? null : reading.read(null, () => spkiOfKey(publicKey, frame?.spki.whole ?? null));
  reading.demand(spki !== null);
  return { der, id: idOf(der), ...fields, openssl, publicKey, key, spki, malformed: !reading.sound };
};

/** Whether the key of `issuer` made the signature of `certificate`. Never throws. */
export const signedBy = (certificate: ParsedCertificate, issuer: ParsedCertificate): boolean => {
  if (certificate.openssl === null || issuer.publicKey === null) return false;
  try {
    return certificate.openssl.verify(issuer.publicKey);
  } catch {
    return false;
  }
};

/** Names itself as its issuer and is signed by its own key. */
export const isSelfSigned = (certificate: ParsedCertificate): boolean =>
  certificate.issuer.key === certificate.subject.key && signedBy(certificate, certificate);
