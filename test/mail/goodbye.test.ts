// A server's last word, and what of a greeting a client goes by.

import { describe, expect, it } from 'vitest';
import { goodbyeFor, isGoodbye } from '../../src/mail/goodbye.ts';
import { sameOffer } from '../../src/mail/greeting-offer.ts';
import type { Protocol } from '../../src/mail/protocol.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('what a server says first', () => {
  it.each<[Protocol, string, string, boolean]>([
    ['imap', '* BYE Disconnected for inactivity.\r\n', 'a1 CAPABILITY\r\n', true],
    ['imap', '* bye\r\n', 'a1 NOOP\r\n', true],
    ['imap', '* BYE Logging out\r\na1 OK\r\n', 'a1 LOGOUT\r\n', false],
    ['imap', '* CAPABILITY IMAP4rev1\r\n', 'a1 CAPABILITY\r\n', false],
    ['imap', '* BYEBYE\r\n', 'a1 NOOP\r\n', false],
    ['smtp', '421 4.4.2 mail.test Error: timeout exceeded\r\n', 'EHLO me\r\n', true],
    ['smtp', '421-4.4.2 mail.test\r\n', 'EHLO me\r\n', true],
    ['smtp', '250-mail.test\r\n', 'EHLO me\r\n', false],
    ['smtp', '221 bye\r\n', 'QUIT\r\n', false],
    ['lmtp', '421 shutting down\r\n', 'LHLO me\r\n', true],
    ['sieve', 'BYE "Too long"\r\n', 'CAPABILITY\r\n', true],
    ['sieve', 'OK "Bye"\r\n', 'LOGOUT\r\n', false],
    ['pop3', '-ERR Disconnected for inactivity.\r\n', 'CAPA\r\n', false],
    ['tls', '* BYE\r\n', 'x\r\n', false],
  ])('of %s, %j to %j, is its last word: %s', (protocol, said, asked, last) => {
    expect(isGoodbye(protocol, { said: bytes(said), asked: bytes(asked) })).toBe(last);
  });
});

describe('a second greeting', () => {
  it.each<[Protocol, string, string, boolean]>([
    ['imap', '* OK Gimap ready for requests a1\r\n', '* OK Gimap ready for requests b2\r\n', true],
    ['imap', '* OK [CAPABILITY IMAP4rev1] one\r\n', '* OK [CAPABILITY IMAP4rev1] two\r\n', true],
    ['imap', '* OK [CAPABILITY IMAP4rev1] one\r\n', '* OK [CAPABILITY IMAP4rev1 IDLE] one\r\n', false],
    ['imap', '* OK ready\r\n', '* OK [CAPABILITY IMAP4rev1] ready\r\n', false],
    ['pop3', '+OK ready\r\n', '+OK hello\r\n', true],
    ['pop3', '+OK ready <1.2@a>\r\n', '+OK ready <1.3@a>\r\n', false],
    ['pop3', '+OK ready\r\n', '+OK ready <1.3@a>\r\n', false],
    ['smtp', '220 a ESMTP Exim Thu, 01 Jan\r\n', '220 b ESMTP Exim Fri, 02 Jan\r\n', true],
    ['smtp', '220 a ESMTP\r\n', '220 a\r\n', false],
    ['sieve', '"SASL" "PLAIN"\r\nOK\r\n', '"SASL" "PLAIN"\r\nOK\r\n', true],
    ['sieve', '"SASL" "PLAIN"\r\nOK\r\n', '"SASL" "LOGIN"\r\nOK\r\n', false],
  ])('of %s, %j and then %j, offers the same: %s', (protocol, said, other, same) => {
    expect(sameOffer(protocol, bytes(said), bytes(other))).toBe(same);
  });
});

it.each([
  ['imap', 'l1 LOGOUT\r\n'],
  ['pop3', 'QUIT\r\n'],
  ['smtp', 'QUIT\r\n'],
  ['lmtp', 'QUIT\r\n'],
  ['sieve', 'LOGOUT\r\n'],
  ['tls', null],
] as const)('who wanted nothing leaves %s with %j', (protocol, words) => {
  expect(goodbyeFor(protocol)).toBe(words);
});
