import { describe, expect, it } from 'vitest';
import {
  farewell,
  farewellLimits as limits,
  farewellMs,
  type FarewellOptions,
} from '../../src/mail/farewell.ts';
import type { Protocol } from '../../src/mail/protocol.ts';
import { Talk } from '../../src/mail/talk.ts';
import { byteByByte, crlf, latin1, play, whole } from './transcript.ts';

const text =
  'letterlock refused imap.example.org: its key changed. Nothing was sent. Run: letterlock explain 7F3AK2QM';
const refusal: FarewellOptions = {
  kind: 'refusal',
  permanence: 'permanent',
  text,
  style: 'greeting',
  smtpCode: 421,
  tls: 'none',
};
const login: FarewellOptions = { ...refusal, style: 'login' };
const hold: FarewellOptions = { ...refusal, permanence: 'temporary' };
const failure: FarewellOptions = { ...refusal, kind: 'failure', permanence: 'temporary' };

const imapBye = crlf(`* BYE [ALERT] ${text}`);
const imapHello = crlf(`* OK [ALERT] ${text}`);
const imapNo = (tag: string): string => crlf(`${tag} NO [UNAVAILABLE] ${text}`);
const imapCaps = (tag: string): string => crlf('* CAPABILITY IMAP4rev1', `${tag} OK that is all`);
const popHello = crlf('+OK letterlock ready');
const popCaps = crlf('+OK these are all', 'USER', '.');
const popNo = crlf(`-ERR [SYS/PERM] ${text}`);
const smtpNo = crlf(`421 4.7.0 ${text}`);
const sieveCaps = crlf(
  '"IMPLEMENTATION" "letterlock"',
  '"SASL" "CRAM-MD5"',
  '"SIEVE" ""',
  '"VERSION" "1.0"',
  'OK "letterlock ready"',
);
const sieveNo = crlf(`NO "${text}"`);
const base64 = Buffer.from('\0bob\0secret').toString('base64');

interface Row {
  readonly name: string;
  readonly protocol: Protocol;
  readonly options?: FarewellOptions;
  readonly client: readonly string[];
  readonly server: string;
  /** `over`: we close. Else the client may go on. */
  readonly end: 'over' | 'goes on';
}

