// Takes out of a server's capability lists what cannot work through a proxy: SCRAM with channel binding, and
// STARTTLS inside TLS. It follows both sides only until the login, by whole lines, and at the first thing it
// does not know it ends for good: then every byte is passed as it is. The client's bytes are never altered or
// held; the server's are held no longer than to the end of their line (of the whole list, for EHLO).

import { ByteQueue } from './byte-queue.ts';
import type { LoginDialogue } from './login-dialogue.ts';
import { ImapLogin } from './login-imap.ts';
import { Pop3Login } from './login-pop3.ts';
import { SieveLogin } from './login-sieve.ts';
import { SmtpLogin } from './login-smtp.ts';
import type { ClientTls } from './mechanisms.ts';
import type { Protocol } from './protocol.ts';

export type { ClientTls } from './mechanisms.ts';

/** Longest line followed, octets without its line end (RFC 4954 section 4 for SASL). */
const lineLimit = 12_288;
/** Octets of both sides followed before a login. */
const totalLimit = 65_536;
/** A line of full length with its CRLF. */
const wholeLineLimit = lineLimit + 2;

export interface LoginFilterOptions {
  readonly protocol: Protocol;
  /** TLS of the client's leg: decides whether plain SCRAM may stay beside a hidden SCRAM-PLUS. */
  readonly clientTls: ClientTls;
}

/**
 * Between a server and a client, from the greeting on: the greeting, whoever made it, is the first thing to go
 * through `downstream`. `done` says that nothing is held and nothing will be altered any more, so that the
 * filter may be left out; `flush` at the end of the server's stream gives what is still held, as it came.
 */
export class LoginFilter {
  readonly #dialogue: LoginDialogue | null;
  /** Server bytes whose line is not whole yet. */
  readonly #line = new ByteQueue();
  /** Whole server lines of a list that is not whole yet. */
  #list: Uint8Array[] = [];
  readonly #client = new ByteQueue();
  /** Octets of a client's literal still to skip. */
  #skip = 0;
  #total = 0;
  #over: boolean;

  constructor({ protocol, clientTls }: LoginFilterOptions) {
    this.#dialogue = dialogueOf(protocol, clientTls);
    this.#over = this.#dialogue === null;
  }

  get done(): boolean {
    return this.#over && this.#line.length === 0 && this.#list.length === 0;
  }

  /** Server to client: returns what to pass on now. */
  downstream(chunk: Uint8Array): Uint8Array {
    if (this.done) return chunk;
    const out: Uint8Array[] = [];
    let searched = this.#line.length;
    this.#line.push(chunk);
    while (!this.#over) {
      const lineFeed = this.#line.lineFeedFrom(searched);
      if (lineFeed < 0) break;
      out.push(...this.#serverLine(this.#line.take(lineFeed + 1)));
      searched = 0;
    }
    if (this.#line.length >= wholeLineLimit) this.#over = true;
    if (this.#over) out.push(this.#release());
    return joined(out);
  }

  /** Client to server: looked at, and returned as it came. */
  upstream(chunk: Uint8Array): Uint8Array {
    if (!this.#over) {
      this.#client.push(chunk);
      while (!this.#over && this.#followClient());
      if (this.#over) this.#client.drop(this.#client.length);
    }
    return chunk;
  }

  /** Ends the filter and returns what is held, as it came. */
  flush(): Uint8Array {
    this.#over = true;
    return this.#release();
  }

  #release(): Uint8Array {
    const held = joined([...this.#list, this.#line.take()]);
    this.#list = [];
    return held;
  }

  /** Takes one whole line with its line end; returns what may go on. */
  #serverLine(line: Uint8Array): readonly Uint8Array[] {
    this.#total += line.length;
    const text = textOf(line);
    const known = line.length <= wholeLineLimit && this.#total <= totalLimit && /^[^\r\n\0]*\r\n$/.test(text);
    const heard = known ? this.#dialogue?.server(text.slice(0, -2)) : 'strange';
    const lines = [...this.#list, line];
    this.#list = heard === 'hold' ? lines : [];
    if (heard === 'hold') return [];
    if (heard === 'alter') return [this.#altered(lines)];
    this.#over = heard !== 'pass';
    return lines;
  }

  #altered(lines: readonly Uint8Array[]): Uint8Array {
    const texts = lines.map((line) => textOf(line).slice(0, -2));
    const altered = this.#dialogue?.altered(texts) ?? texts;
    return Buffer.from(altered.map((text) => `${text}\r\n`).join(''), 'latin1');
  }

  /** Looks at the next line or literal of the client; false when more bytes are needed. */
  #followClient(): boolean {
    if (this.#client.length === 0) return false;
    if (this.#skip === 0) this.#beginClientLine();
    if (this.#skip > 0) {
      const skipped = this.#client.drop(this.#skip);
      this.#skip -= skipped;
      this.#total += skipped;
      return this.#skip === 0;
    }
    const lineFeed = this.#client.lineFeedFrom(0);
    if (lineFeed >= 0) this.#clientLine(this.#client.take(lineFeed + 1));
    else if (this.#client.length >= wholeLineLimit) this.#over = true;
    return lineFeed >= 0;
  }

  #beginClientLine(): void {
    const octets = this.#dialogue?.literal() ?? 0;
    if (octets === 'end') this.#over = true;
    else this.#skip = octets;
  }

  #clientLine(line: Uint8Array): void {
    this.#total += line.length;
    const content = line.subarray(0, line.at(-2) === 0x0d ? -2 : -1);
    const followed = line.length <= wholeLineLimit && this.#total <= totalLimit;
    if (!followed || this.#dialogue?.client(content) !== 'on') this.#over = true;
    line.fill(0);
  }
}

const textOf = ({ buffer, byteOffset, length }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, length).toString('latin1');

/** Most often it is one line, which needs no copy. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const filled = pieces.filter(({ length }) => length > 0);
  const [only] = filled;
  return filled.length === 1 && only !== undefined ? only : Buffer.concat(filled);
}

function dialogueOf(protocol: Protocol, clientTls: ClientTls): LoginDialogue | null {
  switch (protocol) {
    case 'imap':
      return new ImapLogin(clientTls);
    case 'pop3':
      return new Pop3Login(clientTls);
    case 'smtp':
    case 'lmtp':
      return new SmtpLogin(clientTls);
    case 'sieve':
      return new SieveLogin(clientTls);
    case 'tls':
      return null;
  }
}
