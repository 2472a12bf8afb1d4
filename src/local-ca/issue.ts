// Makes the keys and certificates of the local CA. It is loaded only when something has to be made: the library
// behind it is large. Everything random and every date comes from here; nothing is written here.

import { randomBytes, webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import { constraintsFor, constraintsOid, encodeConstraints } from './constraints.ts';
import { readAuthority } from './authority.ts';
import type { LocalNames } from './names.ts';
import type { Pair, PairText } from './pair.ts';

/** Whose CA it is, so that two can be told apart in a list of authorities. */
export interface Owner {
  readonly host: string;
  readonly user: string;
}

/** Old clients that know no elliptic curves are shown an `rsa` leaf. */
export type LeafKind = 'ecdsa' | 'rsa';

const dayMs = 86_400_000;
/** Clocks of other machines, and of this one tomorrow, may be a little behind. */
const backdatedMs = dayMs;
const authorityMs = 3652 * dayMs;
const leafMs = 90 * dayMs;

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
};

async function library(): Promise<typeof X509> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** A CA that may vouch for these names and all of loopback, as a server, and for nothing else. */
export async function makeAuthority(
  names: LocalNames,
  { owner, now }: { readonly owner: Owner; readonly now: number },
): Promise<PairText> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: subjectFor(owner, now),
    notBefore: wholeSecond(now - backdatedMs),
    notAfter: wholeSecond(now + authorityMs),
    signingAlgorithm: ecdsa,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      // Programs read it as a limit on all it signs: no mail is signed and no user logs in by this CA.
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.Extension(constraintsOid, true, encodeConstraints(constraintsFor(names))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

/** @throws RangeError when the CA is not one that was made here */
export async function makeLeaf(
  authority: Pair,
  { names, kind, now }: { readonly names: LocalNames; readonly kind: LeafKind; readonly now: number },
): Promise<PairText> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await signerOf(authority);
  const keys = await webcrypto.subtle.generateKey(kind === 'rsa' ? rsa : ecdsa, true, ['sign', 'verify']);
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  // The oldest clients encrypt to the key itself instead of agreeing on one.
  const usage = kind === 'rsa' ? digitalSignature | keyEncipherment : digitalSignature;
  const { parsed, notAfter } = readAuthorityOf(authority);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [names.dns[0] ?? 'localhost'] }, { O: ['letterlock'] }],
    issuer: issuer.subjectName,
    notBefore: wholeSecond(now - backdatedMs),
    notAfter: wholeSecond(Math.min(now + leafMs, notAfter)),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ecdsa,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usage, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns', value }) as const),
        ...names.addresses.map((value) => ({ type: 'ip', value }) as const),
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.AuthorityKeyIdentifierExtension(parsed.extensions.subjectKeyId ?? ''),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

const readAuthorityOf = ({ parsed }: Pair): ReturnType<typeof readAuthority> => readAuthority(parsed.der);

async function signerOf({ parsed, key }: Pair): Promise<webcrypto.CryptoKey> {
  if (parsed.key?.name !== 'EC P-256' || parsed.extensions.subjectKeyId === null)
    throw new RangeError(
      'is not a CA that letterlock made: own certificates belong to a route, under clientTls',
    );
  const der = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, ecdsa, false, ['sign']);
}

/** Positive, and long enough that no two are ever alike. */
function serial(): string {
  const bytes = randomBytes(16);
  return bytes.toString('hex').replace(/^./, '4');
}

/** At most 64 characters, as RFC 5280 has it. The mark tells two of one day apart. */
function subjectFor({ host, user }: Owner, now: number): Record<string, string[]>[] {
  const day = new Date(now).toISOString().slice(0, 10);
  const mark = randomBytes(2).toString('hex');
  return [
    { CN: [`letterlock local CA (${plain(host, 24)}, ${day} ${mark})`] },
    { O: ['letterlock'] },
    { OU: [`${plain(user, 30)}@${plain(host, 30)}`] },
  ];
}

const plain = (text: string, most: number): string =>
  text.replace(/[^\w.-]/g, '-').slice(0, most) || 'unknown';

/** Certificates know no fractions of seconds. */
const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}
