// The extensions that decide something here, decoded (RFC 5280 section 4.2.1). Every value is checked to be one
// strict DER tree of bounded size before a general parser sees it. Policies count as understood because OpenSSL's
// chain verdict, which CA validity demands as well, processes them.

import { AsnParser } from '@peculiar/asn1-schema';
import {
  AuthorityInfoAccessSyntax,
  BasicConstraints,
  ExtendedKeyUsage,
  id_ad_caIssuers,
  KeyUsage,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509';
import { checkTree, DerError, elementsOf, Fields, readOnly, tags } from './der.ts';
import { readName } from './distinguished-name.ts';
import type { Extension } from './frame.ts';
import { directoryNames, type GeneralName, readGeneralNames } from './general-name.ts';
import { type NameConstraints, readNameConstraints } from './name-constraints.ts';
import { type BoundName, readBoundNames } from './bound-name.ts';

/** AuthorityKeyIdentifier; null where a field is absent. */
export interface AuthorityKey {
  readonly keyId: string | null;
  /** Comparison key of the issuer's issuer, and the serial number of the issuer, hexadecimal. */
  readonly issuer: string | null;
  readonly serial: string | null;
}

/** Object identifiers of extensions that the rules of profile.ts speak of. */
export const extensionIds = {
  subjectKeyId: '2.5.29.14',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  inhibitAnyPolicy: '2.5.29.54',
  authorityAccess: '1.3.6.1.5.5.7.1.1',
} as const;

export interface Extensions {
  readonly names: readonly GeneralName[];
  /** Null where the extension is absent. */
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | null } | null;
  readonly keyUsage: readonly string[] | null;
  /** Object identifiers. */
  readonly extendedKeyUsage: readonly string[] | null;
  readonly subjectKeyId: string | null;
  readonly authorityKey: AuthorityKey | null;
  /** `unreadable` permits nothing. */
  readonly nameConstraints: NameConstraints | 'unreadable' | null;
  /** The alternative names as name constraints see them. */
  readonly boundNames: readonly BoundName[];
  /** Which extensions there are, by object identifier, and whether they are critical. */
  readonly critical: ReadonlyMap<string, boolean>;
  /** The certificate says where its issuer can be fetched. */
  readonly namesIssuerSource: boolean;
  readonly unknownCritical: boolean;
  /** RFC 7633: whoever shows this certificate staples an OCSP answer. */
  readonly mustStaple: boolean;
  /** Every extension we decode could be decoded. */
  readonly sound: boolean;
}

type Draft = { -readonly [K in keyof Extensions]: Extensions[K] };

export const noExtensions: Extensions = {
  names: [],
  basicConstraints: null,
  keyUsage: null,
  extendedKeyUsage: null,
  subjectKeyId: null,
  authorityKey: null,
  nameConstraints: null,
  boundNames: [],
  critical: new Map(),
  namesIssuerSource: false,
  unknownCritical: false,
  mustStaple: false,
  sound: true,
};

const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(new Uint8Array(bytes)).toString('hex');

const decode = <T>(value: Uint8Array, type: new () => T): T => {
  checkTree(value);
  return AsnParser.parse(value, type);
};

const readBasicConstraints = (draft: Draft, value: Uint8Array): void => {
  const { cA, pathLenConstraint = null } = decode(value, BasicConstraints);
  if (pathLenConstraint !== null && !(pathLenConstraint >= 0)) throw new DerError('no such path length');
  draft.basicConstraints = { ca: cA, pathLength: pathLenConstraint };
};

const readKeyUsage = (draft: Draft, value: Uint8Array): void => {
  readOnly(value, tags.bitString);
  draft.keyUsage = decode(value, KeyUsage).toJSON();
};

const readExtendedKeyUsage = (draft: Draft, value: Uint8Array): void => {
  draft.extendedKeyUsage = [...decode(value, ExtendedKeyUsage)];
  if (draft.extendedKeyUsage.length === 0) throw new DerError('an empty list of usages');
};

const readAuthorityKeyId = (draft: Draft, value: Uint8Array): void => {
  const fields = new Fields(readOnly(value, tags.sequence));
  const keyId = fields.takeIf(0x80);
  const issuer = fields.takeIf(0xa1);
  const serial = fields.takeIf(0x82);
  fields.end();
  const [name] = issuer === null ? [] : directoryNames(issuer);
  draft.authorityKey = {
    keyId: keyId === null ? null : hex(keyId.content),
    issuer: name === undefined ? null : readName(name).key,
    serial: serial === null ? null : hex(serial.content),
  };
};

const readAlternativeNames = (draft: Draft, value: Uint8Array): void => {
  const { names, sound } = readGeneralNames(value);
  draft.names = names;
  draft.boundNames = readBoundNames(value);
  if (!sound) throw new DerError('a name could not be read');
};

const readAuthorityAccess = (draft: Draft, value: Uint8Array): void => {
  draft.namesIssuerSource = [...decode(value, AuthorityInfoAccessSyntax)].some(
    ({ accessMethod }) => accessMethod === id_ad_caIssuers,
  );
};

const readSubjectKeyId = (draft: Draft, value: Uint8Array): void => {
  draft.subjectKeyId = hex(decode(value, SubjectKeyIdentifier).buffer);
};

/** The number of the TLS extension status_request. */
const statusRequest = '5';

const readTlsFeatures = (draft: Draft, value: Uint8Array): void => {
  const features = elementsOf(readOnly(value, tags.sequence), 16);
  draft.mustStaple = features.some(
    ({ tag, content }) => tag === tags.integer && content.join() === statusRequest,
  );
};

const readConstraints = (draft: Draft, value: Uint8Array): void => {
  draft.nameConstraints = 'unreadable';
  draft.nameConstraints = readNameConstraints(value);
};

/** By object identifier; null: understood, but nothing here depends on it. */
const readers: ReadonlyMap<string, ((draft: Draft, value: Uint8Array) => void) | null> = new Map([
  ['2.5.29.14', readSubjectKeyId],
  ['2.5.29.15', readKeyUsage],
  ['2.5.29.17', readAlternativeNames],
  ['2.5.29.18', null], // issuerAltName
  ['2.5.29.19', readBasicConstraints],
  ['2.5.29.30', readConstraints],
  ['2.5.29.31', null], // cRLDistributionPoints
  ['2.5.29.32', null], // certificatePolicies
  ['2.5.29.33', null], // policyMappings
  ['2.5.29.35', readAuthorityKeyId],
  ['2.5.29.36', null], // policyConstraints
  ['2.5.29.37', readExtendedKeyUsage],
  ['2.5.29.54', null], // inhibitAnyPolicy
  ['1.3.6.1.5.5.7.1.1', readAuthorityAccess],
  ['1.3.6.1.5.5.7.1.24', readTlsFeatures],
  ['2.16.840.1.113730.1.1', null], // Netscape certificate type, which OpenSSL still honours
]);

/** Never throws: what cannot be decoded is left out and makes the result not `sound`. */
export const readExtensionValues = (extensions: readonly Extension[]): Extensions => {
  const draft: Draft = {
    ...noExtensions,
    critical: new Map(extensions.map(({ oid, critical }) => [oid, critical])),
  };
  for (const { oid, critical, value } of extensions) {
    const read = readers.get(oid);
    if (read === undefined && critical) draft.unknownCritical = true;
    try {
      read?.(draft, value);
    } catch {
      // Whatever a decoder throws, its own errors included, means that this value is not what RFC 5280 says.
      draft.sound = false;
    }
  }
  return draft;
};
