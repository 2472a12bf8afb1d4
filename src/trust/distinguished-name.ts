// A Name of X.501 as text for people and as a key for comparing (RFC 5280 section 7.1). Text is raw: whoever
// prints it escapes it. Comparing decides nothing by itself, since every link of a path needs its signature.

import { type Der, DerError, elementsOf, Fields, oidOf, tags } from './der.ts';

export interface DistinguishedName {
  /** Such as `CN=mail.example.org, O=Example`, the most specific part first, RFC 4514 escapes. */
  readonly text: string;
  /** Equal for names that are equal under RFC 5280 section 7.1 (as OpenSSL compares: letter case and spaces of ASCII). */
  readonly key: string;
  /** Comparison keys of the parts, the least specific first: what a name lies below begins with the same. */
  readonly parts: readonly string[];
  /** Every value that is text, by its type (such as `O`). */
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
  readonly commonNames: readonly string[];
}

export const noName: DistinguishedName = { text: '', key: '', parts: [], attributes: [], commonNames: [] };

const commonName = '2.5.4.3';

const shortNames: Readonly<Record<string, string>> = {
  [commonName]: 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.42': 'GN',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** Code points of two or four octets each, big-endian. */
const wideText = (bytes: Uint8Array, width: 2 | 4): string => {
  if (bytes.length % width !== 0) throw new DerError('a string is cut within a character');
  let text = '';
  for (let at = 0; at < bytes.length; at += width) {
    const point = Buffer.from(bytes.subarray(at, at + width)).readUIntBE(0, width);
    if (point > 0x10ffff) throw new DerError('no such character');
    text += width === 2 ? String.fromCharCode(point) : String.fromCodePoint(point);
  }
  return text;
};

/** Text of a string value; null for a value of another type. Throws DerError. */
const stringOf = (value: Der): string | null => {
  if (value.tag === tags.utf8String) return Buffer.from(value.content).toString('utf8');
  if (value.tag === tags.bmpString) return wideText(value.content, 2);
  if (value.tag === tags.universalString) return wideText(value.content, 4);
  const narrow: readonly number[] = [
    tags.printableString,
    tags.teletexString,
    tags.ia5String,
    tags.visibleString,
  ];
  return narrow.includes(value.tag) ? Buffer.from(value.content).toString('latin1') : null;
};

const escaped = (text: string): string => text.replace(/[,+"\\<>;]|^[ #]| $/g, '\\$&');

/** Upper-case ASCII letters only: OpenSSL leaves all others as they are, and so must the key. */
const folded = (text: string): string =>
  text
    .replace(/[ \t\n\v\f\r]+/g, ' ')
    .replace(/^ | $/g, '')
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

interface Attribute {
  readonly oid: string;
  readonly value: string | null;
  readonly text: string;
  readonly key: string;
}

const attributeOf = (element: Der): Attribute => {
  const fields = new Fields(element);
  const oid = oidOf(fields.take(tags.oid));
  const value = fields.any();
  fields.end();
  if (value === null) throw new DerError('an attribute has no value');
  const string = stringOf(value);
  const raw = `#${Buffer.from(value.whole).toString('hex')}`;
  return {
    oid,
    value: string,
    text: `${shortNames[oid] ?? oid}=${string === null ? raw : escaped(string)}`,
    key: JSON.stringify([oid, string === null ? raw : `=${folded(string)}`]),
  };
};

/** Throws DerError. */
export const readName = (element: Der): DistinguishedName => {
  if (element.tag !== tags.sequence) throw new DerError('a name is not a sequence');
  const parts = elementsOf(element, 256).map((set) => {
    if (set.tag !== tags.set || set.content.length === 0) throw new DerError('a part of a name is not a set');
    return elementsOf(set, 64).map(attributeOf);
  });
  const keys = parts.map((part) =>
    part
      .map(({ key }) => key)
      .toSorted()
      .join('+'),
  );
  const texts = parts.flat().flatMap(({ oid, value }) => (value === null ? [] : [{ oid, value }]));
  return {
    text: parts
      .toReversed()
      .map((part) => part.map(({ text }) => text).join('+'))
      .join(', '),
    key: keys.join(),
    parts: keys,
    attributes: texts.map(({ oid, value }) => ({ type: shortNames[oid] ?? oid, value })),
    commonNames: texts.flatMap(({ oid, value }) => (oid === commonName ? [value] : [])),
  };
};
