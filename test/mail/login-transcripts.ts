// Whole dialogues as Dovecot, Postfix, Exim and Pigeonhole hold them with clients, and what the client must see
// of them. `s` are the server's bytes, `c` the client's; `shown` is what the server's bytes become.

import type { ClientTls } from '../../src/mail/login-filter.ts';
import type { Protocol } from '../../src/mail/protocol.ts';
import { crlf } from './transcript.ts';

export type Side = 's' | 'c';
export type Event = readonly [Side, string];

export interface Dialogue {
  readonly name: string;
  readonly protocol: Protocol;
  readonly clientTls?: ClientTls;
  readonly events: readonly Event[];
  /** The server's lines as the client sees them; null: all of them as they were. */
  readonly shown: string | null;
  /** The filter ended with the last event. */
  readonly over: boolean;
}

const s = (...lines: readonly string[]): Event => ['s', crlf(...lines)];
const c = (...lines: readonly string[]): Event => ['c', crlf(...lines)];

const listed = 'IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+';
const offered = `${listed} STARTTLS AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS`;
const plain = `${listed} AUTH=PLAIN AUTH=SCRAM-SHA-256`;
const onTls = `${listed} AUTH=PLAIN`;
const base64 = 'AGJvYgBzZWNyZXQ=';

const imap: readonly Dialogue[] = [
  {
    name: 'IMAP capabilities in the greeting, asked for, and in a tagged OK',
    protocol: 'imap',
    events: [
      s(`* OK [CAPABILITY ${offered}] Dovecot ready.`),
      c('a1 CAPABILITY'),
      s(`* CAPABILITY ${offered}`, 'a1 OK Pre-login capabilities listed.'),
      c('a2 ID NIL'),
      s('* ID ("name" "Dovecot")', `a2 OK [CAPABILITY ${offered}] ID completed.`),
      c('a3 LOGIN bob "secret"'),
      s(`a3 OK [CAPABILITY ${listed} STARTTLS] Logged in`),
    ],
    shown: crlf(
      `* OK [CAPABILITY ${plain}] Dovecot ready.`,
      `* CAPABILITY ${plain}`,
      'a1 OK Pre-login capabilities listed.',
      '* ID ("name" "Dovecot")',
      `a2 OK [CAPABILITY ${plain}] ID completed.`,
      `a3 OK [CAPABILITY ${listed} STARTTLS] Logged in`,
    ),
    over: true,
  },
  {
    name: 'IMAP to a client on TLS: plain SCRAM goes with its PLUS',
    protocol: 'imap',
    clientTls: 'implicit',
    events: [s('* OK hi'), c('a CAPABILITY'), s(`* CAPABILITY ${offered}`, 'a OK done')],
    shown: crlf('* OK hi', `* CAPABILITY ${onTls}`, 'a OK done'),
    over: false,
  },
  {
    name: 'IMAP to a client on TLS: plain SCRAM stays where nothing else is left',
    protocol: 'imap',
    clientTls: 'starttls',
    events: [s('* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-1 auth=scram-sha-1-plus AUTH=EXTERNAL] hi')],
    shown: crlf('* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-1 AUTH=EXTERNAL] hi'),
    over: false,
  },
  {
    name: 'IMAP to a client on TLS: plain SCRAM stays where no PLUS is offered',
    protocol: 'imap',
    clientTls: 'implicit',
    events: [s(`* OK [CAPABILITY ${plain}] hi`)],
    shown: null,
    over: false,
  },
  {
    name: 'IMAP names that only resemble stay',
    protocol: 'imap',
    events: [
      s(
        '* OK [CAPABILITY IMAP4rev1 XSTARTTLS AUTH=GS2-KRB5-PLUS SCRAM-SHA-1-PLUS AUTH=PLAIN] STARTTLS AUTH=SCRAM-SHA-1-PLUS',
      ),
      c('a NOOP'),
      s('a OK STARTTLS', '* BYE STARTTLS'),
    ],
    shown: null,
    over: false,
  },
  {
    name: 'IMAP SCRAM exchange, failed and then made good',
    protocol: 'imap',
    events: [
      s('* OK hi'),
      c('a1 AUTHENTICATE SCRAM-SHA-256'),
      s('+ '),
      c('biwsbj1ib2I='),
      s('+ cj1yT3'),
      c('*'),
      s(`a1 NO [CAPABILITY ${offered}] cancelled`),
      c(`a2 AUTHENTICATE PLAIN ${base64}`),
      s('a2 OK Logged in', `* CAPABILITY ${offered}`),
    ],
    shown: crlf(
      '* OK hi',
      '+ ',
      '+ cj1yT3',
      `a1 NO [CAPABILITY ${plain}] cancelled`,
      'a2 OK Logged in',
      `* CAPABILITY ${offered}`,
    ),
    over: true,
  },
  {
    name: 'IMAP login with literals the client waits for',
    protocol: 'imap',
    events: [
      s('* OK hi'),
      c('a LOGIN {3}'),
      s('+ OK'),
      ['c', 'bob {6}\r\n'],
      s('+ OK'),
      ['c', 'a OK \n\r\n'],
      s(`a NO [CAPABILITY ${offered}] no`),
      c('b LOGIN {3+}', 'x\r\n {0+}', '', 'd CAPABILITY'),
      s('b BAD no', `* CAPABILITY ${offered}`, 'd OK done'),
    ],
    shown: crlf(
      '* OK hi',
      '+ OK',
      '+ OK',
      `a NO [CAPABILITY ${plain}] no`,
      'b BAD no',
      `* CAPABILITY ${plain}`,
      'd OK done',
    ),
    over: false,
  },
  {
    name: 'IMAP literal refused, next command followed',
    protocol: 'imap',
    events: [
      s('* OK hi'),
      c('a LOGIN {99999}'),
      s('a NO too long'),
      c('b CAPABILITY'),
      s(`* CAPABILITY ${offered}`, 'b OK done'),
    ],
    shown: crlf('* OK hi', 'a NO too long', `* CAPABILITY ${plain}`, 'b OK done'),
    over: false,
  },
  {
    name: 'IMAP client that does not wait for its literal',
    protocol: 'imap',
    events: [s('* OK hi'), c('a LOGIN {3}', 'bob'), s(`* CAPABILITY ${offered}`)],
    shown: null,
    over: true,
  },
  {
    name: 'IMAP pipelined login',
    protocol: 'imap',
    events: [
      s('* OK hi'),
      c('a CAPABILITY', 'b LOGIN bob secret'),
      s(`* CAPABILITY ${offered}`, 'a OK done', 'b OK in', '* 1 FETCH (BODY[] {22}', `* CAPABILITY STARTTLS`),
    ],
    shown: crlf(
      '* OK hi',
      `* CAPABILITY ${plain}`,
      'a OK done',
      'b OK in',
      '* 1 FETCH (BODY[] {22}',
      `* CAPABILITY STARTTLS`,
    ),
    over: true,
  },
  {
    name: 'IMAP PREAUTH is a login',
    protocol: 'imap',
    events: [s(`* PREAUTH [CAPABILITY ${offered}] hi`)],
    shown: null,
    over: true,
  },
  {
    name: 'IMAP command behind the answer to a challenge',
    protocol: 'imap',
    events: [
      s('* OK hi'),
      c('a AUTHENTICATE PLAIN'),
      s('+ '),
      c(base64, 'b SELECT INBOX'),
      s(`* CAPABILITY ${offered}`),
    ],
    shown: null,
    over: true,
  },
  ...(['SELECT INBOX', 'STARTTLS', 'ENABLE X', 'COMPRESS DEFLATE', ''] as const).map((command): Dialogue => ({
    name: `IMAP ends at the client's ${JSON.stringify(command)}`,
    protocol: 'imap',
    events: [s('* OK hi'), c(`a ${command}`), s(`* CAPABILITY ${offered}`, 'a OK done')],
    shown: null,
    over: true,
  })),
  ...(
    [
      '* 1 EXISTS',
      '* LANGUAGE (EN)',
      'x1 OK who',
      '',
      'a MAYBE',
      '* ID ("x" {3}',
      '+ go on',
      '220 hi',
      '* OK \0',
      '* OK \r',
    ] as const
  ).map((line): Dialogue => ({
    name: `IMAP ends at the server's ${JSON.stringify(line)}`,
    protocol: 'imap',
    events: [s('* OK hi'), c('a CAPABILITY'), s(line, `* CAPABILITY ${offered}`, 'a OK done')],
    shown: null,
    over: true,
  })),
  {
    name: 'IMAP ends at a bare LF',
    protocol: 'imap',
    events: [s('* OK hi'), c('a CAPABILITY'), ['s', `* CAPABILITY ${offered}\na OK done\r\n`]],
    shown: null,
    over: true,
  },
  {
    name: 'IMAP client that ends its lines with LF',
    protocol: 'imap',
    events: [s('* OK hi'), ['c', 'a CAPABILITY\n'], s(`* CAPABILITY ${offered}`, 'a OK done')],
    shown: crlf('* OK hi', `* CAPABILITY ${plain}`, 'a OK done'),
    over: false,
  },
  {
    name: 'IMAP holds half a line and lets it go at the end',
    protocol: 'imap',
    events: [s('* OK hi'), ['s', `* CAPABILITY ${offered}`]],
    shown: null,
    over: true,
  },
];

