// The ManageSieve farewell (RFC 5804): a greeting that works, and NO to any AUTHENTICATE, which is the one place
// where clients show it. CRAM-MD5 is the mechanism named: an empty list makes clients die without a word, and
// PLAIN makes them send the password at once.

import { hasArgument, literalAt, wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import { swallowedLiteral } from './farewell-imap.ts';
import type { FarewellEnd, FarewellTls } from './farewell.ts';

const capabilitiesOf = (tls: FarewellTls): string =>
  [
    '"IMPLEMENTATION" "letterlock"',
    '"SASL" "CRAM-MD5"',
    '"SIEVE" ""',
    ...(tls === 'offered' ? ['"STARTTLS"'] : []),
    '"VERSION" "1.0"',
    'OK "letterlock ready"',
    '',
  ].join('\r\n');

interface Told {
  readonly text: string;
  readonly tls: FarewellTls;
}

export function* sieveFarewell({ text, tls }: Told): Conversation<FarewellEnd> {
  const no = `NO "${text.replace(/["\\]/g, '\\$&')}"\r\n`;
  const capabilities = capabilitiesOf(tls);
  // A server issues them again after STARTTLS (RFC 5804 section 2.2).
  yield { send: capabilities };
  for (;;) {
    const verb = yield* receiveCommand();
    if (verb === 'STARTTLS' && tls === 'offered') {
      yield { send: 'OK "begin TLS now"\r\n' };
      return 'starttls';
    }
    yield { send: verb === 'CAPABILITY' ? capabilities : verb === 'LOGOUT' ? 'OK "goodbye"\r\n' : no };
    if (verb === 'LOGOUT' || verb === 'CUT') return 'over';
  }
}

/** The name of one whole command; `CUT` when its literal is too long to swallow or waits to be asked for; '' for STARTTLS with an argument. */
function* receiveCommand(): Conversation<string> {
  const first = yield { receive: 'line' };
  const verb = first === null ? '' : wordAt(first.bytes, 0).toUpperCase();
  for (let literal = first === null ? null : literalAt(first.bytes); literal !== null;) {
    if (literal.waits || literal.octets > swallowedLiteral) return 'CUT';
    yield { discard: literal.octets };
    const rest = yield { receive: 'line' };
    literal = rest === null ? null : literalAt(rest.bytes);
  }
  return verb === 'STARTTLS' && first !== null && hasArgument(first.bytes) ? '' : verb;
}
