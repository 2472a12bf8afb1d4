// The POP3 farewell (RFC 1939, RFC 3206 for SYS/TEMP and SYS/PERM): every client shows what is said to USER,
// and none has sent its password by then. CAPA names USER alone: a SASL mechanism would be an invitation. An
// error after PASS reads as a wrong password in some clients, so PASS gets no answer at all.

import type { Permanence } from '../errors.ts';
import { hasArgument, wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import type { FarewellEnd, FarewellTls } from './farewell.ts';

/** Errors said before the connection is closed. */
const errors = 3;

interface Told {
  readonly kind: 'refusal' | 'failure';
  readonly permanence: Permanence;
  readonly text: string;
  readonly tls: FarewellTls;
}

export function* pop3Farewell({ kind, permanence, text, tls }: Told): Conversation<FarewellEnd> {
  const code = kind === 'refusal' && permanence === 'permanent' ? 'SYS/PERM' : 'SYS/TEMP';
  // There is no greeting after STLS.
  if (tls !== 'made') yield { send: '+OK letterlock ready\r\n' };
  for (let said = 0; said < errors;) {
    const line = (yield { receive: 'line' })?.bytes ?? new Uint8Array();
    const verb = wordAt(line, 0).toUpperCase();
    if (verb === 'STLS' && tls === 'offered' && !hasArgument(line)) {
      yield { send: '+OK begin TLS now\r\n' };
      return 'starttls';
    }
    switch (verb) {
      case 'CAPA':
        yield { send: `+OK these are all\r\nUSER\r\n${tls === 'offered' ? 'STLS\r\n' : ''}.\r\n` };
        break;
      case 'QUIT':
        yield { send: '+OK goodbye\r\n' };
        return 'over';
      case 'PASS':
        return 'over';
      default:
        yield { send: `-ERR [${code}] ${text}\r\n` };
        said += 1;
    }
  }
  return 'over';
}
