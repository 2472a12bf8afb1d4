// Servers' turns before TLS and what must become of them, with the numbers of the known attacks (C1 to C16: what
// a man in the middle can say to a STARTTLS client). `sent` counts our commands: nothing else is ever said.

import { prologueLimits as limits, type prologue, type PrologueReason } from '../../src/mail/prologue.ts';
import { crlf } from './transcript.ts';

export type Protocol = Parameters<typeof prologue>[0];

/** What the proxy may say, and nothing else: each protocol's question and its request. */
export const said: Readonly<Record<Protocol, readonly string[]>> = {
  imap: ['z1 CAPABILITY\r\n', 'z2 STARTTLS\r\n'],
  pop3: ['CAPA\r\n', 'STLS\r\n'],
  smtp: ['EHLO [127.0.0.1]\r\n', 'STARTTLS\r\n'],
  lmtp: ['LHLO [127.0.0.1]\r\n', 'STARTTLS\r\n'],
  sieve: ['STARTTLS\r\n'],
};

export interface Row {
  readonly name: string;
  readonly protocol: Protocol;
  /** The server's turns, each whole. */
  readonly server: readonly string[];
  readonly end: 'ok' | 'waits' | PrologueReason;
  /** How many of the two commands were sent. */
  readonly sent: number;
}

const imapCaps = crlf('* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED', 'z1 OK done');
const imap = (name: string, server: readonly string[], end: Row['end'], sent: number): Row => ({
  name,
  protocol: 'imap',
  server,
  end,
  sent,
});
const imapGo = (name: string, answer: string, end: Row['end']): Row =>
  imap(name, [crlf('* OK hi'), imapCaps, answer], end, 2);

