// ManageSieve before TLS on the client's side (RFC 5804 sections 1.7, 2.2). The list of mechanisms is empty, as
// the RFC asks of a server that wants TLS first. No literal is read before TLS.

import { hasArgument, literalAt, wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import type { LocalPrologueEnd } from './local-prologue.ts';

const capabilities = [
  '"IMPLEMENTATION" "letterlock"',
  '"SASL" ""',
  '"SIEVE" ""',
  '"STARTTLS"',
  '"VERSION" "1.0"',
  'OK "letterlock ready"',
  '',
].join('\r\n');

export function* sieveLocalPrologue(): Conversation<LocalPrologueEnd> {
  yield { send: capabilities };
  for (;;) {
    const line = (yield { receive: 'line' })?.bytes ?? new Uint8Array();
    if (literalAt(line) !== null) {
      yield { send: 'BYE "no literals before STARTTLS"\r\n' };
      return 'over';
    }
    switch (hasArgument(line) ? '' : wordAt(line, 0).toUpperCase()) {
      case 'CAPABILITY':
        yield { send: capabilities };
        break;
      case 'NOOP':
        yield { send: 'OK "nothing new"\r\n' };
        break;
      case 'STARTTLS':
        yield { send: 'OK "begin TLS now"\r\n' };
        return 'starttls';
      case 'LOGOUT':
        yield { send: 'OK "goodbye"\r\n' };
        return 'over';
      default:
        yield { send: 'NO (ENCRYPT-NEEDED) "STARTTLS first"\r\n' };
    }
  }
}
