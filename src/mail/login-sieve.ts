// ManageSieve before a login (RFC 5804 sections 1.7, 2.1 and 4). Capabilities come with the greeting and the
// answer to CAPABILITY, one a line; replies come in the order of the commands. A server's literal is not
// followed: it ends the filter.

import { literalAt, wordAt } from './command-line.ts';
import { openCommands, type Heard, type LoginDialogue } from './login-dialogue.ts';
import { hiddenMechanisms, withoutNames, type ClientTls } from './mechanisms.ts';
import { readSieveStatus } from './sieve.ts';

const beforeLogin = new Set(['AUTHENTICATE', 'CAPABILITY', 'NOOP', 'LOGOUT']);
const saslLine = /^("SASL" ")([^"\\]*)(")$/i;
const startTlsLine = /^"STARTTLS"(?: .*)?$/i;
const challengeLine = /^"[^"\\]*"$/;

export class SieveLogin implements LoginDialogue {
  readonly #clientTls: ClientTls;
  readonly #open: string[] = ['greeting'];
  #challenges = 0;
  #octets = 0;
  /** The rest of a command follows its literal. */
  #unfinished = false;

  constructor(clientTls: ClientTls) {
    this.#clientTls = clientTls;
  }

  server(line: string): Heard {
    const verb = this.#open[0];
    if (verb === undefined || /\{\d+\+?\}$/.test(line)) return 'strange';
    const status = readSieveStatus(line);
    if (status !== null) {
      this.#open.shift();
      // Replies come in the order of the commands: a challenge without an answer was of this one.
      this.#challenges = 0;
      return verb === 'AUTHENTICATE' && status === 'OK' ? 'login' : 'pass';
    }
    if (verb === 'AUTHENTICATE' && challengeLine.test(line)) {
      this.#challenges += 1;
      return 'pass';
    }
    if (verb !== 'greeting' && verb !== 'CAPABILITY') return 'strange';
    return line.startsWith('"') ? 'alter' : 'strange';
  }

  altered(lines: readonly string[]): readonly string[] {
    return lines
      .filter((line) => !startTlsLine.test(line))
      .map((line) => {
        const [, before = '', names = '', after = ''] = saslLine.exec(line) ?? [];
        if (before === '') return line;
        return before + withoutNames(names, hiddenMechanisms(names.split(' '), this.#clientTls)) + after;
      });
  }

  client(line: Uint8Array): 'on' | 'end' {
    if (!this.#unfinished && !this.#begin(line)) return 'end';
    const literal = literalAt(line);
    this.#unfinished = literal !== null;
    if (literal === null) return 'on';
    // Clients have the literal with a plus only (RFC 5804 section 1.2).
    if (literal.waits) return 'end';
    this.#octets = literal.octets;
    return 'on';
  }

  literal(): number {
    const octets = this.#octets;
    this.#octets = 0;
    return octets;
  }

  #begin(line: Uint8Array): boolean {
    if (this.#challenges > 0) {
      this.#challenges -= 1;
      return true;
    }
    const verb = wordAt(line, 0).toUpperCase();
    if (!beforeLogin.has(verb) || this.#open.length >= openCommands) return false;
    this.#open.push(verb);
    return true;
  }
}
