// POP3 (RFC 1939, 2449) as the demo mail server speaks it.

import type { Duplex } from 'node:stream';
import type { LineReader } from './line-reader.ts';
import { plainCredentials, type Mailboxes, type Message } from './mailbox.ts';

const capabilities =
  '+OK Capabilities\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\nIMPLEMENTATION letterlock-demo\r\n.\r\n';

export async function servePop3(reader: LineReader, socket: Duplex, mail: Mailboxes): Promise<void> {
  const session = new Pop3Session(mail);
  socket.write('+OK letterlock demo POP3 ready\r\n');
  for (let line = await reader.line(); line !== null; line = await reader.line()) {
    const reply = session.answer(line);
    socket.write(reply);
    if (session.over) break;
  }
  socket.end();
}

class Pop3Session {
  over = false;
  readonly #mail: Mailboxes;
  #user = '';
  #saslNext = false;
  #listed: Message[] | null = null;
  readonly #deleted = new Set<Message>();

  constructor(mail: Mailboxes) {
    this.#mail = mail;
  }

  answer(line: string): string | Buffer {
    if (this.#saslNext) return this.#plain(line);
    const [word = '', ...rest] = line.split(' ');
    const verb = word.toUpperCase();
    if (verb === 'CAPA') return capabilities;
    if (verb === 'QUIT') return this.#quit();
    return this.#listed === null ? this.#authorise(verb, rest) : this.#transact(verb, rest, this.#listed);
  }

  #authorise(verb: string, rest: readonly string[]): string {
    const argument = rest.join(' ');
    switch (verb) {
      case 'USER':
        this.#user = argument;
        return '+OK\r\n';
      case 'PASS':
        return this.#login(this.#user, argument);
      case 'AUTH':
        if (rest[0]?.toUpperCase() !== 'PLAIN') return '-ERR only PLAIN\r\n';
        if (rest[1] !== undefined) return this.#plain(rest[1]);
        this.#saslNext = true;
        return '+ \r\n';
      default:
        return '-ERR log in first\r\n';
    }
  }

  #plain(base64: string): string {
    this.#saslNext = false;
    const given = plainCredentials(base64);
    return given === null ? '-ERR bad PLAIN\r\n' : this.#login(given.name, given.password);
  }

  #login(name: string, password: string): string {
    if (!this.#mail.admits(name, password)) return '-ERR [AUTH] wrong user or password\r\n';
    this.#listed = [...this.#mail.inbox.messages];
    return `+OK ${this.#listed.length} messages\r\n`;
  }

  #transact(verb: string, rest: readonly string[], listed: readonly Message[]): string | Buffer {
    const message = listed[Number(rest[0]) - 1];
    switch (verb) {
      case 'NOOP':
        return '+OK\r\n';
      case 'RSET':
        this.#deleted.clear();
        return '+OK\r\n';
      case 'STAT': {
        const left = listed.filter((each) => !this.#deleted.has(each));
        return `+OK ${left.length} ${left.reduce((sum, { bytes }) => sum + bytes.length, 0)}\r\n`;
      }
      case 'LIST':
        return this.#table(rest[0], (each) => String(each.bytes.length));
      case 'UIDL':
        return this.#table(rest[0], (each) => `demo-${each.uid}`);
      case 'RETR':
        return message === undefined ? '-ERR no such message\r\n' : dotted(message.bytes);
      case 'TOP':
        return message === undefined
          ? '-ERR no such message\r\n'
          : dotted(top(message.bytes, Number(rest[1] ?? 0)));
      case 'DELE':
        if (message === undefined) return '-ERR no such message\r\n';
        this.#deleted.add(message);
        return '+OK\r\n';
      default:
        return '-ERR unknown command\r\n';
    }
  }

  #table(number: string | undefined, column: (message: Message) => string): string {
    const listed = this.#listed ?? [];
    if (number !== undefined) {
      const message = listed[Number(number) - 1];
      return message === undefined ? '-ERR no such message\r\n' : `+OK ${number} ${column(message)}\r\n`;
    }
    const rows = listed.flatMap((each, index) =>
      this.#deleted.has(each) ? [] : [`${index + 1} ${column(each)}\r\n`],
    );
    return `+OK\r\n${rows.join('')}.\r\n`;
  }

  #quit(): string {
    this.#mail.inbox.expunge((message) => this.#deleted.has(message));
    this.over = true;
    return '+OK bye\r\n';
  }
}

/** Byte-stuffed and terminated (RFC 1939 section 3). */
function dotted(bytes: Buffer): Buffer {
  const stuffed = bytes.toString('latin1').replace(/^\./gm, '..');
  return Buffer.from(`+OK\r\n${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1');
}

function top(bytes: Buffer, lines: number): Buffer {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n') + 4;
  const body = text.slice(end).split('\r\n').slice(0, lines);
  return Buffer.from(`${text.slice(0, end)}${body.join('\r\n')}`, 'latin1');
}
