// GeneralNames of RFC 5280 section 4.2.1.6, read from the octets that were signed: libraries leave out
// otherName (and with it the SRV-ID of RFC 4985) or show addresses as text only. Nothing is normalised here.

import { type Der, DerError, elementsOf, oidOf, readOnly, tags } from './der.ts';

export interface GeneralName {
  readonly type: 'dns' | 'ip' | 'srv' | 'uri' | 'email' | 'other';
  /** As written; an address in decimals or RFC 5952 form, of exactly its 4 or 16 octets. */
  readonly value: string;
}

/** A certificate with more names than these is malformed: none that fits in a TLS handshake has as many. */
const maxNames = 10_000;

const srvName = '1.3.6.1.5.5.7.8.7';
const smtpUtf8Mailbox = '1.3.6.1.5.5.7.8.9';

const ia5 = (bytes: Uint8Array): string => {
  // A NUL or a control ends the name for some readers and not for others.
  if (bytes.some((octet) => octet < 0x20 || octet >= 0x7f))
    throw new DerError('a name holds what is no IA5 text');
  return Buffer.from(bytes).toString('latin1');
};

/** RFC 5952. */
const ipv6Text = (octets: Uint8Array): string => {
  const groups = Buffer.from(octets)
    .toString('hex')
    .replace(/.{4}(?=.)/g, '$&:');
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
};

const addressOf = (content: Uint8Array): GeneralName => {
  if (content.length !== 4 && content.length !== 16)
    throw new DerError('an address is neither 4 nor 16 octets');
  return { type: 'ip', value: content.length === 4 ? content.join('.') : ipv6Text(content) };
};

const otherNameOf = (element: Der): GeneralName => {
  const [id, explicit, ...more] = elementsOf(element, 3);
  if (id === undefined || explicit === undefined || explicit.tag !== 0xa0 || more.length > 0)
    throw new DerError('not an otherName');
  const oid = oidOf(id);
  if (oid === srvName) return { type: 'srv', value: ia5(readOnly(explicit.content, tags.ia5String).content) };
  if (oid === smtpUtf8Mailbox) {
    return {
      type: 'email',
      value: Buffer.from(readOnly(explicit.content, tags.utf8String).content).toString('utf8'),
    };
  }
  return { type: 'other', value: `${oid} #${Buffer.from(explicit.content).toString('hex')}` };
};

const nameOf = (element: Der): GeneralName => {
  switch (element.tag) {
    case 0xa0:
      return otherNameOf(element);
    case 0x81:
      return { type: 'email', value: ia5(element.content) };
    case 0x82:
      return { type: 'dns', value: ia5(element.content) };
    case 0x86:
      return { type: 'uri', value: ia5(element.content) };
    case 0x87:
      return addressOf(element.content);
    case 0xa3: // x400Address, directoryName, ediPartyName, registeredID: shown, never matched
    case 0xa4:
    case 0xa5:
    case 0x88:
      return {
        type: 'other',
        value: `[${element.tag & 0x1f}] #${Buffer.from(element.content).toString('hex')}`,
      };
    default:
      throw new DerError('no such kind of name');
  }
};

/** Names in the order of the certificate, and whether every one could be read. Throws DerError when none can. */
export const readGeneralNames = (
  bytes: Uint8Array,
): { readonly names: readonly GeneralName[]; readonly sound: boolean } => {
  const elements = elementsOf(readOnly(bytes, tags.sequence), maxNames);
  const names: GeneralName[] = [];
  for (const element of elements) {
    try {
      names.push(nameOf(element));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
    }
  }
  return { names, sound: elements.length > 0 && names.length === elements.length };
};

/** Keys of the directory names among these, for AuthorityKeyIdentifier. */
export const directoryNames = (general: Der): readonly Der[] =>
  elementsOf(general, 64).flatMap((element) =>
    element.tag === 0xa4 ? [readOnly(element.content, tags.sequence)] : [],
  );
