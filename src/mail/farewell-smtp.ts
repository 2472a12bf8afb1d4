// The SMTP and LMTP farewell (RFC 5321 section 3.1, RFC 3463): the greeting says no, and so does every answer.
// 421 keeps the mail in the client's queue; 554 would make a queueing client send it back to its author, so it
// is said on request only, and never for what may pass by itself.

import type { Permanence } from '../errors.ts';
import { wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import type { FarewellEnd, FarewellTls } from './farewell.ts';

interface Told {
  readonly kind: 'refusal' | 'failure';
  readonly permanence: Permanence;
  readonly text: string;
  readonly smtpCode: 421 | 554;
  readonly tls: FarewellTls;
}

export function* smtpFarewell(told: Told): Conversation<FarewellEnd> {
  const reply = `${codeOf(told)} ${told.text}\r\n`;
  // After STARTTLS the client speaks first.
  if (told.tls !== 'made') yield { send: reply };
  for (;;) {
    const line = yield { receive: 'line' };
    if (line !== null && wordAt(line.bytes, 0).toUpperCase() === 'QUIT') break;
    yield { send: reply };
  }
  yield { send: '221 2.0.0 goodbye\r\n' };
  return 'over';
}

function codeOf({ kind, permanence, smtpCode }: Told): string {
  if (kind === 'failure') return '421 4.4.1';
  return smtpCode === 554 && permanence === 'permanent' ? '554 5.7.0' : '421 4.7.0';
}
