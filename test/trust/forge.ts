// Makes certificates in memory, good ones and ones that no decent tool would make. It writes DER by itself, so that
// a test can break exactly one thing and so that reading and writing share no code.

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Endpoint } from '../../src/endpoint.ts';
import type { Anchors } from '../../src/trust/examine.ts';

export const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const hex = content.length.toString(16);
  const octets = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex');
  const length = content.length < 0x80 ? octets : Buffer.concat([Buffer.of(0x80 + octets.length), octets]);
  return Buffer.concat([Buffer.of(tag), length, content]);
};

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value, 'utf8'));
export const octets = (value: Uint8Array): Buffer => der(0x04, value);

export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const arcs = [first * 40 + second, ...others].map((arc) => {
    const digits = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
      digits.unshift((rest % 128) + 128);
    return Buffer.from(digits);
  });
  return der(0x06, ...arcs);
};

const utf8 = 0x0c;
/** A Name of one-valued parts: `name(['2.5.4.3', 'mail.example.org'])`. */
export const name = (...parts: readonly (readonly [string, string, number?])[]): Buffer =>
  sequence(...parts.map(([type, value, tag = utf8]) => der(0x31, sequence(oid(type), text(tag, value)))));
export const cn = (value: string, tag: number = utf8): Buffer => name(['2.5.4.3', value, tag]);

export const dns = (value: string): Buffer => der(0x82, Buffer.from(value, 'latin1'));
export const ip = (...value: readonly number[]): Buffer => der(0x87, Buffer.from(value));
export const email = (value: string): Buffer => der(0x81, Buffer.from(value, 'latin1'));
export const uri = (value: string): Buffer => der(0x86, Buffer.from(value, 'latin1'));
export const srv = (value: string): Buffer =>
  der(0xa0, oid('1.3.6.1.5.5.7.8.7'), der(0xa0, text(0x16, value)));

export const extension = (type: string, value: Uint8Array, critical: boolean = false): Buffer =>
  sequence(oid(type), ...(critical ? [Buffer.of(1, 1, 0xff)] : []), octets(value));

export const san = (...names: readonly Buffer[]): Buffer => extension('2.5.29.17', sequence(...names));
export const basicConstraints = (ca: boolean, pathLength: number | null = null): Buffer =>
  extension(
    '2.5.29.19',
    sequence(
      ...(ca ? [Buffer.of(1, 1, 0xff)] : []),
      ...(pathLength === null ? [] : [der(0x02, Buffer.of(pathLength))]),
    ),
    true,
  );

const usageBits = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
  cRLSign: 0x02,
};
export const keyUsage = (...usages: readonly (keyof typeof usageBits)[]): Buffer =>
  extension(
    '2.5.29.15',
    der(
      0x03,
      Buffer.of(
        1,
        usages.reduce((sum, usage) => sum + usageBits[usage], 0),
      ),
    ),
    true,
  );

export const serverAuth = '1.3.6.1.5.5.7.3.1';
export const clientAuth = '1.3.6.1.5.5.7.3.2';
export const anyUsage = '2.5.29.37.0';
export const extendedKeyUsage = (...types: readonly string[]): Buffer =>
  extension('2.5.29.37', sequence(...types.map(oid)));

export interface Subtrees {
  readonly permitted?: readonly Buffer[];
  readonly excluded?: readonly Buffer[];
}
/** The bases are GeneralNames: `nameConstraints({ excluded: [dns('example.org')] })`. */
export const nameConstraints = ({ permitted, excluded }: Subtrees, critical: boolean = true): Buffer =>
  extension(
    '2.5.29.30',
    sequence(
      ...(permitted === undefined ? [] : [der(0xa0, ...permitted.map((base) => sequence(base)))]),
      ...(excluded === undefined ? [] : [der(0xa1, ...excluded.map((base) => sequence(base)))]),
    ),
    critical,
  );
export const directory = (subject: Buffer): Buffer => der(0xa4, subject);

/** AIA caIssuers. */
export const issuerSource = (where: string): Buffer =>
  extension('1.3.6.1.5.5.7.1.1', sequence(sequence(oid('1.3.6.1.5.5.7.48.2'), uri(where))));
/** AuthorityKeyIdentifier that names the issuer's issuer besides a key of nobody. */
export const authorityIssuer = (issuer: Buffer): Buffer =>
  extension(
    '2.5.29.35',
    sequence(der(0x80, Buffer.of(1)), der(0xa1, der(0xa4, issuer)), der(0x82, Buffer.of(1))),
  );

const subjectKeyType = '2.5.29.14';
const authorityKeyType = '2.5.29.35';
export const subjectKey = (id: Uint8Array): Buffer => extension(subjectKeyType, octets(id));
export const authorityKey = (id: Uint8Array): Buffer => extension(authorityKeyType, sequence(der(0x80, id)));

export interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}
export const ecKeys = (namedCurve: string = 'P-256'): Keys => generateKeyPairSync('ec', { namedCurve });
export const rsaKeys = (modulusLength: number, publicExponent: number = 65_537): Keys =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent });

