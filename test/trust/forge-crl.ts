// Makes revocation lists in memory, good ones and ones that no decent tool would make.

import { sign } from 'node:crypto';
import { der, type Forged, forgeCa, oid, sequence, text } from './forge.ts';

const ecdsa = sequence(oid('1.2.840.10045.4.3.2'));
const utc = (value: string): Buffer => text(0x17, value);

export interface ListWish {
  readonly by?: Pick<Forged, 'subject' | 'keys'>;
  readonly algorithm?: Buffer;
  /** Where the one beside the signature differs from the one that is signed. */
  readonly outerAlgorithm?: Buffer;
  readonly hash?: string;
  /** Content octets; null leaves it out. */
  readonly version?: Buffer | null;
  readonly nextUpdate?: Buffer | null;
  /** Null leaves out the list of entries. */
  readonly serial?: Buffer | null;
  readonly extensions?: readonly Buffer[];
  readonly entryExtensions?: readonly Buffer[];
  /** A field behind the last of an entry, of what is signed, and of the whole. */
  readonly entryTail?: Buffer;
  readonly bodyTail?: Buffer;
  readonly tail?: Buffer;
}

/** What may be left out. */
const optional = (...parts: readonly (Buffer | null | undefined)[]): readonly Buffer[] =>
  parts.filter((part) => part !== null && part !== undefined);

/** Issued lists by, where nobody else is named. */
export const listIssuer = forgeCa('Forged Root');

/** DER; names the serial number 0x11, which forged certificates have, and is in date in 2026. */
export const forgeCrl = ({
  by = listIssuer,
  algorithm = ecdsa,
  outerAlgorithm = algorithm,
  hash = 'sha256',
  version = Buffer.of(1),
  nextUpdate = utc('270101000000Z'),
  serial = Buffer.of(0x11),
  ...wish
}: ListWish = {}): Buffer => {
  const entryExtensions = wish.entryExtensions === undefined ? null : sequence(...wish.entryExtensions);
  const entry =
    serial === null
      ? null
      : sequence(der(0x02, serial), utc('260101000000Z'), ...optional(entryExtensions, wish.entryTail));
  const tbs = sequence(
    ...optional(version === null ? null : der(0x02, version)),
    algorithm,
    by.subject,
    utc('260101000000Z'),
    ...optional(
      nextUpdate,
      entry === null ? null : sequence(entry),
      wish.extensions === undefined ? null : der(0xa0, sequence(...wish.extensions)),
      wish.bodyTail,
    ),
  );
  const signature = sign(hash, tbs, by.keys.privateKey);
  return sequence(tbs, outerAlgorithm, der(0x03, Buffer.of(0), signature), ...optional(wish.tail));
};

export const crlPem = (list: Buffer): string =>
  `-----BEGIN X509 CRL-----\n${list.toString('base64')}\n-----END X509 CRL-----\n`;