const rows: readonly Row[] = [
  { name: 'IMAP refuses in the greeting', protocol: 'imap', client: [], server: imapBye, end: 'over' },
  {
    name: 'IMAP fails without an alert',
    protocol: 'imap',
    options: failure,
    client: [],
    server: crlf(`* BYE ${text}`),
    end: 'over',
  },
  {
    name: 'IMAP fails in the greeting in every style',
    protocol: 'imap',
    options: { ...login, kind: 'failure' },
    client: [],
    server: crlf(`* BYE ${text}`),
    end: 'over',
  },
  {
    name: 'IMAP refuses a login as fetchmail and imaplib make it',
    protocol: 'imap',
    options: login,
    client: [crlf('A0001 CAPABILITY'), crlf('A0002 LOGIN "bob" "secret"'), crlf('A0003 LOGOUT')],
    server: imapHello + imapCaps('A0001') + imapNo('A0002') + crlf(`* BYE ${text}`, 'A0003 OK goodbye'),
    end: 'over',
  },
  {
    name: 'IMAP refuses curl, which authenticates',
    protocol: 'imap',
    options: login,
    client: [crlf('A001 CAPABILITY'), crlf('A002 AUTHENTICATE PLAIN')],
    server: imapHello + imapCaps('A001') + imapNo('A002'),
    end: 'goes on',
  },
  {
    name: 'IMAP refuses an initial response without reading it',
    protocol: 'imap',
    options: login,
    client: [crlf(`a AUTHENTICATE PLAIN ${base64}`)],
    server: imapHello + imapNo('a'),
    end: 'goes on',
  },
  {
    name: 'IMAP refuses mutt, which sends NOOP and ID',
    protocol: 'imap',
    options: login,
    client: [crlf('a0 NOOP', 'a1 ID NIL')],
    server: imapHello + crlf('a0 OK nothing new') + imapNo('a1'),
    end: 'goes on',
  },
  {
    name: 'IMAP swallows literals that come unasked',
    protocol: 'imap',
    options: login,
    client: [crlf('a LOGIN {3+}', 'b\r\n {6+}', 'secret', 'b NOOP')],
    server: imapHello + imapNo('a') + crlf('b OK nothing new'),
    end: 'goes on',
  },
  {
    name: 'IMAP swallows a literal of 4096 octets',
    protocol: 'imap',
    options: login,
    client: [`a LOGIN b {4096+}\r\n${'\0'.repeat(4096)}\r\n`],
    server: imapHello + imapNo('a'),
    end: 'goes on',
  },
  {
    name: 'IMAP closes over a literal of 4097 octets',
    protocol: 'imap',
    options: login,
    client: [`a LOGIN b {4097+}\r\n${'x'.repeat(4097)}\r\n`],
    server: imapHello + imapNo('a'),
    end: 'over',
  },
  {
    name: 'IMAP never asks for a literal',
    protocol: 'imap',
    options: login,
    client: [crlf('a LOGIN {3}')],
    server: imapHello + imapNo('a'),
    end: 'over',
  },
  {
    name: 'IMAP writes back nothing that is no tag',
    protocol: 'imap',
    options: login,
    client: [crlf('secret', '', '* LOGIN', '+ x', `${'x'.repeat(65)} NOOP`, '\x1b[31m NOOP')],
    server: imapHello + crlf(`* BAD ${text}`).repeat(6),
    end: 'goes on',
  },
  {
    name: 'POP3 refuses at USER as fetchmail, getmail and poplib send it',
    protocol: 'pop3',
    client: [crlf('CAPA'), crlf('USER bob'), crlf('QUIT')],
    server: popHello + popCaps + popNo + crlf('+OK goodbye'),
    end: 'over',
  },
  {
    name: 'POP3 refuses curl with an initial response unread',
    protocol: 'pop3',
    client: [crlf('CAPA'), crlf(`AUTH PLAIN ${base64}`)],
    server: popHello + popCaps + popNo,
    end: 'goes on',
  },
  {
    name: 'POP3 refuses APOP, and closes after three errors',
    protocol: 'pop3',
    client: [crlf('auth'), crlf('APOP bob 00ff'), crlf('STAT'), crlf('QUIT')],
    server: popHello + popNo.repeat(3),
    end: 'over',
  },
  {
    name: 'POP3 has no answer to PASS',
    protocol: 'pop3',
    client: [crlf('USER bob', 'PASS secret', 'QUIT')],
    server: popHello + popNo,
    end: 'over',
  },
  {
    name: 'POP3 says what is temporary as temporary',
    protocol: 'pop3',
    options: hold,
    client: [crlf('USER bob')],
    server: popHello + crlf(`-ERR [SYS/TEMP] ${text}`),
    end: 'goes on',
  },
  {
    name: 'POP3 says a failure as temporary',
    protocol: 'pop3',
    options: { ...failure, permanence: 'permanent' },
    client: [crlf('USER bob')],
    server: popHello + crlf(`-ERR [SYS/TEMP] ${text}`),
    end: 'goes on',
  },
  {
    name: 'SMTP refuses in the greeting, and msmtp quits',
    protocol: 'smtp',
    client: [crlf('QUIT')],
    server: smtpNo + crlf('221 2.0.0 goodbye'),
    end: 'over',
  },
  {
    name: 'SMTP says the same to all else',
    protocol: 'smtp',
    client: [crlf('EHLO x'), crlf(`AUTH PLAIN ${base64}`), crlf('MAIL FROM:<a@b>')],
    server: smtpNo.repeat(4),
    end: 'goes on',
  },
  {
    name: 'SMTP refuses for good on request',
    protocol: 'smtp',
    options: { ...refusal, smtpCode: 554 },
    client: [],
    server: crlf(`554 5.7.0 ${text}`),
    end: 'goes on',
  },
  {
    name: 'SMTP never refuses for good what may pass',
    protocol: 'smtp',
    options: { ...hold, smtpCode: 554 },
    client: [],
    server: smtpNo,
    end: 'goes on',
  },
  {
    name: 'SMTP fails with a code of its own',
    protocol: 'smtp',
    options: { ...failure, smtpCode: 554 },
    client: [],
    server: crlf(`421 4.4.1 ${text}`),
    end: 'goes on',
  },
  {
    name: 'LMTP refuses like SMTP',
    protocol: 'lmtp',
    client: [crlf('LHLO x', 'quit')],
    server: smtpNo.repeat(2) + crlf('221 2.0.0 goodbye'),
    end: 'over',
  },
  {
    name: 'ManageSieve refuses sieve-connect at AUTHENTICATE',
    protocol: 'sieve',
    client: [crlf('AUTHENTICATE "CRAM-MD5"'), crlf('LOGOUT')],
    server: sieveCaps + sieveNo + crlf('OK "goodbye"'),
    end: 'over',
  },
  {
    name: 'ManageSieve swallows literals first',
    protocol: 'sieve',
    client: [crlf('AUTHENTICATE "PLAIN" {16+}', base64, 'CAPABILITY')],
    server: sieveCaps + sieveNo + sieveCaps,
    end: 'goes on',
  },
  {
    name: 'ManageSieve swallows every literal of a command, and none is a command of its own',
    protocol: 'sieve',
    client: [crlf('PUTSCRIPT {3+}', 'abc {4096+}', 'x'.repeat(4096), 'CAPABILITY')],
    server: sieveCaps + sieveNo + sieveCaps,
    end: 'goes on',
  },
  {
    name: 'ManageSieve reads no command out of a literal',
    protocol: 'sieve',
    client: [crlf('AUTHENTICATE "PLAIN" {9+}', 'x\nLOGOUT\n', 'CAPABILITY')],
    server: sieveCaps + sieveNo + sieveCaps,
    end: 'goes on',
  },
  {
    name: 'ManageSieve closes over a literal of 4097 octets',
    protocol: 'sieve',
    client: [crlf('AUTHENTICATE {4097+}')],
    server: sieveCaps + sieveNo,
    end: 'over',
  },
  {
    name: 'ManageSieve never asks for a literal',
    protocol: 'sieve',
    client: [crlf('AUTHENTICATE {4}')],
    server: sieveCaps + sieveNo,
    end: 'over',
  },
  {
    name: 'ManageSieve quotes its sentence',
    protocol: 'sieve',
    options: { ...refusal, text: 'a "b" \\c' },
    client: [crlf('PUTSCRIPT "x"')],
    server: sieveCaps + crlf('NO "a \\"b\\" \\\\c"'),
    end: 'goes on',
  },
  { name: 'an unknown protocol is told nothing', protocol: 'tls', client: [], server: '', end: 'over' },
];

