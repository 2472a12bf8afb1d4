// Describes certificates offline, without trust and without throwing for bad ones. Text is raw, only bounded:
// whoever prints it passes it through escapeText.

import { DerError, readFirst, tags } from './der.ts';
import { type Fault, orderFaults } from './fault.ts';
import { sha256Of } from './fingerprint.ts';
import { interceptorOf } from './interceptor.ts';
import { isSelfSigned, type ParsedCertificate, parseCertificate } from './parsed-certificate.ts';
import { profileFaults } from './profile.ts';
import { anywhereFaults, leafFaults, vouchedForFaults } from './single-faults.ts';

/** One certificate, described. Dates are ISO 8601 in UTC. `null` where it could not be read. */
export interface CertificateDescription {
  /** `sha256//BASE64=` of the SubjectPublicKeyInfo. */
  readonly spki: string | null;
  /** `AB:CD:…` SHA-256 of the DER certificate. */
  readonly sha256: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly version: number | null;
  readonly names: readonly {
    readonly type: 'dns' | 'ip' | 'srv' | 'uri' | 'email' | 'other';
    readonly value: string;
  }[];
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** Such as `RSA 2048`, `EC P-256`, `Ed25519`. */
  readonly key: string;
  /** Such as `ecdsa-with-SHA256`. */
  readonly signature: string;
  readonly keyUsage: readonly string[];
  readonly extendedKeyUsage: readonly string[];
  readonly ca: boolean;
  /** Faults that show in this certificate alone. */
  readonly faults: readonly Fault[];
  readonly pem: string;
}

/** Longest text and longest list of a description: a certificate can hold a hundred kilobytes of either. */
const maxText = 512;
const maxNames = 1000;
const maxUsages = 64;

/** At most `most` UTF-16 units; what was cut off shows as an ellipsis. */
export const boundText = (text: string, most: number = maxText): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;

const usageNames: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
};

/** Upper-case hexadecimal, a negative number with its sign. */
const serialText = (serial: Uint8Array | null): string => {
  if (serial === null) return '';
  const digits = Buffer.from(serial).toString('hex');
  const value = BigInt.asIntN(serial.length * 8, BigInt(`0x${digits}`));
  const text = (value < 0n ? -value : value).toString(16).toUpperCase();
  return boundText(`${value < 0n ? '-' : ''}${text.length % 2 === 1 ? '0' : ''}${text}`);
};

const pemOf = (der: Uint8Array): string => {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
};

const isoOf = (time: number | undefined): string | null =>
  time === undefined ? null : new Date(time).toISOString();

/** Faults of the certificate where nothing is known of its place: what only a server's own must not have counts unless it is a CA's. */
const faultsOf = (certificate: ParsedCertificate): readonly Fault[] => {
  const selfSigned = isSelfSigned(certificate);
  const ca = certificate.extensions.basicConstraints?.ca === true;
  return orderFaults([
    ...anywhereFaults(certificate),
    ...(selfSigned
      ? (['self-signed'] as const)
      : [...vouchedForFaults(certificate), ...profileFaults(certificate)]),
    ...(ca ? [] : leafFaults(certificate, { selfSigned })),
    ...(interceptorOf([certificate]) === null ? [] : (['known-interceptor'] as const)),
  ]);
};

/** The description of a certificate that was parsed already. Never throws. */
export const describeParsed = (certificate: ParsedCertificate): CertificateDescription => {
  const { extensions, dates } = certificate;
  return {
    spki: certificate.spki,
    sha256: sha256Of(certificate.der),
    subject: boundText(certificate.subject.text),
    issuer: boundText(certificate.issuer.text),
    serial: serialText(certificate.serial),
    version: certificate.version,
    names: extensions.names.slice(0, maxNames).map(({ type, value }) => ({ type, value: boundText(value) })),
    notBefore: isoOf(dates?.notBefore),
    notAfter: isoOf(dates?.notAfter),
    key: certificate.key?.name ?? '',
    signature: certificate.signature?.name ?? '',
    keyUsage: extensions.keyUsage ?? [],
    extendedKeyUsage: (extensions.extendedKeyUsage ?? [])
      .slice(0, maxUsages)
      .map((oid) => usageNames[oid] ?? oid),
    ca: extensions.basicConstraints?.ca === true,
    faults: faultsOf(certificate),
    pem: pemOf(certificate.der),
  };
};