const imapRows: readonly Row[] = [
  imapGo('a plain STARTTLS', crlf('z2 OK go'), 'ok'),
  imapGo('a go-ahead without text', crlf('z2 OK'), 'ok'),
  imapGo('a go-ahead in lower case', crlf('z2 ok go'), 'ok'),
  imapGo(
    'C11: untagged data before the go-ahead',
    crlf('* 3 EXISTS', '* CAPABILITY UTF8=ONLY', 'z2 OK go'),
    'ok',
  ),
  imapGo('C8: an alert before the go-ahead', crlf('* OK [ALERT] call +1 555', 'z2 OK go'), 'ok'),
  imap(
    'C11: untagged data before the list',
    [crlf('* OK hi'), crlf('* LIST () "/" x', '* FLAGS ()') + imapCaps, crlf('z2 OK go')],
    'ok',
    2,
  ),
  imap(
    'a list with odd spaces',
    [crlf('* OK'), crlf('* CAPABILITY IMAP4rev1  starttls ', 'z1 OK done'), crlf('z2 OK')],
    'ok',
    2,
  ),
  imap(
    'C10: a referral in the greeting',
    [crlf('* OK [REFERRAL imap://attacker/] hi'), imapCaps, crlf('z2 OK go')],
    'ok',
    2,
  ),
  imap(
    'C1: STARTTLS not listed',
    [
      crlf('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi'),
      crlf('* CAPABILITY IMAP4rev1 AUTH=PLAIN', 'z1 OK done'),
    ],
    'starttls-missing',
    1,
  ),
  imap(
    'C1: STARTTLS in the greeting only',
    [crlf('* OK [CAPABILITY IMAP4rev1 STARTTLS] hi'), crlf('z1 OK done')],
    'starttls-missing',
    1,
  ),
  imap(
    'C1: STARTTLS as a part of a word',
    [crlf('* OK hi'), crlf('* CAPABILITY XSTARTTLS STARTTLS2', 'z1 OK done')],
    'starttls-missing',
    1,
  ),
  imap(
    'C1: STARTTLS in another response',
    [crlf('* OK hi'), crlf('* FLAGS STARTTLS', '* CAPABILITYX STARTTLS', 'z1 OK done')],
    'starttls-missing',
    1,
  ),
  imap('C4: BAD to CAPABILITY', [crlf('* OK hi'), crlf('z1 BAD what')], 'starttls-missing', 1),
  imap(
    'C4: NO to CAPABILITY after a list',
    [crlf('* OK hi'), crlf('* CAPABILITY STARTTLS', 'z1 NO what')],
    'starttls-missing',
    1,
  ),
  imap('BYE to CAPABILITY', [crlf('* OK hi'), crlf('* BYE tired')], 'starttls-missing', 1),
  imapGo('C2: NO to STARTTLS', crlf('z2 NO no'), 'starttls-refused'),
  imapGo('C2: BAD to STARTTLS', crlf('z2 BAD no'), 'starttls-refused'),
  imapGo('C2: BYE to STARTTLS', crlf('* BYE no'), 'starttls-refused'),
  imapGo('C3: a continuation', crlf('+ continue with something'), 'starttls-refused'),
  imapGo('C3: a tagged word that is no status', crlf('z2 NOTACODE x'), 'starttls-refused'),
  imapGo('C3: a status with something attached', crlf('z2 OKAY x'), 'starttls-refused'),
  imapGo('C3: an untagged look-alike', crlf('* z2 OK go'), 'starttls-refused'),
  imapGo('C3: an untagged look-alike of the tag before', crlf('* z1 OK go'), 'starttls-refused'),
  imapGo('C3: another tag', crlf('z3 OK go'), 'starttls-refused'),
  imapGo('C3: the tag before', crlf('z1 OK go'), 'starttls-refused'),
  imapGo('C3: the tag in upper case', crlf('Z2 OK go'), 'starttls-refused'),
  imapGo('a literal before the go-ahead', crlf('* LIST () "/" {3}', 'abc', 'z2 OK go'), 'starttls-refused'),
  imapGo(
    'a literal that reads like the go-ahead',
    crlf('* LIST () "/" {10}', 'z2 OK evil', 'z2 NO no'),
    'starttls-refused',
  ),
  imap(
    'a literal that reads like a list',
    [crlf('* OK hi'), crlf('* X {32}', '* CAPABILITY STARTTLS', 'z1 OK evil')],
    'not-this-protocol',
    1,
  ),
  imapGo('an empty line', crlf('', 'z2 OK go'), 'starttls-refused'),
  imapGo('PREAUTH in place of the go-ahead', crlf('* PREAUTH in'), 'preauth'),
  imap(
    'C13: the go-ahead within the list',
    [crlf('* OK hi'), crlf('* CAPABILITY STARTTLS', 'z2 OK go', 'z1 OK done')],
    'not-this-protocol',
    1,
  ),
  imap(
    'a literal in the list',
    [crlf('* OK hi'), crlf('* CAPABILITY STARTTLS {3+}', 'abc', 'z1 OK done')],
    'not-this-protocol',
    1,
  ),
  imap('C3: a continuation to CAPABILITY', [crlf('* OK hi'), crlf('+ go on')], 'not-this-protocol', 1),
  imap(
    'a tagged word to CAPABILITY that is no status',
    [crlf('* OK hi'), crlf('z1 MAYBE')],
    'not-this-protocol',
    1,
  ),
  imap(
    'PREAUTH within the list',
    [crlf('* OK hi'), crlf('* PREAUTH in', '* CAPABILITY STARTTLS', 'z1 OK done')],
    'preauth',
    1,
  ),
  imap('C9: PREAUTH', [crlf('* PREAUTH [CAPABILITY IMAP4rev1] hi')], 'preauth', 0),
  imap('C9: PREAUTH in lower case', [crlf('* preauth hi')], 'preauth', 0),
  imap('C10: BYE with a referral', [crlf('* BYE [REFERRAL imap://attacker/] there')], 'no-greeting', 0),
  imap('C12: NO as greeting', [crlf('* NO hi')], 'not-this-protocol', 0),
  imap('C12: BAD as greeting', [crlf('* BAD hi')], 'not-this-protocol', 0),
  imap('C12: a tagged greeting', [crlf('z1 OK hi')], 'not-this-protocol', 0),
  imap('C12: garbage', [crlf('\x1b[31mhello')], 'not-this-protocol', 0),
  imap('a greeting with a literal', [crlf('* OK {4}', 'hihi')], 'not-this-protocol', 0),
  imap('another protocol', [crlf('220 mail ESMTP')], 'not-this-protocol', 0),
  imap('SSH', [crlf('SSH-2.0-OpenSSH_9.2')], 'not-this-protocol', 0),
  imap('a bare LF', ['* OK hi\n'], 'not-this-protocol', 0),
  imap(
    'a bare LF in the middle',
    ['* OK hi\r\n', '* CAPABILITY STARTTLS\nz1 OK done\r\n'],
    'not-this-protocol',
    1,
  ),
  imap('a NUL', ['* OK h\0i\r\n'], 'not-this-protocol', 0),
  imap('a line that does not end', [`* OK ${'x'.repeat(limits.lineBytes)}`], 'not-this-protocol', 0),
  imap('lines that do not end', [crlf('* OK hi'), crlf('* 1 EXISTS').repeat(100)], 'not-this-protocol', 1),
  imap(
    'bytes that do not end',
    [crlf('* OK hi'), crlf(`* OK ${'x'.repeat(8000)}`).repeat(9)],
    'not-this-protocol',
    1,
  ),
  imap('nothing at all', [], 'waits', 0),
];

