// IMAP4rev1 as far as a client needs it to read one mailbox and to append to it.

import { Gone, type Talk } from './talk.ts';
import type { Logins } from './login.ts';

export interface Mailbox {
  /** Lines end in CRLF. */
  readonly messages: Buffer[];
}

/** A command with its literals in place; `argument` holds no line end but those of literals. */
interface Command {
  readonly tag: string;
  readonly name: string;
  readonly argument: string;
  /** The last literal. */
  readonly literal: Buffer;
}

/** Greets in clear and serves until the go-ahead for TLS. Throws Gone. */
export async function startTlsImap(talk: Talk): Promise<void> {
  talk.send('* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] scripted server ready\r\n');
  for (;;) {
    const { tag, name } = await next(talk);
    if (name === 'CAPABILITY') talk.send('* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n');
    else if (name !== 'STARTTLS') {
      talk.send(`${tag} NO TLS first\r\n`);
      continue;
    }
    talk.send(`${tag} OK go on\r\n`);
    if (name === 'STARTTLS') return;
  }
}

/** What it says when a connection starts with TLS. */
export function greetImap(talk: Talk, logins: Logins): void {
  talk.send(`* OK [CAPABILITY ${capabilitiesOf(logins)}] scripted server ready\r\n`);
}

const capabilitiesOf = ({ offered }: Logins): string =>
  [
    'IMAP4rev1 SASL-IR LITERAL+',
    ...offered.map((name) => `AUTH=${name}`),
    ...(offered.includes('PLAIN') ? [] : ['LOGINDISABLED']),
  ].join(' ');

/** Serves in TLS until LOGOUT. Throws Gone. */
export async function serveImap(talk: Talk, logins: Logins, mailbox: Mailbox): Promise<void> {
  let known = false;
  for (;;) {
    const command = await next(talk);
    const { tag, name, argument } = command;
    const done = (text: string): void => talk.send(`${tag} ${text}\r\n`);
    if (name === 'CAPABILITY') {
      talk.send(`* CAPABILITY ${known ? 'IMAP4rev1 LITERAL+ UIDPLUS' : capabilitiesOf(logins)}\r\n`);
      done('OK done');
    } else if (name === 'LOGOUT') {
      talk.send('* BYE logging out\r\n');
      done('OK done');
      talk.socket.end();
      throw new Gone();
    } else if (name === 'NOOP') done('OK done');
    else if (!known) {
      known = await logIn(talk, command, logins);
      done(known ? 'OK logged in' : 'NO login failed');
    } else done(serveMailbox({ talk, mailbox }, { ...command, argument }));
  }
}

async function next(talk: Talk): Promise<Command> {
  let text = '';
  let literal = Buffer.alloc(0);
  for (;;) {
    const line = await talk.line();
    const announced = /\{(\d+)(\+?)\}$/.exec(line);
    if (announced === null) {
      const [, tag = '', name = '', argument = ''] = /^(\S+) ((?:UID )?\S+) ?(.*)$/is.exec(text + line) ?? [];
      return { tag, name: name.toUpperCase(), argument, literal };
    }
    if (announced[2] === '') talk.send('+ go ahead\r\n');
    literal = Buffer.from(await talk.bytes(Number(announced[1])));
    text += `${line.slice(0, announced.index)}"${literal.toString('latin1')}"`;
  }
}

async function logIn(talk: Talk, { name, argument }: Command, logins: Logins): Promise<boolean> {
  if (name === 'LOGIN') {
    const [user = '', password = ''] = strings(argument);
    return logins.offered.includes('PLAIN') && logins.password(user, password);
  }
  if (name !== 'AUTHENTICATE') return false;
  const [mechanism = '', initial = null] = argument.split(' ');
  return logins.authenticate(talk, { name: mechanism, initial, ask: (challenge) => `+ ${challenge}\r\n` });
}

/** Atoms and quoted strings. */
const strings = (argument: string): readonly string[] =>
  [...argument.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(
    ([, quoted, atom]) => quoted?.replaceAll(/\\(.)/g, '$1') ?? atom ?? '',
  );

interface Open {
  readonly talk: Talk;
  readonly mailbox: Mailbox;
}

/** Answers a command that needs a login; returns the words after the tag. */
function serveMailbox({ talk, mailbox }: Open, { name, argument, literal }: Command): string {
  const { messages } = mailbox;
  switch (name) {
    case 'LIST':
    case 'LSUB':
      talk.send(`* ${name} () "/" INBOX\r\n`);
      return 'OK done';
    case 'STATUS':
      talk.send(`* STATUS INBOX (MESSAGES ${messages.length} UIDNEXT ${messages.length + 1} UNSEEN 0)\r\n`);
      return 'OK done';
    case 'SELECT':
    case 'EXAMINE':
      talk.send(
        `* ${messages.length} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Deleted)\r\n` +
          `* OK [PERMANENTFLAGS (\\Seen)] kept\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT ${messages.length + 1}] next\r\n`,
      );
      return name === 'SELECT' ? 'OK [READ-WRITE] open' : 'OK [READ-ONLY] open';
    case 'FETCH':
    case 'UID FETCH':
      for (const [index, message] of messages.entries())
        if (holds(argument.split(' ', 1)[0] ?? '', { number: index + 1, last: messages.length }))
          talk.send(fetched({ number: index + 1, message, items: argument }));
      return 'OK done';
    case 'UID SEARCH':
      talk.send(`* SEARCH ${messages.map((_, index) => index + 1).join(' ')}\r\n`);
      return 'OK done';
    case 'APPEND':
      messages.push(literal);
      return `OK [APPENDUID 7 ${messages.length}] done`;
    case 'STORE':
    case 'UID STORE':
    case 'CHECK':
    case 'CLOSE':
    case 'EXPUNGE':
      return 'OK done';
    default:
      return 'BAD not here';
  }
}

/** Whether a sequence set names this number. */
function holds(set: string, { number, last }: { readonly number: number; readonly last: number }): boolean {
  return set.split(',').some((range) => {
    const [from = 0, to = from] = range.split(':').map((end) => (end === '*' ? last : Number(end)));
    return number >= Math.min(from, to) && number <= Math.max(from, to);
  });
}

interface Wanted {
  readonly number: number;
  readonly message: Buffer;
  readonly items: string;
}

function fetched({ number, message, items }: Wanted): Buffer {
  const end = message.indexOf('\r\n\r\n');
  const head = end < 0 ? message : message.subarray(0, end + 4);
  const parts = [`UID ${number}`];
  if (/\bFLAGS\b/i.test(items)) parts.push('FLAGS (\\Seen)');
  if (/INTERNALDATE/i.test(items)) parts.push('INTERNALDATE "23-Nov-2026 06:00:01 +0000"');
  if (/RFC822\.SIZE/i.test(items)) parts.push(`RFC822.SIZE ${message.length}`);
  for (const [, section = ''] of items.matchAll(/BODY(?:\.PEEK)?\[([^\]]*)\]/gi)) {
    // Of a header all fields, whichever were asked for.
    const body = section.toUpperCase().startsWith('HEADER') ? head : message;
    parts.push(`BODY[${section}] {${body.length}}\r\n${body.toString('latin1')}`);
  }
  return Buffer.from(`* ${number} FETCH (${parts.join(' ')})\r\n`, 'latin1');
}