const told = (row: Row, cut = whole): { readonly server: string; readonly end: Row['end'] } => {
  const played = play(farewell(row.protocol, row.options ?? refusal), row.client, { limits, cut });
  return { server: played.said, end: played.end === 'waits' ? 'goes on' : 'over' };
};

describe('a farewell', () => {
  for (const row of rows) {
    it(`${row.name}, whole, byte by byte and with LF for CRLF`, () => {
      const { server, end } = row;
      expect(told(row)).toEqual({ server, end });
      expect(told(row, byteByByte)).toEqual({ server, end });
      const bare = {
        ...row,
        client: row.client.map((turn) => turn.replaceAll('\r\n', '\n').replaceAll('{3+}', '{2+}')),
      };
      expect(told(bare)).toEqual({ server, end });
    });
  }

  it('never holds a code that makes a client ask for another password', () => {
    const invitation = /AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|\[AUTH\]|^53\d|^454|PLAIN|LOGIN\b/m;
    for (const row of rows) expect(row.server).not.toMatch(invitation);
  });

  it('asks for nothing: no continuation, no challenge, no STARTTLS', () => {
    for (const row of rows) expect(row.server).not.toMatch(/^\+(?!OK)|^334|STARTTLS|STLS|<.*@.*>/m);
  });

  it('is over after twenty lines', () => {
    const spoken: readonly (readonly [Protocol, string])[] = [
      ['imap', 'a NOOP\r\n'],
      ['pop3', 'CAPA\r\n'],
      ['smtp', 'NOOP\r\n'],
      ['sieve', 'NOOP\r\n'],
    ];
    for (const [protocol, line] of spoken) {
      const say = (lines: number): unknown =>
        play(farewell(protocol, login), Array<string>(lines).fill(line), { limits, cut: whole }).end;
      expect(say(19)).toBe('waits');
      expect(say(20)).toEqual({ fault: 'too-many-lines' });
    }
  });

  it('is over at a line without end, and at a NUL', () => {
    for (const line of ['x'.repeat(limits.lineBytes + 1), 'NOOP \0'])
      expect(play(farewell('smtp', refusal), [line], { limits, cut: whole }).end).toHaveProperty('fault');
    expect(play(farewell('smtp', refusal), ['x'.repeat(limits.lineBytes)], { limits, cut: whole }).end).toBe(
      'waits',
    );
  });

  it('overwrites what the client sent', () => {
    for (const [protocol, line] of [
      ['imap', 'a LOGIN bob secret\r\n'],
      ['pop3', 'PASS secret\r\n'],
      ['sieve', 'secr'],
      ['smtp', 'AUTH PLAIN c2VjcmV0\r\n'],
    ] as const) {
      const talk = new Talk(farewell(protocol, login), limits);
      talk.start();
      const chunk = Buffer.from(line);
      const turn = talk.feed(chunk);
      expect([...chunk]).toEqual(Array(line.length).fill(0));
      expect(latin1(turn.write)).not.toContain('secr');
    }
  });

  it('says its sentence in one line of ASCII, whatever it is given', () => {
    const options = { ...login, text: `caf\u00e9\r\na1 OK \u202e${'x'.repeat(1000)}` };
    const { said } = play(farewell('imap', options), [], { limits, cut: whole });
    expect(said).toMatch(/^\* OK \[ALERT\] caf\?\?\?a1 OK \?x{300,400}\r\n$/);
  });

  it('may take five seconds for SMTP and LMTP, ten else', () => {
    expect((['imap', 'pop3', 'smtp', 'lmtp', 'sieve', 'tls'] as const).map(farewellMs)).toEqual([
      10_000, 10_000, 5_000, 5_000, 10_000, 10_000,
    ]);
  });
});
