// What a client may go by in a server's greeting. One that was greeted by a connection which then broke may be
// given another without a word only if the other's greeting says the same; the free text (a date, a node's
// name, a number of the connection) is for people.

import type { Protocol } from './protocol.ts';

/** Whether a client that heard `said` may be served by a server that greeted it with `other`; both are positive greetings. */
export function sameOffer(protocol: Protocol, said: Uint8Array, other: Uint8Array): boolean {
  return offerOf(protocol, said) === offerOf(protocol, other);
}

function offerOf(protocol: Protocol, greeting: Uint8Array): string {
  const text = Buffer.from(greeting).toString('latin1');
  switch (protocol) {
    case 'imap':
      // RFC 9051 section 7.1: the response code, most often CAPABILITY.
      return /^\* OK (\[[^\]]*\])/i.exec(text)?.[1] ?? '';
    case 'pop3':
      // RFC 1939 section 7: the stamp is the challenge of APOP.
      return /<[^>]*>/.exec(text)?.[0] ?? '';
    case 'smtp':
    case 'lmtp':
      // RFC 5321 section 4.2: only the code counts. Old clients choose EHLO for the word ESMTP.
      return /\bESMTP\b/i.test(text) ? 'ESMTP' : '';
    case 'sieve':
    case 'tls':
      return text;
  }
}
