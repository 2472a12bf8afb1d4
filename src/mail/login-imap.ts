// IMAP before a login (RFC 9051 sections 6.1 and 6.2, SASL-IR of RFC 4959, literals of RFC 7888). Capabilities
// come untagged and as a response code of greetings and tagged replies. A tagged reply is only understood by
// the command it answers, so open tags are remembered; nothing else of a command is.

import { literalAt, wordAt, type Literal } from './command-line.ts';
import { tagForm } from './imap.ts';
import { openCommands, type Heard, type LoginDialogue } from './login-dialogue.ts';
import { hiddenMechanisms, withoutNames, type ClientTls } from './mechanisms.ts';

const beforeLogin = new Set(['CAPABILITY', 'NOOP', 'LOGOUT', 'ID', 'LOGIN', 'AUTHENTICATE']);
const announced = /\{\d+\+?\}$/;
const capabilityCode = /^([^ ]+ [A-Z]+ \[CAPABILITY )([^\]]*)(\].*)$/i;
const capabilityData = /^(\* CAPABILITY )(.*)()$/i;

export class ImapLogin implements LoginDialogue {
  readonly #clientTls: ClientTls;
  readonly #open = new Map<string, string>();
  /** SASL challenges the client has not answered yet. */
  #challenges = 0;
  #literal: (Literal & { granted: boolean }) | null = null;
  /** Tag of the command whose literal is on its way, or whose rest follows it. */
  #unfinished: string | null = null;

  constructor(clientTls: ClientTls) {
    this.#clientTls = clientTls;
  }

  server(line: string): Heard {
    const [first = '', second = ''] = line.split(' ', 2);
    const word = second.toUpperCase();
    if (announced.test(line)) return 'strange';
    if (first === '+') return this.#goAhead();
    if (first === '*') return readUntagged(line, word);
    return this.#tagged(line, { tag: first, word });
  }

  altered(lines: readonly string[]): readonly string[] {
    return lines.map((line) => {
      const [, before = '', list = '', after = ''] =
        capabilityData.exec(line) ?? capabilityCode.exec(line) ?? [];
      return before === '' ? line : `${before}${this.#without(list)}${after}`;
    });
  }

  client(line: Uint8Array): 'on' | 'end' {
    if (this.#unfinished === null && this.#challenges > 0) {
      this.#challenges -= 1;
      return 'on';
    }
    if (this.#unfinished === null && !this.#begin(line)) return 'end';
    const literal = literalAt(line);
    this.#literal = literal && { ...literal, granted: !literal.waits };
    if (literal === null) this.#unfinished = null;
    return 'on';
  }

  literal(): number | 'end' {
    if (this.#literal === null) return 0;
    // A client that does not wait for its go-ahead may be sending the literal or the next command.
    if (!this.#literal.granted) return 'end';
    const { octets } = this.#literal;
    this.#literal = null;
    return octets;
  }

  #begin(line: Uint8Array): boolean {
    const tag = wordAt(line, 0);
    const verb = wordAt(line, 1).toUpperCase();
    if (!tagForm.test(tag) || !beforeLogin.has(verb)) return false;
    if (this.#open.has(tag) || this.#open.size >= openCommands) return false;
    this.#open.set(tag, verb);
    this.#unfinished = tag;
    return true;
  }

  #goAhead(): Heard {
    if (this.#literal !== null && !this.#literal.granted) {
      this.#literal.granted = true;
      return 'pass';
    }
    if (![...this.#open.values()].includes('AUTHENTICATE')) return 'strange';
    this.#challenges += 1;
    return 'pass';
  }

  #tagged(line: string, { tag, word }: { readonly tag: string; readonly word: string }): Heard {
    const verb = this.#open.get(tag);
    if (verb === undefined || !/^(?:OK|NO|BAD)$/.test(word)) return 'strange';
    if (word === 'OK' && (verb === 'LOGIN' || verb === 'AUTHENTICATE')) return 'login';
    this.#open.delete(tag);
    if (verb === 'AUTHENTICATE') this.#challenges = 0;
    if (this.#unfinished === tag && !this.#cancel()) return 'strange';
    return capabilityCode.test(line) ? 'alter' : 'pass';
  }

  /** A refused command ends the wait for its literal; an answer in the middle of one cannot be followed. */
  #cancel(): boolean {
    if (this.#literal === null || this.#literal.granted) return false;
    this.#literal = null;
    this.#unfinished = null;
    return true;
  }

  #without(list: string): string {
    const offered = list.split(' ').filter((name) => /^AUTH=/i.test(name));
    const hidden = hiddenMechanisms(
      offered.map((name) => name.slice(5)),
      this.#clientTls,
    );
    return withoutNames(list, new Set(['STARTTLS', ...[...hidden].map((name) => `AUTH=${name}`)]));
  }
}

function readUntagged(line: string, word: string): Heard {
  switch (word) {
    case 'CAPABILITY':
      return 'alter';
    case 'OK':
    case 'NO':
    case 'BAD':
    case 'BYE':
      return capabilityCode.test(line) ? 'alter' : 'pass';
    case 'ID':
      return 'pass';
    case 'PREAUTH':
      return 'login';
    default:
      return 'strange';
  }
}
