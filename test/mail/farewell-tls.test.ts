// Farewells on a STARTTLS port: what needs a command to be answered is said inside TLS as well, because a client
// that insists on STARTTLS gives none before; a greeting that says it all is said in clear.

import { describe, expect, it } from 'vitest';
import { farewell, farewellLimits as limits, type FarewellOptions } from '../../src/mail/farewell.ts';
import type { Protocol } from '../../src/mail/protocol.ts';
import { byteByByte, crlf, play, whole } from './transcript.ts';

const text = 'letterlock refused imap.example.org: its key changed.';
const offered: FarewellOptions = {
  kind: 'refusal',
  permanence: 'permanent',
  text,
  style: 'greeting',
  smtpCode: 421,
  tls: 'offered',
};
const login: FarewellOptions = { ...offered, style: 'login' };
const popNo = crlf(`-ERR [SYS/PERM] ${text}`);
const smtpNo = crlf(`421 4.7.0 ${text}`);
const sieveCaps = (...more: readonly string[]): string =>
  crlf(
    '"IMPLEMENTATION" "letterlock"',
    '"SASL" "CRAM-MD5"',
    '"SIEVE" ""',
    ...more,
    '"VERSION" "1.0"',
    'OK "letterlock ready"',
  );
const sieveNo = crlf(`NO "${text}"`);

type Row = readonly [
  what: string,
  protocol: Protocol,
  options: FarewellOptions,
  client: string,
  server: string,
  end: 'starttls' | 'over' | 'waits',
];

const rows: readonly Row[] = [
  ['IMAP says it in the greeting', 'imap', offered, '', crlf(`* BYE [ALERT] ${text}`), 'over'],
  ['SMTP says it in the greeting', 'smtp', offered, '', smtpNo, 'waits'],
  [
    'IMAP offers TLS to clients that only show the answer to a login',
    'imap',
    login,
    crlf('a CAPABILITY', 'b STARTTLS'),
    crlf(
      `* OK [ALERT] ${text}`,
      '* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED',
      'a OK that is all',
      'b OK begin TLS now',
    ),
    'starttls',
  ],
  [
    'IMAP goes on inside TLS without a greeting',
    'imap',
    { ...login, tls: 'made' },
    crlf('a CAPABILITY', 'b LOGIN bob secret'),
    crlf('* CAPABILITY IMAP4rev1', 'a OK that is all', `b NO [UNAVAILABLE] ${text}`),
    'waits',
  ],
  [
    'IMAP refuses STARTTLS with an argument, and inside TLS',
    'imap',
    login,
    crlf('a STARTTLS x'),
    crlf(`* OK [ALERT] ${text}`, `a NO [UNAVAILABLE] ${text}`),
    'waits',
  ],
  [
    'IMAP has no second STARTTLS',
    'imap',
    { ...login, tls: 'made' },
    crlf('a STARTTLS'),
    crlf(`a NO [UNAVAILABLE] ${text}`),
    'waits',
  ],
  [
    'POP3 offers TLS',
    'pop3',
    offered,
    crlf('CAPA', 'STLS'),
    crlf('+OK letterlock ready', '+OK these are all', 'USER', 'STLS', '.', '+OK begin TLS now'),
    'starttls',
  ],
  [
    'POP3 refuses a client that goes without',
    'pop3',
    offered,
    crlf('USER bob'),
    crlf('+OK letterlock ready') + popNo,
    'waits',
  ],
  [
    'POP3 goes on inside TLS without a greeting',
    'pop3',
    { ...offered, tls: 'made' },
    crlf('CAPA', 'STLS', 'USER bob'),
    crlf('+OK these are all', 'USER', '.') + popNo + popNo,
    'waits',
  ],
  [
    'SMTP lets the client speak first inside TLS',
    'smtp',
    { ...offered, tls: 'made' },
    crlf('EHLO x'),
    smtpNo,
    'waits',
  ],
  [
    'ManageSieve offers TLS',
    'sieve',
    offered,
    crlf('STARTTLS'),
    sieveCaps('"STARTTLS"') + crlf('OK "begin TLS now"'),
    'starttls',
  ],
  [
    'ManageSieve issues its capabilities again inside TLS',
    'sieve',
    { ...offered, tls: 'made' },
    crlf('AUTHENTICATE "CRAM-MD5"', 'STARTTLS'),
    sieveCaps() + sieveNo + sieveNo,
    'waits',
  ],
  [
    'ManageSieve refuses STARTTLS with an argument',
    'sieve',
    offered,
    crlf('STARTTLS "x"'),
    sieveCaps('"STARTTLS"') + sieveNo,
    'waits',
  ],
];

describe('a farewell on a STARTTLS port', () => {
  it.each(rows)('%s', (_, protocol, options, client, server, end) => {
    for (const cut of [whole, byteByByte]) {
      const played = play(farewell(protocol, options), [client], { limits, cut });
      expect(played.said).toBe(server);
      expect(played.end).toEqual(end === 'waits' ? 'waits' : { result: end });
    }
  });

  it('leaves what stands behind STARTTLS to its caller', () => {
    const played = play(farewell('pop3', offered), ['STLS\r\nUSER bob\r\n'], { limits, cut: whole });
    expect(played.left).toBe('USER bob\r\n');
  });

  it('offers no STARTTLS where there is none to be had', () => {
    for (const [protocol, line] of [
      ['imap', 'a STARTTLS\r\n'],
      ['pop3', 'STLS\r\n'],
      ['sieve', 'STARTTLS\r\n'],
    ] as const)
      expect(play(farewell(protocol, { ...login, tls: 'none' }), [line], { limits, cut: whole }).end).toBe(
        'waits',
      );
  });
});
