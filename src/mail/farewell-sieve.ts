// The ManageSieve farewell (RFC 5804): a greeting that works, and NO to any AUTHENTICATE, which is the one place
// where clients show it. CRAM-MD5 is the mechanism named: an empty list makes clients die without a word, and
// PLAIN makes them send the password at once.

import { literalAt, wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import { swallowedLiteral } from './farewell-imap.ts';

const capabilities = [
  '"IMPLEMENTATION" "letterlock"',
  '"SASL" "CRAM-MD5"',
  '"SIEVE" ""',
  '"VERSION" "1.0"',
  'OK "letterlock ready"',
  '',
].join('\r\n');

export function* sieveFarewell({ text }: { readonly text: string }): Conversation<void> {
  const no = `NO "${text.replace(/["\\]/g, '\\$&')}"\r\n`;
  yield { send: capabilities };
  for (;;) {
    const verb = yield* receiveCommand();
    yield { send: verb === 'CAPABILITY' ? capabilities : verb === 'LOGOUT' ? 'OK "goodbye"\r\n' : no };
    if (verb === 'LOGOUT' || verb === 'CUT') return;
  }
}

/** The name of one whole command; `CUT` when its literal is too long to swallow or waits to be asked for. */
function* receiveCommand(): Conversation<string> {
  const first = yield { receive: 'line' };
  const verb = first === null ? '' : wordAt(first.bytes, 0).toUpperCase();
  for (let literal = first === null ? null : literalAt(first.bytes); literal !== null;) {
    if (literal.waits || literal.octets > swallowedLiteral) return 'CUT';
    yield { discard: literal.octets };
    const rest = yield { receive: 'line' };
    literal = rest === null ? null : literalAt(rest.bytes);
  }
  return verb;
}