/**
 * Describes one DER certificate. Never throws: what cannot be read is null or empty, and the fault `malformed` says
 * so. The faults are those that show without a time and a name; see datedFaults for the dates.
 */
export const describeCertificate = (der: Uint8Array): CertificateDescription =>
  describeParsed(parseCertificate(der));

/** The faults of a description with what the dates add at `now`, milliseconds since 1970. */
export const datedFaults = (
  { faults, notBefore, notAfter }: CertificateDescription,
  now: number,
): readonly Fault[] =>
  orderFaults([
    ...faults,
    ...(notAfter !== null && now >= Date.parse(notAfter) + 1000 ? (['expired'] as const) : []),
    ...(notBefore !== null && Date.parse(notBefore) > now ? (['not-yet-valid'] as const) : []),
  ]);

/** More certificates in one file than any trust bundle has. */
const maxCertificates = 4096;
const block = /-----BEGIN ([A-Z0-9 ]{1,64})-----([^-]*)-----END \1-----/g;
const certificateLabels = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'];

/** Cuts one element off; OpenSSL's TRUSTED CERTIFICATE carries settings of its own behind the certificate. */
const firstElement = (
  bytes: Uint8Array,
  what: string,
): { readonly certificate: Uint8Array; readonly rest: Uint8Array } => {
  try {
    const { element, rest } = readFirst(bytes);
    if (element.tag !== tags.sequence) throw new DerError('a certificate is a sequence');
    return { certificate: element.whole, rest };
  } catch (cause) {
    throw new RangeError(
      `${what} is not a certificate: ${cause instanceof Error ? cause.message : 'unreadable'}`,
      { cause },
    );
  }
};

const readBlock = (body: string, label: string, position: number): Uint8Array => {
  const what = `certificate ${position}`;
  const text = body.replace(/\s+/g, '');
  if (text === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0)
    throw new RangeError(`${what} is not base64`);
  const { certificate, rest } = firstElement(Buffer.from(text, 'base64'), what);
  if (rest.length > 0 && label !== 'TRUSTED CERTIFICATE')
    throw new RangeError(`${what} has bytes behind its end`);
  return certificate;
};

const readPem = (text: string): readonly Uint8Array[] => {
  const blocks = [...text.matchAll(block)];
  const found = blocks.filter(([, label = '']) => certificateLabels.includes(label));
  const begun = [...text.matchAll(/-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----/g)].length;
  if (begun > found.length)
    throw new RangeError(`a certificate begins and does not end: ${begun} begin, ${found.length} are whole`);
  if (found.length > maxCertificates) throw new RangeError(`more than ${maxCertificates} certificates`);
  const other = blocks[0]?.[1];
  if (found.length === 0)
    throw new RangeError(
      other === undefined
        ? 'no certificate in it, neither PEM nor DER'
        : `no certificate in it, but ${other}`,
    );
  return found.map(([, label = '', body = ''], at) => readBlock(body, label, at + 1));
};

const readDer = (bytes: Uint8Array): readonly Uint8Array[] => {
  const found: Uint8Array[] = [];
  for (let left = bytes; left.length > 0;) {
    if (found.length === maxCertificates) throw new RangeError(`more than ${maxCertificates} certificates`);
    const { certificate, rest } = firstElement(left, `certificate ${found.length + 1}`);
    found.push(certificate);
    left = rest;
  }
  return found;
};

/**
 * The DER certificates of a file: PEM (text around the blocks and other blocks, such as a key, are passed over) or
 * DER, one or several. What stands inside is not judged here, see describeCertificate. Throws RangeError that names
 * what is wrong with the file.
 */
export const readCertificates = (pemOrDer: Uint8Array | string): Uint8Array[] => {
  if (typeof pemOrDer === 'string') return [...readPem(pemOrDer)];
  if (pemOrDer[0] === tags.sequence) return [...readDer(pemOrDer)];
  return [...readPem(Buffer.from(pemOrDer).toString('latin1'))];
};