const pop3Caps = crlf('+OK list', 'TOP', 'STLS', 'SASL PLAIN', '.');
const pop3 = (name: string, server: readonly string[], end: Row['end'], sent: number): Row => ({
  name,
  protocol: 'pop3',
  server,
  end,
  sent,
});
const pop3Go = (name: string, answer: string, end: Row['end']): Row =>
  pop3(name, [crlf('+OK hi'), pop3Caps, answer], end, 2);

const pop3Rows: readonly Row[] = [
  pop3Go('a plain STLS', crlf('+OK begin'), 'ok'),
  pop3Go('a go-ahead without text', crlf('+OK'), 'ok'),
  pop3('C14: an APOP challenge', [crlf('+OK <1.2@attacker>'), pop3Caps, crlf('+OK go')], 'ok', 2),
  pop3('C8: a banner', [crlf('+OK call +1 555'), crlf('+OK', 'stls', '.'), crlf('+OK go')], 'ok', 2),
  pop3('C1: STLS not listed', [crlf('+OK hi'), crlf('+OK', 'SASL PLAIN', '.')], 'starttls-missing', 1),
  pop3(
    'C1: STLS as a part of a word',
    [crlf('+OK hi'), crlf('+OK', 'XSTLS', 'STLSX', '.STLS', '.')],
    'starttls-missing',
    1,
  ),
  pop3('C1: an empty list', [crlf('+OK hi'), crlf('+OK', '.')], 'starttls-missing', 1),
  pop3('C4: -ERR to CAPA', [crlf('+OK hi'), crlf('-ERR what')], 'starttls-missing', 1),
  pop3('C4: something else to CAPA', [crlf('+OK hi'), crlf('STLS')], 'not-this-protocol', 1),
  pop3('C4: a challenge to CAPA', [crlf('+OK hi'), crlf('+ PDEy')], 'not-this-protocol', 1),
  pop3Go('C2: -ERR to STLS', crlf('-ERR no'), 'starttls-refused'),
  pop3Go('C3: a challenge', crlf('+ go on'), 'starttls-refused'),
  pop3Go('C3: a status with something attached', crlf('+OKAY'), 'starttls-refused'),
  pop3Go('C3: a status in lower case', crlf('+ok go'), 'starttls-refused'),
  pop3Go('C3: a space before the status', crlf(' +OK go'), 'starttls-refused'),
  pop3('C12: -ERR as greeting', [crlf('-ERR \x1b[31mgo away')], 'no-greeting', 0),
  pop3('C12: another protocol', [crlf('* OK hi')], 'not-this-protocol', 0),
  pop3(
    'a list that does not end',
    [crlf('+OK hi'), crlf('+OK') + crlf('STLS').repeat(100)],
    'not-this-protocol',
    1,
  ),
  pop3('a list still to come', [crlf('+OK hi'), crlf('+OK', 'STLS')], 'waits', 1),
];

const hello = crlf('250-mail.example.org', '250-PIPELINING', '250 STARTTLS');
const smtp = (name: string, server: readonly string[], end: Row['end'], sent: number): Row => ({
  name,
  protocol: 'smtp',
  server,
  end,
  sent,
});
const smtpGo = (name: string, answer: string, end: Row['end']): Row =>
  smtp(name, [crlf('220 hi'), hello, answer], end, 2);

