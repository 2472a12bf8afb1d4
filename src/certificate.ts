// `letterlock/certificate`: certificates described offline, without store, network or prior trust.

import { describeCertificate as describeOne, readCertificates } from './trust/certificate.ts';
import type { CertificateDescription } from './trust/certificate.ts';
import { spkiOfCertificate, sha256Of } from './trust/fingerprint.ts';

export type { CertificateDescription } from './trust/certificate.ts';
export type { Fault } from './trust/fault.ts';
export { escapeText } from './trust/escape.ts';

/**
 * Describes every certificate of a PEM text or of DER bytes, in their order. What stands in a certificate never throws: it
 * is null, empty or a fault. The text is as the certificate has it: escapeText makes it fit for a terminal.
 * @throws RangeError where there is no certificate to describe, naming what is wrong
 */
export const describeCertificates = (pemOrDer: string | Uint8Array): readonly CertificateDescription[] =>
  readCertificates(pemOrDer).map(describeOne);

/** The first of `describeCertificates`. */
export function describeCertificate(pemOrDer: string | Uint8Array): CertificateDescription {
  const [first] = describeCertificates(pemOrDer);
  if (first === undefined) throw new RangeError('no certificate in it, neither PEM nor DER');
  return first;
}

/** `spki`: `sha256//BASE64=` of the key, null where it cannot be read; `sha256`: `AB:CD:…` of the certificate. */
export function fingerprints(pemOrDer: string | Uint8Array): {
  readonly spki: string | null;
  readonly sha256: string;
} {
  const [der] = readCertificates(pemOrDer);
  if (der === undefined) throw new RangeError('no certificate in it, neither PEM nor DER');
  return { spki: spkiOfCertificate(der), sha256: sha256Of(der) };
}