const popList = ['+OK', 'CAPA', 'TOP', 'STLS', 'USER', 'SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN', '.'];
const popShown = ['+OK', 'CAPA', 'TOP', 'USER', 'SASL SCRAM-SHA-256 PLAIN', '.'];

const pop3: readonly Dialogue[] = [
  {
    name: 'POP3 capabilities and a login',
    protocol: 'pop3',
    events: [
      s('+OK <1.2@mail> ready'),
      c('CAPA'),
      s(...popList),
      c('USER bob'),
      s('+OK'),
      c('PASS secret'),
      s('+OK in'),
      c('RETR 1'),
      s('+OK', 'STLS', 'SASL SCRAM-SHA-256-PLUS', '.'),
    ],
    shown: crlf(
      '+OK <1.2@mail> ready',
      ...popShown,
      '+OK',
      '+OK in',
      '+OK',
      'STLS',
      'SASL SCRAM-SHA-256-PLUS',
      '.',
    ),
    over: true,
  },
  {
    name: 'POP3 to a client on TLS',
    protocol: 'pop3',
    clientTls: 'implicit',
    events: [s('+OK'), c('capa'), s('+OK', 'stls', 'SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN', '.')],
    shown: crlf('+OK', '+OK', 'SASL PLAIN', '.'),
    over: false,
  },
  {
    name: 'POP3 list of mechanisms asked for in the old way',
    protocol: 'pop3',
    clientTls: 'starttls',
    events: [
      s('+OK'),
      c('AUTH'),
      s('+OK', 'SCRAM-SHA-1', 'PLAIN', 'SCRAM-SHA-1-PLUS', '.'),
      c('CAPA'),
      s(...popList),
    ],
    shown: crlf('+OK', '+OK', 'PLAIN', '.', '+OK', 'CAPA', 'TOP', 'USER', 'SASL PLAIN', '.'),
    over: false,
  },
  {
    name: 'POP3 server that has no such list',
    protocol: 'pop3',
    events: [s('+OK'), c('AUTH'), s('+OK', 'SCRAM-SHA-1-PLUS'), c('USER bob'), s('+OK go on')],
    shown: null,
    over: true,
  },
  {
    name: 'POP3 login that fails, by SASL and by APOP',
    protocol: 'pop3',
    events: [
      s('+OK'),
      c('AUTH SCRAM-SHA-256'),
      s('+ '),
      c('biws'),
      s('+ cj1'),
      c('*'),
      s('-ERR no'),
      c('APOP bob 00ff'),
      s('-ERR no'),
      c('PASS x'),
      s('-ERR no'),
      c('CAPA'),
      s(...popList),
      c(`AUTH PLAIN ${base64}`),
      s('+OK in', 'STLS'),
    ],
    shown: crlf('+OK', '+ ', '+ cj1', '-ERR no', '-ERR no', '-ERR no', ...popShown, '+OK in', 'STLS'),
    over: true,
  },
  {
    name: 'POP3 CAPA refused',
    protocol: 'pop3',
    events: [s('+OK'), c('CAPA', 'USER bob'), s('-ERR what', '+OK')],
    shown: null,
    over: false,
  },
  ...(['PASS x', 'APOP bob 00ff', 'AUTH PLAIN x'] as const).map((command): Dialogue => ({
    name: `POP3 is logged in by ${command}`,
    protocol: 'pop3',
    events: [s('+OK'), c(command), s('+OK in'), c('CAPA'), s(...popList)],
    shown: null,
    over: true,
  })),
  ...(['STAT', 'STLS', 'LANG', 'RETR 1', ''] as const).map((command): Dialogue => ({
    name: `POP3 ends at the client's ${JSON.stringify(command)}`,
    protocol: 'pop3',
    events: [s('+OK'), c(command), s(...popList)],
    shown: null,
    over: true,
  })),
  ...(['* OK', '+ challenge', 'OK', ''] as const).map((line): Dialogue => ({
    name: `POP3 ends at the server's ${JSON.stringify(line)}`,
    protocol: 'pop3',
    events: [s('+OK'), c('CAPA'), s(line, ...popList)],
    shown: null,
    over: true,
  })),
];