const smtpRows: readonly Row[] = [
  smtpGo('a plain STARTTLS', crlf('220 2.0.0 go'), 'ok'),
  smtpGo('a go-ahead without text', crlf('220'), 'ok'),
  smtpGo('a go-ahead of two lines', crlf('220-go', '220 on'), 'ok'),
  smtp(
    'a greeting of many lines',
    [crlf('220-mail', '220-no spam', '220 please'), hello, crlf('220 go')],
    'ok',
    2,
  ),
  smtp(
    'STARTTLS in the middle, in lower case',
    [crlf('220'), crlf('250-x', '250-starttls', '250 HELP'), crlf('220 go')],
    'ok',
    2,
  ),
  smtp('C1: STARTTLS not listed', [crlf('220 hi'), crlf('250-x', '250 AUTH PLAIN')], 'starttls-missing', 1),
  smtp(
    'C1: STARTTLS as the name of the server',
    [crlf('220 hi'), crlf('250 STARTTLS')],
    'starttls-missing',
    1,
  ),
  smtp(
    'C1: STARTTLS as a part of a word',
    [crlf('220 hi'), crlf('250-x', '250-XSTARTTLS', '250 STARTTLSX')],
    'starttls-missing',
    1,
  ),
  smtp('C4: 502 to EHLO', [crlf('220 hi'), crlf('502 what')], 'starttls-missing', 1),
  smtp('C4: 421 to EHLO', [crlf('220 hi'), crlf('421 busy')], 'starttls-missing', 1),
  smtp(
    'another code within the list',
    [crlf('220 hi'), crlf('250-x', '251-STARTTLS', '250 STARTTLS')],
    'not-this-protocol',
    1,
  ),
  smtp('a refusal within the list', [crlf('220 hi'), crlf('250-x', '550 no')], 'not-this-protocol', 1),
  smtp('354 to EHLO', [crlf('220 hi'), crlf('354 go')], 'not-this-protocol', 1),
  smtp('220 to EHLO', [crlf('220 hi'), crlf('220 go')], 'not-this-protocol', 1),
  smtpGo('C2: 502 to STARTTLS', crlf('502 no'), 'starttls-refused'),
  smtpGo('C2: 454 to STARTTLS', crlf('454 4.7.0 no'), 'starttls-refused'),
  smtpGo('C2: 421 to STARTTLS', crlf('421 no'), 'starttls-refused'),
  smtpGo('C2: 354 to STARTTLS', crlf('354 no'), 'starttls-refused'),
  smtpGo('C3: 221', crlf('221 go'), 'starttls-refused'),
  smtpGo('C3: 250', crlf('250 go'), 'starttls-refused'),
  smtpGo('C3: two codes in one reply', crlf('220-go', '250 x'), 'starttls-refused'),
  smtpGo('C3: a code of four digits', crlf('2200 x'), 'starttls-refused'),
  smtpGo('C3: a code with something attached', crlf('220x'), 'starttls-refused'),
  smtpGo('C3: half a reply', crlf('220-go'), 'waits'),
  smtp('C12: 554 as greeting', [crlf('554 no')], 'no-greeting', 0),
  smtp('C12: 421 as greeting', [crlf('421-no', '421 no')], 'no-greeting', 0),
  smtp('a refusal within the greeting', [crlf('220-hi', '554 no')], 'no-greeting', 0),
  smtp('C12: 354 as greeting', [crlf('354 Start mail input')], 'not-this-protocol', 0),
  smtp('250 as greeting', [crlf('250 hi')], 'not-this-protocol', 0),
  smtp('another code within the greeting', [crlf('220-hi', '250 hi')], 'not-this-protocol', 0),
  smtp('HTTP', [crlf('HTTP/1.1 400 Bad Request')], 'not-this-protocol', 0),
  smtp('a greeting that does not end', [crlf('220-x').repeat(100)], 'not-this-protocol', 0),
];

const sieveCaps = crlf(
  '"IMPLEMENTATION" "x \\"y\\" z"',
  '"SASL" ""',
  '"STARTTLS"',
  '"VERSION" "1.0"',
  'OK "ready"',
);
const sieve = (name: string, server: readonly string[], end: Row['end'], sent: number): Row => ({
  name,
  protocol: 'sieve',
  server,
  end,
  sent,
});
const sieveGo = (name: string, answer: string, end: Row['end']): Row =>
  sieve(name, [sieveCaps, answer], end, 1);

