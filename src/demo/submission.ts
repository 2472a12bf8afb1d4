// Message submission (RFC 6409) as the demo mail server speaks it: everything that is sent lands in the INBOX.

import type { Duplex } from 'node:stream';
import type { LineReader } from './line-reader.ts';
import { plainCredentials, type Mailboxes } from './mailbox.ts';

const maxMessage = 50 * 1024 * 1024;

interface Dialogue {
  readonly reader: LineReader;
  readonly socket: Duplex;
  readonly mail: Mailboxes;
  loggedIn: boolean;
  recipients: number;
}

export async function serveSubmission(reader: LineReader, socket: Duplex, mail: Mailboxes): Promise<void> {
  const dialogue: Dialogue = { reader, socket, mail, loggedIn: false, recipients: 0 };
  socket.write('220 letterlock-demo ESMTP ready\r\n');
  for (let line = await reader.line(); line !== null; line = await reader.line()) {
    const verb = (line.split(/[ :]/)[0] ?? '').toUpperCase();
    if (verb === 'QUIT') {
      socket.write('221 2.0.0 bye\r\n');
      break;
    }
    socket.write(await answer(dialogue, { verb, line }));
  }
  socket.end();
}

async function answer(
  dialogue: Dialogue,
  command: { readonly verb: string; readonly line: string },
): Promise<string> {
  const { verb, line } = command;
  switch (verb) {
    case 'EHLO':
      return `250-letterlock-demo\r\n250-AUTH PLAIN LOGIN\r\n250-8BITMIME\r\n250 SIZE ${maxMessage}\r\n`;
    case 'HELO':
    case 'NOOP':
      return '250 2.0.0 ok\r\n';
    case 'RSET':
      dialogue.recipients = 0;
      return '250 2.0.0 ok\r\n';
    case 'AUTH':
      return authenticate(dialogue, line.split(' ').slice(1));
    case 'MAIL':
      return dialogue.loggedIn ? '250 2.1.0 ok\r\n' : '530 5.7.0 authentication required\r\n';
    case 'RCPT':
      if (!dialogue.loggedIn) return '530 5.7.0 authentication required\r\n';
      dialogue.recipients += 1;
      return '250 2.1.5 ok\r\n';
    case 'DATA':
      return dialogue.recipients === 0 ? '503 5.5.1 recipients first\r\n' : receive(dialogue);
    default:
      return '500 5.5.2 unknown command\r\n';
  }
}

async function authenticate(dialogue: Dialogue, words: readonly string[]): Promise<string> {
  const mechanism = words[0]?.toUpperCase();
  if (mechanism === 'PLAIN') {
    const given = plainCredentials(words[1] ?? (await challenge(dialogue, '')));
    return admit(dialogue, given);
  }
  if (mechanism === 'LOGIN') {
    const name = decode(words[1] ?? (await challenge(dialogue, 'Username:')));
    return admit(dialogue, { name, password: decode(await challenge(dialogue, 'Password:')) });
  }
  return '504 5.5.4 unknown mechanism\r\n';
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');

async function challenge({ socket, reader }: Dialogue, prompt: string): Promise<string> {
  socket.write(`334 ${Buffer.from(prompt).toString('base64')}\r\n`);
  return (await reader.line()) ?? '';
}

function admit(
  dialogue: Dialogue,
  given: { readonly name: string; readonly password: string } | null,
): string {
  dialogue.loggedIn = given !== null && dialogue.mail.admits(given.name, given.password);
  return dialogue.loggedIn ? '235 2.7.0 welcome\r\n' : '535 5.7.8 wrong user or password\r\n';
}

async function receive(dialogue: Dialogue): Promise<string> {
  const { socket, reader, mail } = dialogue;
  socket.write('354 end with a line that holds a dot only\r\n');
  const lines: string[] = [];
  let size = 0;
  for (let line = await reader.line(); line !== '.'; line = await reader.line()) {
    if (line === null) return '';
    size += line.length + 2;
    if (size <= maxMessage) lines.push(line.startsWith('.') ? line.slice(1) : line);
  }
  dialogue.recipients = 0;
  if (size > maxMessage) return '552 5.3.4 too large\r\n';
  mail.inbox.append(Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1'), { at: new Date() });
  return '250 2.0.0 delivered to the demo INBOX\r\n';
}