const algorithms = {
  'ec-sha256': { hash: 'sha256', identifier: sequence(oid('1.2.840.10045.4.3.2')) },
  'ec-sha1': { hash: 'sha1', identifier: sequence(oid('1.2.840.10045.4.1')) },
  'rsa-sha256': { hash: 'sha256', identifier: sequence(oid('1.2.840.113549.1.1.11'), Buffer.of(5, 0)) },
  'rsa-sha1': { hash: 'sha1', identifier: sequence(oid('1.2.840.113549.1.1.5'), Buffer.of(5, 0)) },
  'rsa-md5': { hash: 'md5', identifier: sequence(oid('1.2.840.113549.1.1.4'), Buffer.of(5, 0)) },
} as const;

export interface Forged {
  readonly certificate: Buffer;
  readonly subject: Buffer;
  readonly keys: Keys;
  readonly keyId?: Buffer;
}

export interface Wish {
  readonly subject?: Buffer;
  /** Absent: signs itself. */
  readonly issuer?: Pick<Forged, 'subject' | 'keys' | 'keyId'>;
  readonly keys?: Keys;
  readonly extensions?: readonly Buffer[];
  readonly version?: 1 | 2 | 3;
  /** Content octets of the INTEGER. */
  readonly serial?: Buffer;
  readonly from?: string;
  readonly to?: string;
  readonly algorithm?: keyof typeof algorithms;
  /** Where the one beside the signature differs from the one that is signed. */
  readonly outerAlgorithm?: keyof typeof algorithms;
  readonly spki?: Buffer;
  /** The identifier of its key, where it is not the usual one. */
  readonly keyId?: Buffer;
  /** `none`: without the key identifiers that RFC 5280 demands and that are put there by themselves. */
  readonly identifiers?: 'none';
}

const time = (iso: string): Buffer => {
  const digits = iso.replace(/[-:T]/g, '');
  return iso < '2050' ? text(0x17, digits.slice(2)) : text(0x18, digits);
};

const standardKeys = ecKeys();

export const keyIdOf = (keys: Keys): Buffer =>
  createHash('sha1')
    .update(keys.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

/** What is wished for, and the key identifiers every decent tool adds, in so far as they are not wished for otherwise. */
const extensionsOf = (wish: Wish, keys: Keys): readonly Buffer[] => {
  const wished = wish.extensions ?? [];
  if ((wish.version ?? 3) < 3 || wish.identifiers === 'none') return wished;
  const has = (type: string): boolean => wished.some((one) => one.includes(oid(type)));
  const ca = has('2.5.29.19') && !wished.some((one) => one.equals(basicConstraints(false)));
  return [
    ...wished,
    ...(ca && !has(subjectKeyType) ? [subjectKey(wish.keyId ?? keyIdOf(keys))] : []),
    ...(wish.issuer !== undefined && !has(authorityKeyType)
      ? [authorityKey(wish.issuer.keyId ?? keyIdOf(wish.issuer.keys))]
      : []),
  ];
};

export const forge = (wish: Wish = {}): Forged => {
  const keys = wish.keys ?? standardKeys;
  const subject = wish.subject ?? cn('mail.example.org');
  const issuer = wish.issuer ?? { subject, keys };
  const version = wish.version ?? 3;
  const extensions = extensionsOf(wish, keys);
  const { hash, identifier } = algorithms[wish.algorithm ?? 'ec-sha256'];
  const tbs = sequence(
    ...(version === 1 ? [] : [der(0xa0, der(0x02, Buffer.of(version - 1)))]),
    der(0x02, wish.serial ?? Buffer.of(0x11)),
    identifier,
    issuer.subject,
    sequence(time(wish.from ?? '2026-01-01T00:00:00Z'), time(wish.to ?? '2027-01-01T00:00:00Z')),
    subject,
    wish.spki ?? keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  const outer = algorithms[wish.outerAlgorithm ?? wish.algorithm ?? 'ec-sha256'].identifier;
  const signature = sign(hash, tbs, issuer.keys.privateKey);
  const certificate = sequence(tbs, outer, der(0x03, Buffer.of(0), signature));
  return { certificate, subject, keys, ...(wish.keyId === undefined ? {} : { keyId: wish.keyId }) };
};

/** A CA that signs others; what `wish` names replaces what a CA normally has. */
export const forgeCa = (called: string, wish: Wish = {}): Forged =>
  forge({
    subject: cn(called),
    keys: ecKeys(),
    extensions: [basicConstraints(true), keyUsage('keyCertSign', 'cRLSign')],
    from: '2020-01-01T00:00:00Z',
    to: '2040-01-01T00:00:00Z',
    ...wish,
  });

/** A sound certificate of a mail server, but for what `wish` names. */
export const forgeLeaf = (wish: Wish = {}): Forged =>
  forge({ extensions: [san(dns('mail.example.org')), extendedKeyUsage(serverAuth)], ...wish });

let sets = 0;
export const anchorsOf = (...anchors: readonly Forged[]): Anchors => ({
  digest: `set ${(sets += 1)}`,
  certificates: anchors.map(({ certificate }) => certificate),
});

export const endpointOf = (host: string, kind: Endpoint['kind'] = 'dns'): Endpoint => ({
  name: kind === 'ip' && host.includes(':') ? `[${host}]:993` : `${host}:993`,
  host,
  port: 993,
  kind,
});
