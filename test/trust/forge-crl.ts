// Makes revocation lists in memory, good ones and ones that no decent tool would make.

import { sign } from 'node:crypto';
import { der, type Forged, forgeCa, oid, sequence, text } from './forge.ts';

const ecdsa = sequence(oid('1.2.840.10045.4.3.2'));
const utc = (value: string): Buffer => text(0x17, value);

export interface ListWish {
  readonly by?: Pick<Forged, 'subject' | 'keys'>;
  readonly algorithm?: Buffer;
  readonly hash?: string;
  readonly extensions?: readonly Buffer[];
  readonly entryExtensions?: readonly Buffer[];
  readonly tail?: Buffer;
}

/** Issued lists by, where nobody else is named. */
export const listIssuer = forgeCa('Forged Root');

/** DER; names the serial number 0x11, which forged certificates have, and is in date in 2026. */
export const forgeCrl = ({
  by = listIssuer,
  algorithm = ecdsa,
  hash = 'sha256',
  ...wish
}: ListWish = {}): Buffer => {
  const entry = sequence(
    der(0x02, Buffer.of(0x11)),
    utc('260101000000Z'),
    ...(wish.entryExtensions === undefined ? [] : [sequence(...wish.entryExtensions)]),
  );
  const tbs = sequence(
    der(0x02, Buffer.of(1)),
    algorithm,
    by.subject,
    utc('260101000000Z'),
    utc('270101000000Z'),
    sequence(entry),
    ...(wish.extensions === undefined ? [] : [der(0xa0, sequence(...wish.extensions))]),
  );
  const signature = sign(hash, tbs, by.keys.privateKey);
  const tail = wish.tail === undefined ? [] : [wish.tail];
  return sequence(tbs, algorithm, der(0x03, Buffer.of(0), signature), ...tail);
};

export const crlPem = (list: Buffer): string =>
  `-----BEGIN X509 CRL-----\n${list.toString('base64')}\n-----END X509 CRL-----\n`;
