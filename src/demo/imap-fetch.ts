// FETCH data items (RFC 9051 section 7.5.2) for the demo IMAP server. Every message is shown as one text part.

import type { Message } from './mailbox.ts';

/** The response line for one message; marks it \Seen where the item asks for it. */
export function fetchResponse(number: number, message: Message, items: readonly string[]): Buffer {
  const parts = items.map((item) => fetchItem(message, item));
  const between = parts.flatMap((part, index) => (index === 0 ? [part] : [Buffer.from(' '), part]));
  return Buffer.concat([Buffer.from(`* ${number} FETCH (`), ...between, Buffer.from(')\r\n')]);
}

const macros: Readonly<Record<string, readonly string[]>> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};

export const expandItems = (items: readonly string[]): readonly string[] =>
  items.flatMap((item) => macros[item.toUpperCase()] ?? [item]);

function fetchItem(message: Message, item: string): Buffer {
  const name = item.toUpperCase();
  const section = /^BODY(\.PEEK)?\[(.*)\](?:<(\d+)\.(\d+)>)?$/i.exec(item);
  if (section !== null) {
    if (section[1] === undefined) message.flags.add('\\Seen');
    return sectionItem(message, { section: section[2] ?? '', from: section[3], count: section[4] });
  }
  switch (name) {
    case 'UID':
      return Buffer.from(`UID ${message.uid}`);
    case 'FLAGS':
      return Buffer.from(`FLAGS (${[...message.flags].join(' ')})`);
    case 'INTERNALDATE':
      return Buffer.from(`INTERNALDATE "${internalDate(message.at)}"`);
    case 'RFC822.SIZE':
      return Buffer.from(`RFC822.SIZE ${message.bytes.length}`);
    case 'RFC822':
      message.flags.add('\\Seen');
      return literal('RFC822', message.bytes);
    case 'RFC822.HEADER':
      return literal('RFC822.HEADER', split(message.bytes).header);
    case 'RFC822.TEXT':
      message.flags.add('\\Seen');
      return literal('RFC822.TEXT', split(message.bytes).body);
    case 'ENVELOPE':
      return Buffer.from(`ENVELOPE ${envelope(message)}`, 'latin1');
    case 'BODY':
    case 'BODYSTRUCTURE':
      return Buffer.from(`${name} ${structure(message)}`);
    default:
      throw new RangeError(`unknown FETCH item ${name.slice(0, 40)}`);
  }
}

function sectionItem(
  message: Message,
  asked: { readonly section: string; readonly from: string | undefined; readonly count: string | undefined },
): Buffer {
  const whole = sectionBytes(message.bytes, asked.section);
  const from = Number(asked.from ?? 0);
  const bytes = asked.from === undefined ? whole : whole.subarray(from, from + Number(asked.count));
  return literal(`BODY[${asked.section}]${asked.from === undefined ? '' : `<${from}>`}`, bytes);
}

function sectionBytes(bytes: Buffer, section: string): Buffer {
  const { header, body } = split(bytes);
  const fields = /^HEADER\.FIELDS(\.NOT)? \((.*)\)$/i.exec(section);
  if (fields !== null)
    return pickFields(header, { names: (fields[2] ?? '').split(' '), not: fields[1] !== undefined });
  switch (section.toUpperCase()) {
    case '':
      return bytes;
    case 'HEADER':
      return header;
    case 'TEXT':
    case '1':
      return body;
    case '1.MIME':
      return pickFields(header, { names: ['Content-Type', 'Content-Transfer-Encoding'], not: false });
    default:
      return Buffer.alloc(0);
  }
}

function split(bytes: Buffer): { readonly header: Buffer; readonly body: Buffer } {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { header: bytes, body: Buffer.alloc(0) };
  return { header: bytes.subarray(0, end + 4), body: bytes.subarray(end + 4) };
}

function pickFields(
  header: Buffer,
  wanted: { readonly names: readonly string[]; readonly not: boolean },
): Buffer {
  const names = new Set(wanted.names.map((name) => name.replaceAll('"', '').toLowerCase()));
  const fields = header.toString('latin1').split(/\r\n(?![ \t])/);
  const kept = fields.filter(
    (field) => field !== '' && names.has((field.split(':')[0] ?? '').toLowerCase()) !== wanted.not,
  );
  return Buffer.from(kept.map((field) => `${field}\r\n`).join('') + '\r\n', 'latin1');
}

const literal = (name: string, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${name} {${bytes.length}}\r\n`, 'latin1'), bytes]);

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number: number): string => String(number).padStart(2, '0');

const internalDate = (at: Date): string =>
  `${two(at.getUTCDate())}-${months[at.getUTCMonth()]}-${at.getUTCFullYear()} ` +
  `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;

function structure(message: Message): string {
  const { body } = split(message.bytes);
  const lines = body.toString('latin1').split('\n').length - 1;
  return `("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" ${body.length} ${lines})`;
}

function envelope(message: Message): string {
  const header = split(message.bytes).header.toString('latin1');
  const field = (name: string): string | null =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(header)?.[1]?.trim() ?? null;
  const from = addresses(field('From'));
  const to = addresses(field('To'));
  return `(${quoted(field('Date'))} ${quoted(field('Subject'))} ${from} ${from} ${from} ${to} NIL NIL NIL ${quoted(field('Message-ID'))})`;
}

function addresses(text: string | null): string {
  const found = /^(?:"?([^"<]*?)"?\s*<)?([^<>@\s]+)@([^<>\s]+?)>?$/.exec(text ?? '');
  if (found === null) return 'NIL';
  const name = found[1] === undefined || found[1] === '' ? null : found[1];
  return `((${quoted(name)} NIL ${quoted(found[2] ?? '')} ${quoted(found[3] ?? '')}))`;
}

const quoted = (text: string | null): string =>
  text === null ? 'NIL' : `"${text.replace(/["\\]/g, '\\$&')}"`;