const smtpList = [
  '250-mail.example.org',
  '250-PIPELINING',
  '250-STARTTLS',
  '250-AUTH PLAIN SCRAM-SHA-256-PLUS',
  '250 DSN',
];
const smtp: readonly Dialogue[] = [
  {
    name: 'SMTP extensions, and the first mail',
    protocol: 'smtp',
    events: [
      s('220-mail ESMTP', '220 no spam'),
      c('EHLO x'),
      s(...smtpList),
      c('MAIL FROM:<a@b>'),
      s(...smtpList),
    ],
    shown: crlf(
      '220-mail ESMTP',
      '220 no spam',
      '250-mail.example.org',
      '250-PIPELINING',
      '250-AUTH PLAIN',
      '250 DSN',
      ...smtpList,
    ),
    over: true,
  },
  {
    name: 'SMTP reply whose last lines go',
    protocol: 'smtp',
    events: [s('220'), c('ehlo x'), s('250-mail', '250-AUTH LOGIN PLAIN', '250-STARTTLS', '250 starttls')],
    shown: crlf('220', '250-mail', '250 AUTH LOGIN PLAIN'),
    over: false,
  },
  {
    name: 'SMTP reply of which only the name stays',
    protocol: 'smtp',
    events: [s('220'), c('EHLO x'), s('250-STARTTLS', '250 STARTTLS')],
    shown: crlf('220', '250 STARTTLS'),
    over: false,
  },
  {
    name: 'SMTP to a client on TLS, with the old spelling of AUTH',
    protocol: 'smtp',
    clientTls: 'implicit',
    events: [
      s('220'),
      c('EHLO x'),
      s(
        '250-mail',
        '250-AUTH SCRAM-SHA-1-PLUS SCRAM-SHA-1 LOGIN',
        '250 AUTH=SCRAM-SHA-1-PLUS SCRAM-SHA-1 LOGIN',
      ),
    ],
    shown: crlf('220', '250-mail', '250-AUTH LOGIN', '250 AUTH=LOGIN'),
    over: false,
  },
  {
    name: 'SMTP to a client without TLS: plain SCRAM stays',
    protocol: 'smtp',
    events: [s('220'), c('EHLO x'), s('250-mail', '250 AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS')],
    shown: crlf('220', '250-mail', '250 AUTH PLAIN SCRAM-SHA-256'),
    over: false,
  },
  {
    name: 'SMTP reply to a greeting of old, and to NOOP',
    protocol: 'smtp',
    events: [
      s('220'),
      c('HELO x'),
      s('250-mail', '250 STARTTLS'),
      c('NOOP'),
      s('250-AUTH SCRAM-SHA-1-PLUS', '250 STARTTLS'),
    ],
    shown: null,
    over: false,
  },
  {
    name: 'SMTP names that only resemble stay',
    protocol: 'smtp',
    events: [
      s('220 STARTTLS'),
      c('EHLO x'),
      s('250-AUTH SCRAM-SHA-1-PLUS', '250-XSTARTTLS', '250-XAUTH SCRAM-SHA-1-PLUS', '250 SIZE 1'),
      c('HELO x'),
      s('250 STARTTLS'),
    ],
    shown: null,
    over: false,
  },
  {
    name: 'SMTP login, failed and made good',
    protocol: 'smtp',
    events: [
      s('220'),
      c('EHLO x'),
      s('502-what', '502 what'),
      c('AUTH LOGIN'),
      s('334 VXNlcm5hbWU6'),
      c('MAIL'),
      s('334 UGFzc3dvcmQ6'),
      c('DATA'),
      s('535 5.7.8 no'),
      c('RSET', 'EHLO x'),
      s('250 ok', ...smtpList),
      c(`AUTH PLAIN ${base64}`),
      s('235 2.7.0 in', ...smtpList),
    ],
    shown: crlf(
      '220',
      '502-what',
      '502 what',
      '334 VXNlcm5hbWU6',
      '334 UGFzc3dvcmQ6',
      '535 5.7.8 no',
      '250 ok',
      '250-mail.example.org',
      '250-PIPELINING',
      '250-AUTH PLAIN',
      '250 DSN',
      '235 2.7.0 in',
      ...smtpList,
    ),
    over: true,
  },
  {
    name: 'LMTP extensions',
    protocol: 'lmtp',
    events: [s('220'), c('LHLO x'), s(...smtpList)],
    shown: crlf('220', '250-mail.example.org', '250-PIPELINING', '250-AUTH PLAIN', '250 DSN'),
    over: false,
  },
  {
    name: 'SMTP list asked for again after the login',
    protocol: 'smtp',
    events: [s('220'), c('AUTH PLAIN x'), s('235 in'), c('EHLO x'), s(...smtpList)],
    shown: null,
    over: true,
  },
  {
    name: 'SMTP server with the name of an extension',
    protocol: 'smtp',
    events: [s('220'), c('EHLO x'), s('250-AUTH SCRAM-SHA-1-PLUS', '250 AUTH SCRAM-SHA-1-PLUS PLAIN')],
    shown: crlf('220', '250-AUTH SCRAM-SHA-1-PLUS', '250 AUTH PLAIN'),
    over: false,
  },
  ...(['MAIL FROM:<a@b>', 'DATA', 'BDAT 3 LAST', 'STARTTLS', 'VRFY x', ''] as const).map(
    (command): Dialogue => ({
      name: `SMTP ends at the client's ${JSON.stringify(command)}`,
      protocol: 'smtp',
      events: [s('220'), c('EHLO x', command), s(...smtpList)],
      shown: null,
      over: true,
    }),
  ),
  ...(['250-mail\r\n251 x', '250-mail\r\n334 x', 'x', '2500 x', '250 x\r\n421 bye'] as const).map(
    (lines): Dialogue => ({
      name: `SMTP ends at the server's ${JSON.stringify(lines)}`,
      protocol: 'smtp',
      events: [s('220'), c('EHLO x'), s(lines), c('EHLO x'), s(...smtpList)],
      shown: null,
      over: true,
    }),
  ),
  {
    name: 'SMTP lets half a reply go at the end',
    protocol: 'smtp',
    events: [s('220'), c('EHLO x'), s('250-mail', '250-STARTTLS')],
    shown: null,
    over: true,
  },
];

