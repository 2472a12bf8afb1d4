// POP3 before TLS on the client's side (RFC 2595 section 4, RFC 2449). No `<stamp>` in the greeting, so no APOP;
// no USER and no SASL in the list, so that clients which look at it do not even ask.

import { hasArgument, wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import type { LocalPrologueEnd } from './local-prologue.ts';

export function* pop3LocalPrologue(): Conversation<LocalPrologueEnd> {
  yield { send: '+OK letterlock ready\r\n' };
  for (;;) {
    const line = (yield { receive: 'line' })?.bytes ?? new Uint8Array();
    switch (hasArgument(line) ? '' : wordAt(line, 0).toUpperCase()) {
      case 'CAPA':
        yield { send: '+OK that is all\r\nSTLS\r\n.\r\n' };
        break;
      case 'STLS':
        yield { send: '+OK begin TLS now\r\n' };
        return 'starttls';
      case 'QUIT':
        yield { send: '+OK goodbye\r\n' };
        return 'over';
      default:
        yield { send: '-ERR STLS first\r\n' };
    }
  }
}
