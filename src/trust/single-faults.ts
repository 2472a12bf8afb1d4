// Faults that show in one certificate by itself, without a time, a name or a chain. Which of them count depends
// on the place of the certificate in the chain: a root's own signature protects nothing.

import type { Fault } from './fault.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

const serverAuth = '1.3.6.1.5.5.7.3.1';
const tlsKeyUsages = ['digitalSignature', 'keyEncipherment', 'keyAgreement'];

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets; the zero that keeps a large number positive is not counted. */
const isBadSerial = (serial: Uint8Array | null): boolean => {
  if (serial === null) return false;
  const [first = 0x80] = serial;
  const octets = first === 0 ? serial.length - 1 : serial.length;
  return first >= 0x80 || octets > 20 || octets === 0;
};

/**
 * anyExtendedKeyUsage alone does not make a TLS server, although RFC 5280 would allow it: OpenSSL refuses it, and
 * the list must not depend on which of its errors OpenSSL happens to report.
 */
export const lacksServerUsage = ({ extensions: { extendedKeyUsage } }: ParsedCertificate): boolean =>
  extendedKeyUsage !== null && !extendedKeyUsage.includes(serverAuth);

const lacksTlsKeyUsage = ({ extensions: { keyUsage } }: ParsedCertificate): boolean =>
  keyUsage !== null && !keyUsage.some((usage) => tlsKeyUsages.includes(usage));

/** RFC 5280 section 6.1.4 (k), (n). */
export const lacksCaRights = ({ extensions: { basicConstraints, keyUsage } }: ParsedCertificate): boolean =>
  basicConstraints?.ca !== true || (keyUsage !== null && !keyUsage.includes('keyCertSign'));

const listed = (rows: readonly (readonly [Fault, boolean])[]): readonly Fault[] =>
  rows.flatMap(([fault, found]) => (found ? [fault] : []));

/** What is wrong in whatever place the certificate stands. */
export const anywhereFaults = (certificate: ParsedCertificate): readonly Fault[] =>
  listed([
    ['malformed', certificate.malformed],
    ['weak-key', certificate.key?.weak === true],
    ['unknown-critical-extension', certificate.extensions.unknownCritical],
  ]);

/**
 * What is wrong besides when another key vouches for the certificate by its signature. A self-signed certificate
 * is left out, a server's own too: whoever could forge its signature would still need its key, which is what is
 * pinned, and old devices sign themselves with SHA-1.
 */
export const vouchedForFaults = (certificate: ParsedCertificate): readonly Fault[] =>
  listed([
    ['weak-signature', certificate.signature?.weak === true],
    ['bad-serial', isBadSerial(certificate.serial)],
  ]);

/** What is wrong besides when the certificate is the server's own. */
export const leafFaults = (
  certificate: ParsedCertificate,
  place: { readonly selfSigned: boolean },
): readonly Fault[] =>
  listed([
    ['wrong-purpose', lacksServerUsage(certificate) || lacksTlsKeyUsage(certificate)],
    ['v1', certificate.version !== null && certificate.version < 3],
    ['bad-serial', isBadSerial(certificate.serial)],
    // Common tools make self-signed server certificates CAs: that says nothing, and `ca` in the description shows it.
    ['ca-as-leaf', certificate.extensions.basicConstraints?.ca === true && !place.selfSigned],
  ]);
