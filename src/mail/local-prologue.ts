// What a client of a STARTTLS port is told before TLS, with letterlock as the server. We alone answer, the real
// server hears nothing of it: capabilities that offer STARTTLS and no login, and no to everything else. Nothing
// of it outlives the handshake (RFC 3207 section 4.2, RFC 2595 sections 3.1 and 4): the client begins anew. Bytes
// behind the STARTTLS command are never read as commands: the caller ends a connection that has any.

import type { Conversation, TalkLimits } from './conversation.ts';
import { imapLocalPrologue } from './local-prologue-imap.ts';
import { pop3LocalPrologue } from './local-prologue-pop3.ts';
import { sieveLocalPrologue } from './local-prologue-sieve.ts';
import { smtpLocalPrologue } from './local-prologue-smtp.ts';
import type { Protocol } from './protocol.ts';

/** `starttls`: the go-ahead is said, and the handshake is next. `over`: the client took its leave; close. */
export type LocalPrologueEnd = 'starttls' | 'over';

/** A bare CR or LF is no line end here: what one side takes for one line must not be two for the other. */
export const localPrologueLimits: TalkLimits = {
  lineBytes: 12_288,
  totalBytes: 65_536,
  lines: 64,
  lineEnds: 'crlf',
  wiped: true,
};

/** The server's side of the talk, greeting included. */
export function localPrologue(protocol: Exclude<Protocol, 'tls'>): Conversation<LocalPrologueEnd> {
  switch (protocol) {
    case 'imap':
      return imapLocalPrologue();
    case 'pop3':
      return pop3LocalPrologue();
    case 'smtp':
      return smtpLocalPrologue({ name: 'ESMTP', hello: ['EHLO', 'HELO'] });
    case 'lmtp':
      return smtpLocalPrologue({ name: 'LMTP', hello: ['LHLO'] });
    case 'sieve':
      return sieveLocalPrologue();
  }
}
