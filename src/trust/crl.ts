// A certificate revocation list (RFC 5280 section 5), read strictly. What it revokes counts only together with the
// certificate of its issuer, whose key must have signed it; that it does not name a certificate proves nothing.

import type { ParsedCertificate } from './parsed-certificate.ts';
import { booleanOf, type Der, DerError, elementsOf, Fields, readOnly, tags, timeOf } from './der.ts';
import { type DistinguishedName, readName } from './distinguished-name.ts';
import { readExtensions } from './frame.ts';
import { isProof, isSignedBy, signatureBits, type Signed } from './signed.ts';

/** Large CAs have some hundred thousand. */
const maxEntries = 2_000_000;
const maxLists = 64;

/** Hexadecimal, without the zero that keeps a large number positive. */
export const serialKey = (serial: Uint8Array): string =>
  Buffer.from(serial)
    .toString('hex')
    .replace(/^(?:00)+(?=..)/, '');

/** What a list says. Times are milliseconds since 1970. */
interface Content {
  readonly issuer: DistinguishedName;
  readonly thisUpdate: number;
  readonly nextUpdate: number | null;
  /** Keys of serial numbers, see serialKey. */
  readonly revoked: ReadonlySet<string>;
}

export class Crl {
  readonly content: Content;
  readonly #signed: Signed;
  /** By the issuer's key: a signature over megabytes is checked once. */
  readonly #checked = new Map<string, boolean>();

  constructor(content: Content, signed: Signed) {
    this.content = content;
    this.#signed = signed;
  }

  /** Whether this certificate issued the list: name, right to sign lists, signature (RFC 5280 section 6.3.3 (f), (g)). */
  isOf({ subject, spki, publicKey, extensions }: ParsedCertificate): boolean {
    if (subject.key !== this.content.issuer.key || spki === null || publicKey === null) return false;
    if (extensions.keyUsage !== null && !extensions.keyUsage.includes('crlSign')) return false;
    const known = this.#checked.get(spki);
    if (known !== undefined) return known;
    const signed = isSignedBy(this.#signed, publicKey);
    if (this.#checked.size < maxLists) this.#checked.set(spki, signed);
    return signed;
  }

  /** Whether the list names this serial number. */
  names(serial: Uint8Array): boolean {
    return this.content.revoked.has(serialKey(serial));
  }

  /** A newer list is due: what this one revokes still counts, but it says nothing of what came after. */
  isStale(now: number): boolean {
    const { nextUpdate } = this.content;
    return nextUpdate !== null && now >= nextUpdate;
  }
}

const deltaIndicator = '2.5.29.27';
const distributionPoint = '2.5.29.28';
const entryReason = '2.5.29.21';
const entryIssuer = '2.5.29.29';

/** RFC 5280 section 5.2.5: an indirect list names certificates of other issuers, entry by entry. */
const isIndirect = (value: Uint8Array): boolean =>
  elementsOf(readOnly(value, tags.sequence), 8).some(
    (field) => field.tag === 0x84 && booleanOf({ ...field, tag: tags.boolean }),
  );

const checkExtensions = (explicit: Der | null): void => {
  if (explicit === null) return;
  for (const { oid, critical, value } of readExtensions(readOnly(explicit.content, tags.sequence))) {
    if (oid === deltaIndicator) throw new DerError('a delta list is not taken; name the complete one');
    if (oid === distributionPoint) {
      if (isIndirect(value)) throw new DerError('an indirect list is not taken');
    } else if (critical) throw new DerError('a critical extension is not understood');
  }
};

/** Reason removeFromCRL (8) takes nothing back. */
const isRemoval = (extensions: Der): boolean => {
  let removal = false;
  for (const { oid, critical, value } of readExtensions(extensions)) {
    if (oid === entryIssuer) throw new DerError('an indirect list is not taken');
    if (oid === entryReason) removal = readOnly(value, 0x0a).content[0] === 8;
    else if (critical) throw new DerError('a critical extension of an entry is not understood');
  }
  return removal;
};

const readEntries = (list: Der | null): ReadonlySet<string> => {
  const revoked = new Set<string>();
  for (const entry of list === null ? [] : elementsOf(list, maxEntries)) {
    const fields = new Fields(entry);
    const serial = fields.take(tags.integer).content;
    timeOf(fields.take(tags.utcTime, tags.generalizedTime));
    const extensions = fields.takeIf(tags.sequence);
    fields.end();
    if (extensions === null || !isRemoval(extensions)) revoked.add(serialKey(serial));
  }
  return revoked;
};

const readContent = (tbs: Der, algorithm: Der): Content => {
  const fields = new Fields(tbs);
  const version = fields.takeIf(tags.integer);
  if (version !== null && version.content.join() !== '1') throw new DerError('no such version of a list');
  if (Buffer.compare(fields.take(tags.sequence).whole, algorithm.whole) !== 0)
    throw new DerError('the algorithm that is signed is not the one beside the signature');
  const issuer = readName(fields.take(tags.sequence));
  const thisUpdate = timeOf(fields.take(tags.utcTime, tags.generalizedTime));
  const next = fields.takeIf(tags.utcTime) ?? fields.takeIf(tags.generalizedTime);
  const revoked = readEntries(fields.takeIf(tags.sequence));
  checkExtensions(fields.takeIf(0xa0));
  fields.end();
  return { issuer, thisUpdate, nextUpdate: next === null ? null : timeOf(next), revoked };
};

const readCrl = (der: Uint8Array): Crl => {
  const outer = new Fields(readOnly(der, tags.sequence));
  const tbs = outer.take(tags.sequence);
  const algorithm = outer.take(tags.sequence);
  const signature = signatureBits(outer.take(tags.bitString));
  outer.end();
  if (!isProof(algorithm)) throw new DerError('it is signed with an algorithm that proves nothing');
  return new Crl(readContent(tbs, algorithm), { body: tbs.whole, algorithm, signature });
};

const block = /-----BEGIN (X509 CRL|CRL)-----([^-]*)-----END \1-----/g;

const derLists = (bytes: Uint8Array): readonly Uint8Array[] => {
  if (bytes[0] === tags.sequence) return [bytes];
  const text = Buffer.from(bytes).toString('latin1');
  return [...text.matchAll(block)].map(([, , body = '']) => Buffer.from(body, 'base64'));
};

/** The lists of a file: PEM (`X509 CRL`), several in one file, or one in DER. Throws RangeError that says what is wrong with it. */
export const readCrls = (bytes: Uint8Array): readonly Crl[] => {
  const lists = derLists(bytes);
  if (lists.length === 0) throw new RangeError('no revocation list in it, neither PEM (X509 CRL) nor DER');
  if (lists.length > maxLists) throw new RangeError(`more than ${maxLists} revocation lists in it`);
  return lists.map((der, at) => {
    try {
      return readCrl(der);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'unreadable';
      throw new RangeError(`revocation list ${at + 1} cannot be used: ${why}`, { cause });
    }
  });
};
