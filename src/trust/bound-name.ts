// Names as name constraints see them (RFC 5280 section 4.2.1.10): a name of a certificate and the base of a subtree
// have the same forms. What cannot be read keeps its form, so that a constraint on that form refuses it.

import { type Der, elementsOf, oidOf, readOnly, tags } from './der.ts';
import { readName } from './distinguished-name.ts';

export type BoundName =
  | { readonly form: 'dns' | 'email' | 'uri'; readonly text: string }
  | { readonly form: 'ip'; readonly octets: Uint8Array }
  | { readonly form: 'directory'; readonly parts: readonly string[] | null }
  /** Of a form that no constraint is understood for, by its identifier. */
  | { readonly form: 'other'; readonly of: string };

const smtpUtf8Mailbox = '1.3.6.1.5.5.7.8.9';

const textOf = ({ content }: Der): string => Buffer.from(content).toString('latin1').toLowerCase();

/** Only the host of a mailbox is the same in any letter case. */
export const mailbox = (text: string): BoundName => {
  const at = text.lastIndexOf('@') + 1;
  return { form: 'email', text: text.slice(0, at) + text.slice(at).toLowerCase() };
};

const directoryOf = (element: Der): BoundName => {
  try {
    return { form: 'directory', parts: readName(readOnly(element.content, tags.sequence)).parts };
  } catch {
    return { form: 'directory', parts: null };
  }
};

/** RFC 9598: constraints on mailboxes hold for those in UTF-8 as well. */
const otherOf = (element: Der): readonly BoundName[] => {
  const [id, explicit] = elementsOf(element, 3);
  const of = id === undefined ? 'otherName' : oidOf(id);
  const other = { form: 'other', of } as const;
  if (of !== smtpUtf8Mailbox || explicit === undefined) return [other];
  const text = Buffer.from(readOnly(explicit.content, tags.utf8String).content).toString('utf8');
  return [other, mailbox(text)];
};

/** One GeneralName; a mailbox in UTF-8 counts as two. Throws DerError for an otherName that cannot be read. */
export const boundNamesOf = (element: Der): readonly BoundName[] => {
  switch (element.tag) {
    case 0xa0:
      return otherOf(element);
    case 0x81:
      return [mailbox(Buffer.from(element.content).toString('latin1'))];
    case 0x82:
      return [{ form: 'dns', text: textOf(element) }];
    case 0x86:
      return [{ form: 'uri', text: textOf(element) }];
    case 0x87:
      return [{ form: 'ip', octets: element.content }];
    case 0xa4:
      return [directoryOf(element)];
    default:
      return [{ form: 'other', of: `[${element.tag & 0x1f}]` }];
  }
};

/** More names than a certificate has that fits in a handshake. */
const maxNames = 10_000;

/** The names of GeneralNames. Throws DerError. */
export const readBoundNames = (bytes: Uint8Array): readonly BoundName[] =>
  elementsOf(readOnly(bytes, tags.sequence), maxNames).flatMap(boundNamesOf);
