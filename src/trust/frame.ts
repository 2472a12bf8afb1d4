// The outer frame of a certificate (RFC 5280 section 4.1): its fields as slices of the octets that were signed.
// What stands inside them is read elsewhere, so that one broken field leaves the others readable.

import { booleanOf, type Der, DerError, elementsOf, Fields, oidOf, readOnly, tags } from './der.ts';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

export interface Frame {
  /** 1, 2 or 3. */
  readonly version: number;
  readonly serial: Uint8Array;
  /** The AlgorithmIdentifier that is signed along, and the one beside the signature. */
  readonly signature: Der;
  readonly outerSignature: Der;
  readonly issuer: Der;
  readonly validity: Der;
  readonly subject: Der;
  readonly spki: Der;
  readonly extensions: Der | null;
}

const versionOf = (explicit: Der | null): number => {
  const [value, more] = explicit === null ? [0] : readOnly(explicit.content, tags.integer).content;
  if (value === undefined || value > 2 || more !== undefined) throw new DerError('no such version');
  return value + 1;
};

/** Throws DerError. */
export const readFrame = (certificate: Uint8Array): Frame => {
  const outer = new Fields(readOnly(certificate, tags.sequence));
  const tbs = new Fields(outer.take(tags.sequence));
  const outerSignature = outer.take(tags.sequence);
  outer.take(tags.bitString);
  outer.end();
  const version = versionOf(tbs.takeIf(0xa0));
  const frame = {
    version,
    serial: tbs.take(tags.integer).content,
    signature: tbs.take(tags.sequence),
    outerSignature,
    issuer: tbs.take(tags.sequence),
    validity: tbs.take(tags.sequence),
    subject: tbs.take(tags.sequence),
    spki: tbs.take(tags.sequence),
  };
  tbs.takeIf(0x81);
  tbs.takeIf(0x82);
  const explicit = tbs.takeIf(0xa3);
  tbs.end();
  return { ...frame, extensions: explicit === null ? null : readOnly(explicit.content, tags.sequence) };
};

const extensionOf = (element: Der): Extension => {
  const fields = new Fields(element);
  const oid = oidOf(fields.take(tags.oid));
  const critical = fields.takeIf(tags.boolean);
  const value = fields.take(tags.octetString).content;
  fields.end();
  return { oid, critical: critical !== null && booleanOf(critical), value };
};

/** Extensions in their order. Throws DerError, also when one stands there twice (RFC 5280 section 4.2). */
export const readExtensions = (sequence: Der | null): readonly Extension[] => {
  const extensions = sequence === null ? [] : elementsOf(sequence, 256).map(extensionOf);
  if (new Set(extensions.map(({ oid }) => oid)).size < extensions.length)
    throw new DerError('an extension stands there twice');
  return extensions;
};
