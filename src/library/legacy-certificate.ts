// A certificate in the form of Node's getPeerCertificate, for programs that look at it after the connection was vouched
// for. Made here and not by toLegacyObject, which crashes Node 24 where the key does not decode.

import type { X509Certificate } from 'node:crypto';

/** Names by their short type, as Node writes them: `{ CN: 'mail.example.org' }`; one that occurs twice is a list. */
type NameObject = Record<string, string | string[]>;

export interface LegacyCertificate {
  readonly subject: NameObject;
  readonly issuer: NameObject;
  readonly subjectaltname: string | undefined;
  readonly valid_from: string;
  readonly valid_to: string;
  readonly fingerprint: string;
  readonly fingerprint256: string;
  readonly fingerprint512: string;
  readonly serialNumber: string;
  readonly ca: boolean;
  readonly raw: Buffer;
}

export const legacyCertificate = (certificate: X509Certificate): LegacyCertificate => ({
  subject: nameObject(certificate.subject),
  issuer: nameObject(certificate.issuer),
  subjectaltname: certificate.subjectAltName,
  valid_from: certificate.validFrom,
  valid_to: certificate.validTo,
  fingerprint: certificate.fingerprint,
  fingerprint256: certificate.fingerprint256,
  fingerprint512: certificate.fingerprint512,
  serialNumber: certificate.serialNumber,
  ca: certificate.ca,
  raw: certificate.raw,
});

/** From `CN=…\nO=…`, one attribute a line. An attribute may have any name, `__proto__` too. */
function nameObject(text: string | undefined): NameObject {
  const found = new Map<string, string | string[]>();
  for (const line of (text ?? '').split('\n')) {
    const at = line.indexOf('=');
    if (at < 1) continue;
    const [type, value] = [line.slice(0, at), line.slice(at + 1)];
    const before = found.get(type);
    found.set(type, before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]);
  }
  return Object.fromEntries(found);
}
