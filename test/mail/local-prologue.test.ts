import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/mail/conversation.ts';
import { localPrologue, localPrologueLimits as limits } from '../../src/mail/local-prologue.ts';
import type { Protocol } from '../../src/mail/protocol.ts';
import { Talk } from '../../src/mail/talk.ts';
import { anyCut, byteByByte, crlf, play, whole } from './transcript.ts';

type MailProtocol = Exclude<Protocol, 'tls'>;

const hello: Readonly<Record<MailProtocol, string>> = {
  imap: crlf('* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] letterlock ready'),
  pop3: crlf('+OK letterlock ready'),
  smtp: crlf('220 letterlock ESMTP ready'),
  lmtp: crlf('220 letterlock LMTP ready'),
  sieve: crlf(
    '"IMPLEMENTATION" "letterlock"',
    '"SASL" ""',
    '"SIEVE" ""',
    '"STARTTLS"',
    '"VERSION" "1.0"',
    'OK "letterlock ready"',
  ),
};
const privacy = crlf('a NO [PRIVACYREQUIRED] STARTTLS first');
const first = crlf('530 5.7.0 Must issue a STARTTLS command first');
const noArguments = crlf('501 5.5.4 this command takes no arguments');
const stlsFirst = crlf('-ERR STLS first');
const sieveFirst = crlf('NO (ENCRYPT-NEEDED) "STARTTLS first"');
const begin: Readonly<Record<MailProtocol, string>> = {
  imap: crlf('a OK begin TLS now'),
  pop3: crlf('+OK begin TLS now'),
  smtp: crlf('220 2.0.0 begin TLS now'),
  lmtp: crlf('220 2.0.0 begin TLS now'),
  sieve: crlf('OK "begin TLS now"'),
};

type Row = readonly [
  what: string,
  protocol: MailProtocol,
  client: string,
  server: string,
  end: 'starttls' | 'over' | 'waits',
];