const sieveList = [
  '"IMPLEMENTATION" "Dovecot Pigeonhole"',
  '"SIEVE" "fileinto"',
  '"SASL" "PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"',
  '"STARTTLS"',
  '"VERSION" "1.0"',
  'OK "ready"',
];
const sieveShown = sieveList
  .filter((line) => line !== '"STARTTLS"')
  .map((line) => line.replace(' SCRAM-SHA-256-PLUS', ''));
const sieve: readonly Dialogue[] = [
  {
    name: 'ManageSieve greeting and login',
    protocol: 'sieve',
    events: [
      s(...sieveList),
      c('CAPABILITY'),
      s(...sieveList),
      c(`AUTHENTICATE "PLAIN" "${base64}"`),
      s('OK "in"', ...sieveList),
    ],
    shown: crlf(...sieveShown, ...sieveShown, 'OK "in"', ...sieveList),
    over: true,
  },
  {
    name: 'ManageSieve to a client on TLS',
    protocol: 'sieve',
    clientTls: 'implicit',
    events: [s('"sasl" "SCRAM-SHA-1-PLUS PLAIN SCRAM-SHA-1"', '"starttls"', 'OK')],
    shown: crlf('"sasl" "PLAIN"', 'OK'),
    over: false,
  },
  {
    name: 'ManageSieve login with literals and challenges',
    protocol: 'sieve',
    events: [
      s(...sieveList),
      c('AUTHENTICATE "SCRAM-SHA-256" {5+}', 'a\r\nbc', 'NOOP "x"'),
      s('"cj1y"'),
      ['c', '{7+}\r\nDELETE"\r\n'],
      s('NO "no"', 'OK (TAG "x") "done"'),
      c('AUTHENTICATE "LOGIN"'),
      s('""'),
      c('"LISTSCRIPTS"'),
      s('""'),
      c('"*"'),
      s('NO "no"'),
      c('CAPABILITY'),
      s(...sieveList),
    ],
    shown: crlf(
      ...sieveShown,
      '"cj1y"',
      'NO "no"',
      'OK (TAG "x") "done"',
      '""',
      '""',
      'NO "no"',
      ...sieveShown,
    ),
    over: false,
  },
  {
    name: 'ManageSieve challenges answered by literals',
    protocol: 'sieve',
    events: [
      s(...sieveList),
      c('AUTHENTICATE "LOGIN"'),
      s('""'),
      ['c', '{6+}\r\nLIST"\n\r\n'],
      s('""'),
      c('"LISTSCRIPTS"'),
      s('NO "no"'),
      c('CAPABILITY'),
      s(...sieveList),
    ],
    shown: crlf(...sieveShown, '""', '""', 'NO "no"', ...sieveShown),
    over: false,
  },
  {
    name: 'ManageSieve list asked for again after the login',
    protocol: 'sieve',
    events: [s('OK'), c('AUTHENTICATE "PLAIN" "x"'), s('OK'), c('CAPABILITY'), s(...sieveList)],
    shown: null,
    over: true,
  },
  {
    name: 'ManageSieve list that was not asked for',
    protocol: 'sieve',
    events: [s('OK'), c('NOOP'), s(...sieveList)],
    shown: null,
    over: true,
  },
  ...(['LISTSCRIPTS', 'STARTTLS', 'AUTHENTICATE "PLAIN" {3}', 'CAPABILITY {3}', ''] as const).map(
    (command): Dialogue => ({
      name: `ManageSieve ends at the client's ${JSON.stringify(command)}`,
      protocol: 'sieve',
      events: [s('OK'), c(command), s(...sieveList)],
      shown: null,
      over: true,
    }),
  ),
  ...(['SASL', '+OK', '{3}', 'OK {3}', '"X" {3}', ''] as const).map((line): Dialogue => ({
    name: `ManageSieve ends at the server's ${JSON.stringify(line)}`,
    protocol: 'sieve',
    events: [s('OK'), c('CAPABILITY'), s(line), c('CAPABILITY'), s(...sieveList)],
    shown: null,
    over: true,
  })),
];

const tls: readonly Dialogue[] = [
  {
    name: 'an unknown protocol',
    protocol: 'tls',
    events: [s(`* CAPABILITY ${offered}`), c('x')],
    shown: null,
    over: true,
  },
];

export const dialogues: readonly Dialogue[] = [...imap, ...pop3, ...smtp, ...sieve, ...tls];
