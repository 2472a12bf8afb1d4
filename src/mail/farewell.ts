// Tells a client in its own protocol why it is not served: where people see it, with no code that makes a
// client ask for another password, and without inviting a secret (but for the IMAP style that exists for
// clients which show nothing else). What a client sends all the same is overwritten unread.

import type { Permanence } from '../errors.ts';
import type { Conversation, TalkLimits } from './conversation.ts';
import { imapFarewell } from './farewell-imap.ts';
import { pop3Farewell } from './farewell-pop3.ts';
import { sieveFarewell } from './farewell-sieve.ts';
import { smtpFarewell } from './farewell-smtp.ts';
import type { Protocol } from './protocol.ts';

/** Where the client's TLS stands: none is to come, it is offered by STARTTLS, or it was just made by STARTTLS. */
export type FarewellTls = 'none' | 'offered' | 'made';

/** `starttls`: the go-ahead is said; after the handshake another farewell goes on, with its TLS `made`. */
export type FarewellEnd = 'over' | 'starttls';

export interface FarewellOptions {
  /** A refusal is our decision; a failure is the world's, and always temporary. */
  readonly kind: 'refusal' | 'failure';
  readonly permanence: Permanence;
  /** One sentence; what is not printable ASCII is replaced, and 400 characters are the most. */
  readonly text: string;
  /** Where an IMAP refusal is said; `login` means that the client may send a password first. */
  readonly style: 'greeting' | 'login';
  /** Reply code of a permanent SMTP and LMTP refusal; everything temporary is 421. */
  readonly smtpCode: 421 | 554;
  /**
   * Where the dialogue needs a command to answer, a client that insists on STARTTLS gives it only inside TLS; a greeting
   * that says it all is said in clear.
   */
  readonly tls: FarewellTls;
}

/** For the Talk of a farewell: 20 lines in all, an AUTH line at its longest (RFC 4954 section 4), any line end. */
export const farewellLimits: TalkLimits = {
  lineBytes: 12_288,
  totalBytes: 65_536,
  lines: 20,
  lineEnds: 'lf',
  wiped: true,
};

/** How long a client may take over its farewell, milliseconds, all in all. */
export const farewellMs = (protocol: Protocol): number =>
  protocol === 'smtp' || protocol === 'lmtp' ? 5_000 : 10_000;

/** The server's side of the last dialogue. When it is done, or the talk's limits are, the caller closes. */
export function farewell(protocol: Protocol, options: FarewellOptions): Conversation<FarewellEnd> {
  const clean = { ...options, text: options.text.replace(/[^ -~]/g, '?').slice(0, 400) };
  switch (protocol) {
    case 'imap':
      return imapFarewell(clean);
    case 'pop3':
      return pop3Farewell(clean);
    case 'smtp':
    case 'lmtp':
      return smtpFarewell(clean);
    case 'sieve':
      return sieveFarewell(clean);
    case 'tls':
      // Over `tls` there are no words both sides know.
      return quietly('over');
  }
}

/** A conversation without a word. */
function* quietly(end: FarewellEnd): Conversation<FarewellEnd> {
  yield { send: '' };
  return end;
}