const rows: readonly Row[] = [
  ['IMAP goes ahead', 'imap', crlf('a STARTTLS'), begin.imap, 'starttls'],
  ['IMAP takes any case', 'imap', crlf('a sTaRtTlS'), begin.imap, 'starttls'],
  [
    'IMAP lists STARTTLS and no login',
    'imap',
    crlf('a CAPABILITY'),
    crlf('* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED', 'a OK that is all'),
    'waits',
  ],
  ['IMAP refuses LOGIN', 'imap', crlf('a LOGIN bob secret'), privacy, 'waits'],
  ['IMAP refuses a LOGIN whose literal waits', 'imap', crlf('a LOGIN {3}'), privacy, 'waits'],
  [
    'IMAP closes over a literal that does not wait',
    'imap',
    crlf('a LOGIN {3+}', 'bob secret'),
    crlf('* BYE no literals before STARTTLS'),
    'over',
  ],
  [
    'IMAP closes over a literal that does not wait and whose length has many digits',
    'imap',
    crlf('a LOGIN {00000000012+}', 'b STARTTLS'),
    crlf('* BYE no literals before STARTTLS'),
    'over',
  ],
  ['IMAP refuses AUTHENTICATE', 'imap', crlf('a AUTHENTICATE PLAIN AGJvYgBzZWNyZXQ='), privacy, 'waits'],
  ['IMAP refuses SELECT', 'imap', crlf('a SELECT INBOX'), privacy, 'waits'],
  ['IMAP refuses UID STARTTLS', 'imap', crlf('a UID STARTTLS'), privacy, 'waits'],
  [
    'IMAP refuses STARTTLS with an argument',
    'imap',
    crlf('a STARTTLS now'),
    crlf('a BAD this command takes no arguments'),
    'waits',
  ],
  [
    'IMAP refuses STARTTLS with a space behind it',
    'imap',
    crlf('a STARTTLS '),
    crlf('a BAD this command takes no arguments'),
    'waits',
  ],
  [
    'IMAP closes over STARTTLS with a literal',
    'imap',
    crlf('a STARTTLS {3+}', 'abc'),
    crlf('* BYE no literals before STARTTLS'),
    'over',
  ],
  ['IMAP refuses STARTTLS behind two spaces', 'imap', crlf('a  STARTTLS'), privacy, 'waits'],
  [
    'IMAP refuses a tag that is none',
    'imap',
    crlf('* STARTTLS'),
    crlf('* BAD a tag and a command are expected'),
    'waits',
  ],
  [
    'IMAP refuses STARTTLS without a tag',
    'imap',
    crlf('STARTTLS'),
    crlf('* BAD a tag and a command are expected'),
    'waits',
  ],
  ['IMAP does nothing on NOOP', 'imap', crlf('a NOOP'), crlf('a OK nothing new'), 'waits'],
  ['IMAP lets go', 'imap', crlf('a LOGOUT'), crlf('* BYE goodbye', 'a OK goodbye'), 'over'],
  ['POP3 goes ahead', 'pop3', crlf('stls'), begin.pop3, 'starttls'],
  ['POP3 lists STLS alone', 'pop3', crlf('CAPA'), crlf('+OK that is all', 'STLS', '.'), 'waits'],
  [
    'POP3 refuses USER, PASS, APOP and AUTH',
    'pop3',
    crlf('USER bob', 'PASS secret', 'APOP bob 0', 'AUTH PLAIN'),
    stlsFirst.repeat(4),
    'waits',
  ],
  ['POP3 refuses STLS with an argument', 'pop3', crlf('STLS now'), stlsFirst, 'waits'],
  ['POP3 lets go', 'pop3', crlf('QUIT'), crlf('+OK goodbye'), 'over'],
  [
    'SMTP goes ahead',
    'smtp',
    crlf('EHLO x', 'STARTTLS'),
    crlf('250-letterlock', '250 STARTTLS') + begin.smtp,
    'starttls',
  ],
  ['SMTP offers nothing to HELO', 'smtp', crlf('HELO x'), crlf('250 letterlock'), 'waits'],
  ['SMTP wants a name', 'smtp', crlf('EHLO'), crlf('501 5.5.4 a name is expected'), 'waits'],
  ['SMTP refuses STARTTLS with an argument', 'smtp', crlf('STARTTLS foo'), noArguments, 'waits'],
  [
    'SMTP refuses AUTH, MAIL, RCPT, DATA and VRFY',
    'smtp',
    crlf('AUTH PLAIN AGJvYgBzZWNyZXQ=', 'MAIL FROM:<a@b>', 'RCPT TO:<a@b>', 'DATA', 'VRFY a'),
    first.repeat(5),
    'waits',
  ],
  ['SMTP answers NOOP and RSET', 'smtp', crlf('NOOP', 'RSET'), crlf('250 2.0.0 OK').repeat(2), 'waits'],
  ['SMTP lets go', 'smtp', crlf('QUIT'), crlf('221 2.0.0 goodbye'), 'over'],
  [
    'LMTP goes ahead',
    'lmtp',
    crlf('LHLO x', 'STARTTLS'),
    crlf('250-letterlock', '250 STARTTLS') + begin.lmtp,
    'starttls',
  ],
  ['LMTP knows no EHLO', 'lmtp', crlf('EHLO x'), first, 'waits'],
  ['ManageSieve goes ahead', 'sieve', crlf('StartTls'), begin.sieve, 'starttls'],
  ['ManageSieve lists no mechanism', 'sieve', crlf('CAPABILITY'), hello.sieve, 'waits'],
  [
    'ManageSieve refuses AUTHENTICATE',
    'sieve',
    crlf('AUTHENTICATE "PLAIN" "AGJvYgBzZWNyZXQ="'),
    sieveFirst,
    'waits',
  ],
  [
    'ManageSieve closes over a literal',
    'sieve',
    crlf('AUTHENTICATE "PLAIN" {16+}', 'AGJvYgBzZWNyZXQ='),
    crlf('BYE "no literals before STARTTLS"'),
    'over',
  ],
  ['ManageSieve refuses STARTTLS with an argument', 'sieve', crlf('STARTTLS "now"'), sieveFirst, 'waits'],
  ['ManageSieve does nothing on NOOP', 'sieve', crlf('NOOP'), crlf('OK "nothing new"'), 'waits'],
  ['ManageSieve lets go', 'sieve', crlf('LOGOUT'), crlf('OK "goodbye"'), 'over'],
];