const sieveRows: readonly Row[] = [
  sieveGo('a plain STARTTLS', crlf('OK "go"'), 'ok'),
  sieveGo('a bare go-ahead', crlf('OK'), 'ok'),
  sieveGo('a go-ahead with a code', crlf('ok (WARNINGS) "go"'), 'ok'),
  sieveGo('a go-ahead with a literal', crlf('OK {5}', 'go on'), 'ok'),
  sieve(
    'literals in the list',
    [crlf('"IMPLEMENTATION" {6}', 'a\r\nOK ', '{5}', 'SIEVE {4}', 'file', '"starttls"', 'OK'), crlf('OK')],
    'ok',
    1,
  ),
  sieve('C1: STARTTLS not listed', [crlf('"SASL" "PLAIN"', 'OK "ready"')], 'starttls-missing', 0),
  sieve(
    'C1: STARTTLS as a value',
    [crlf('"SASL" "STARTTLS"', '"X" "STARTTLS"', 'OK')],
    'starttls-missing',
    0,
  ),
  sieve('C1: STARTTLS within a literal', [crlf('"X" {10}', '"STARTTLS"', 'OK')], 'starttls-missing', 0),
  sieve(
    'C1: STARTTLS within a literal whose length has many digits',
    [crlf('"X" {0000000010}', '"STARTTLS"', 'OK')],
    'starttls-missing',
    0,
  ),
  sieveGo('C2: NO to STARTTLS', crlf('NO "no"'), 'starttls-refused'),
  sieveGo('C2: BYE to STARTTLS', crlf('BYE (TRYLATER) "no"'), 'starttls-refused'),
  sieveGo('C3: OK with something attached', crlf('OKAY'), 'starttls-refused'),
  sieveGo('C3: OK and no string', crlf('OK go'), 'starttls-refused'),
  sieveGo('C3: a string', crlf('"OK"'), 'starttls-refused'),
  sieveGo('C3: OK and a literal too long', crlf('OK {99999}', 'x'), 'starttls-refused'),
  sieve('C12: BYE as greeting', [crlf('BYE "no"')], 'no-greeting', 0),
  sieve('C12: NO as greeting', [crlf('NO {2}', 'no')], 'no-greeting', 0),
  sieve('BYE behind a list', [crlf('"STARTTLS"', 'BYE "no"')], 'no-greeting', 0),
  sieve('C12: another protocol', [crlf('+OK hi')], 'not-this-protocol', 0),
  sieve('a capability without quotes', [crlf('STARTTLS', 'OK')], 'not-this-protocol', 0),
  sieve('a capability with something behind', [crlf('"STARTTLS" now', 'OK')], 'not-this-protocol', 0),
  sieve('something behind a literal', [crlf('"X" {1}', 'yz', 'OK')], 'not-this-protocol', 0),
  sieve(
    'a literal as long as is taken',
    [crlf('"X" {4096}', 'x'.repeat(4096), '"STARTTLS"', 'OK'), crlf('OK')],
    'ok',
    1,
  ),
  sieve(
    'a literal too long',
    [crlf('"X" {4097}', 'x'.repeat(4097), '"STARTTLS"', 'OK')],
    'not-this-protocol',
    0,
  ),
  sieve(
    'a literal too long that reads like a list',
    [crlf('"X" {99999}', '"STARTTLS"', 'OK')],
    'not-this-protocol',
    0,
  ),
  sieve(
    'a literal longer than any number that reads like a list',
    [crlf('"X" {99999999999999999999}', '"STARTTLS"', 'OK')],
    'not-this-protocol',
    0,
  ),
  sieve('a literal without end', [crlf('"X" {4000}')], 'waits', 0),
  sieve('a list that does not end', [crlf('"STARTTLS"').repeat(100)], 'not-this-protocol', 0),
];

const lmtpRows: readonly Row[] = smtpRows.map((row) => ({ ...row, protocol: 'lmtp' }));
export const rows: readonly Row[] = [...imapRows, ...pop3Rows, ...smtpRows, ...lmtpRows, ...sieveRows];
