// SMTP and LMTP before a login (RFC 5321, AUTH of RFC 4954, LHLO of RFC 2033). The reply to EHLO is held until
// it is whole: taking STARTTLS out of its last line makes the line before it the last one.

import { wordAt } from './command-line.ts';
import { openCommands, type Heard, type LoginDialogue } from './login-dialogue.ts';
import { hiddenMechanisms, withoutNames, type ClientTls } from './mechanisms.ts';
import { readReplyLine, type ReplyLine } from './smtp.ts';

const beforeLogin = new Set(['EHLO', 'HELO', 'LHLO', 'AUTH', 'NOOP', 'RSET', 'QUIT']);
/** With a space (RFC 4954), or with the equals sign that some servers add for clients of long ago. */
const authLine = /^(250[- ]AUTH[ =])(.*)$/i;
const startTlsLine = /^250[- ]STARTTLS *$/i;

export class SmtpLogin implements LoginDialogue {
  readonly #clientTls: ClientTls;
  readonly #open: string[] = ['greeting'];
  #challenges = 0;
  /** Code of the reply whose last line has not come yet. */
  #code: string | null = null;

  constructor(clientTls: ClientTls) {
    this.#clientTls = clientTls;
  }

  server(line: string): Heard {
    const reply = readReplyLine(line);
    const verb = this.#open[0];
    if (reply === null || verb === undefined) return 'strange';
    if (this.#code !== null && this.#code !== reply.code) return 'strange';
    this.#code = reply.more ? reply.code : null;
    const extensions = (verb === 'EHLO' || verb === 'LHLO') && reply.code === '250';
    if (reply.more) return extensions ? 'hold' : 'pass';
    return extensions ? this.#answered('alter') : this.#replied(verb, reply);
  }

  altered(lines: readonly string[]): readonly string[] {
    const names = lines.slice(1).flatMap((line) => authLine.exec(line)?.[2]?.split(' ') ?? []);
    const hidden = hiddenMechanisms(names, this.#clientTls);
    const kept = lines.filter((line, index) => index === 0 || !startTlsLine.test(line));
    return kept.map((line, index) => {
      const [, keyword = '', list = ''] = (index === 0 ? null : authLine.exec(line)) ?? [];
      const shown = keyword === '' ? line : keyword + withoutNames(list, hidden);
      return index === kept.length - 1 ? shown.replace(/^250-/, '250 ') : shown;
    });
  }

  client(line: Uint8Array): 'on' | 'end' {
    if (this.#challenges > 0) {
      this.#challenges -= 1;
      return 'on';
    }
    const verb = wordAt(line, 0).toUpperCase();
    if (!beforeLogin.has(verb) || this.#open.length >= openCommands) return 'end';
    this.#open.push(verb);
    return 'on';
  }

  literal(): number {
    return 0;
  }

  /** The last line of any reply but an extension list. */
  #replied(verb: string, { code }: ReplyLine): Heard {
    if (verb === 'AUTH' && code === '334') {
      this.#challenges += 1;
      return 'pass';
    }
    // Replies come in the order of the commands: a challenge without an answer was of this one.
    this.#challenges = 0;
    return this.#answered(verb === 'AUTH' && code.startsWith('2') ? 'login' : 'pass');
  }

  #answered(heard: Heard): Heard {
    this.#open.shift();
    return heard;
  }
}