const line = (octets: number): string => `${'x'.repeat(octets)}\r\n`;
const lines = (count: number): string => 'x y\r\n'.repeat(count);

describe('before TLS of the client', () => {
  it.each(rows)('%s', (_, protocol, client, server, end) => {
    for (const cut of [whole, byteByByte]) {
      const played = play(localPrologue(protocol), [client], { limits, cut });
      expect(played.said).toBe(hello[protocol] + server);
      expect(played.end).toEqual(end === 'waits' ? 'waits' : { result: end });
    }
  });

  const command: Readonly<Record<MailProtocol, string>> = {
    imap: 'a STARTTLS\r\n',
    pop3: 'STLS\r\n',
    smtp: 'STARTTLS\r\n',
    lmtp: 'STARTTLS\r\n',
    sieve: 'STARTTLS\r\n',
  };
  const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'] as const;
  /** A whole command, half a command, and the beginning of a TLS handshake. */
  const injected = ['b NOOP\r\n', 'MAIL FROM:<a@b', '\x16\x03\x01'];

  it.each(protocols.flatMap((protocol) => injected.map((bytes) => [protocol, bytes] as const)))(
    '%s leaves what stands behind STARTTLS unanswered and unread: %j',
    (protocol, bytes) => {
      const played = play(localPrologue(protocol), [command[protocol] + bytes], { limits, cut: whole });
      expect(played).toEqual({
        said: hello[protocol] + begin[protocol],
        end: { result: 'starttls' },
        left: bytes,
      });
    },
  );

  it.each(protocols)('%s ends at a bare line feed, a bare carriage return and a NUL', (protocol) => {
    for (const bytes of ['NOOP\n', 'NO\rOP\r\n', 'NO\0OP\r\n']) {
      const { end, said } = play(localPrologue(protocol), [bytes], { limits, cut: whole });
      expect({ end, said }).toEqual({ end: { fault: 'bad-line-end' }, said: hello[protocol] });
    }
  });

  it.each(protocols)('%s ends at a line of 12 289 octets and goes on after one of 12 288', (protocol) => {
    const long = play(localPrologue(protocol), [line(12_289)], { limits, cut: whole });
    expect(long.end).toEqual({ fault: 'line-too-long' });
    expect(play(localPrologue(protocol), [line(12_288)], { limits, cut: whole }).end).toBe('waits');
  });

  it.each(protocols)('%s ends after 64 lines', (protocol) => {
    expect(play(localPrologue(protocol), [lines(65)], { limits, cut: whole }).end).toEqual({
      fault: 'too-many-lines',
    });
    expect(play(localPrologue(protocol), [lines(63)], { limits, cut: whole }).end).toBe('waits');
  });

  it('comes to the same end however the bytes are cut', () => {
    const words = fc.constantFrom(
      'a ',
      'STARTTLS',
      'STLS',
      'NOOP',
      'CAPA',
      ' ',
      '\r\n',
      '\n',
      '{3+}',
      '\0',
      'x',
    );
    const talks = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.constantFrom(...protocols), talks, anyCut, (protocol, bytes, cut) => {
        const one = play(localPrologue(protocol), [bytes], { limits, cut: whole });
        expect(play(localPrologue(protocol), [bytes], { limits, cut })).toEqual(one);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Keeps the first line it is given, which is against the rules. */
function* keeping(): Conversation<Uint8Array | undefined> {
  const kept = yield { receive: 'line' };
  yield { receive: 'line' };
  return kept?.bytes;
}

it('nothing a client says before TLS is held any longer than it is looked at', () => {
  const talk = new Talk(keeping(), limits);
  talk.start();
  const turn = talk.feed(Buffer.from('a LOGIN bob secret\r\nb NOOP\r\n'));
  expect(turn).toMatchObject({ state: 'done', result: new Uint8Array('a LOGIN bob secret'.length) });
});
