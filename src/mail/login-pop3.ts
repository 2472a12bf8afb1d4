// POP3 before a login (RFC 1939 section 4, CAPA of RFC 2449, AUTH of RFC 5034). Replies come in the order of the
// commands. AUTH without a mechanism is an old way to ask for the list of them, which some clients still use.

import { hasArgument, wordAt } from './command-line.ts';
import { openCommands, type Heard, type LoginDialogue } from './login-dialogue.ts';
import { hiddenMechanisms, withoutNames, type ClientTls } from './mechanisms.ts';

const beforeLogin = new Set(['CAPA', 'USER', 'PASS', 'APOP', 'AUTH', 'NOOP', 'UTF8', 'QUIT']);
const saslLine = /^(SASL )(.*)$/i;
const stlsLine = /^STLS *$/i;

export class Pop3Login implements LoginDialogue {
  readonly #clientTls: ClientTls;
  readonly #open: string[] = ['greeting'];
  #challenges = 0;
  #list: 'CAPA' | 'mechanisms' | null = null;

  constructor(clientTls: ClientTls) {
    this.#clientTls = clientTls;
  }

  server(line: string): Heard {
    if (this.#list !== null) return this.#listed(line);
    if (/^\+(?: |$)/.test(line)) return this.#challenge();
    const good = /^\+OK(?: |$)/.test(line);
    const verb = good || /^-ERR(?: |$)/.test(line) ? this.#open.shift() : undefined;
    if (verb === undefined) return 'strange';
    // Replies come in the order of the commands: a challenge without an answer was of this one.
    this.#challenges = 0;
    if (good && (verb === 'PASS' || verb === 'APOP' || verb === 'AUTH')) return 'login';
    if (good && (verb === 'CAPA' || verb === 'mechanisms')) this.#list = verb;
    return 'pass';
  }

  altered(lines: readonly string[]): readonly string[] {
    if (lines.at(-1) === '.') {
      const hidden = hiddenMechanisms(lines.slice(0, -1), this.#clientTls);
      return lines.filter((line) => !hidden.has(line.toUpperCase()));
    }
    return lines.filter((line) => !stlsLine.test(line)).map((line) => this.#withoutHidden(line));
  }

  client(line: Uint8Array): 'on' | 'end' {
    if (this.#challenges > 0) {
      this.#challenges -= 1;
      return 'on';
    }
    const verb = wordAt(line, 0).toUpperCase();
    if (!beforeLogin.has(verb) || this.#open.length >= openCommands) return 'end';
    this.#open.push(verb === 'AUTH' && !hasArgument(line) ? 'mechanisms' : verb);
    return 'on';
  }

  literal(): number {
    return 0;
  }

  #challenge(): Heard {
    if (this.#open[0] !== 'AUTH') return 'strange';
    this.#challenges += 1;
    return 'pass';
  }

  /** Mechanism names are held to the full stop; what is no name shows that there is no list after all. */
  #listed(line: string): Heard {
    const list = this.#list;
    if (line === '.') this.#list = null;
    if (list === 'mechanisms') return line === '.' ? 'alter' : /^[\w-]+$/.test(line) ? 'hold' : 'strange';
    return saslLine.test(line) || stlsLine.test(line) ? 'alter' : 'pass';
  }

  #withoutHidden(line: string): string {
    const [, keyword = '', names = ''] = saslLine.exec(line) ?? [];
    if (keyword === '') return line;
    return keyword + withoutNames(names, hiddenMechanisms(names.split(' '), this.#clientTls));
  }
}
