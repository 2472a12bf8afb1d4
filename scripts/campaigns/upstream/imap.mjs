// IMAP before TLS, turn by turn: what a man in the middle can say to a client that asks for STARTTLS. The numbers are
// those of the known attacks (C1 to C16, SECURITY.md); each row is [kind, name, what is said in place of a good server's
// lines, how it must end].

import { prologueScripts } from './script.mjs';

const tagged = (answer) => ({ go: answer });
const listed = (...lines) => ({ list: [...lines, '{1} OK done {c}'] });
const starttls = '* CAPABILITY IMAP4rev1 STARTTLS';

const rows = [
  ['harmless', 'a good server', {}, 'accept'],
  ['harmless', 'a go-ahead without text', tagged(['{2} OK']), 'accept'],
  ['harmless', 'a go-ahead in lower case', tagged(['{2} ok go']), 'accept'],
  ['harmless', 'a list with odd spaces', listed('* CAPABILITY IMAP4rev1  starttls '), 'accept'],

  ['C1 stripping', 'STARTTLS not listed', listed('* CAPABILITY IMAP4rev1 AUTH=PLAIN'), 'starttls-missing'],
  [
    'C1 stripping',
    'a login offered in greeting and list',
    {
      greeting: ['* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] {c}'],
      ...listed('* CAPABILITY IMAP4rev1 AUTH=PLAIN'),
    },
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STARTTLS in the greeting only',
    { greeting: ['* OK [CAPABILITY IMAP4rev1 STARTTLS] {c}'], list: ['{1} OK done'] },
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STARTTLS as a part of words',
    listed('* CAPABILITY XSTARTTLS STARTTLS2'),
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STARTTLS in other responses',
    listed('* FLAGS STARTTLS', '* CAPABILITYX STARTTLS'),
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STARTTLS overwritten by an X',
    listed('* CAPABILITY IMAP4rev1 XTARTTLS'),
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STARTTLS in the text of the answer',
    { list: ['* CAPABILITY IMAP4rev1', '{1} OK STARTTLS'] },
    'starttls-missing',
  ],
  ['C1 stripping', 'STARTTLS with a value', listed('* CAPABILITY IMAP4rev1 STARTTLS=NO'), 'starttls-missing'],
  ['C1 stripping', 'an empty list', listed('* CAPABILITY'), 'starttls-missing'],

  ['C2 refused', 'NO to STARTTLS', tagged(['{2} NO {c}']), 'starttls-refused'],
  ['C2 refused', 'BAD to STARTTLS', tagged(['{2} BAD {c}']), 'starttls-refused'],
  ['C2 refused', 'BYE to STARTTLS', tagged(['* BYE {c}']), 'starttls-refused'],
  ['C2 refused', 'NO with an alert', tagged(['* OK [ALERT] {c}', '{2} NO [ALERT] {c}']), 'starttls-refused'],
  [
    'C2 refused',
    'BAD again and again',
    tagged(Array.from({ length: 60 }, () => '{2} BAD {c}')),
    'starttls-refused',
  ],
  [
    'C2 refused',
    'NO that suggests to go on',
    tagged(['{2} NO [UNAVAILABLE] log in without it {c}']),
    'starttls-refused',
  ],

  ['C3 odd answer', 'a continuation', tagged(['+ continue with {c}']), 'starttls-refused'],
  ['C3 odd answer', 'a tagged word that is no status', tagged(['{2} NOTACODE {c}']), 'starttls-refused'],
  ['C3 odd answer', 'OK with something attached', tagged(['{2} OKAY {c}']), 'starttls-refused'],
  ['C3 odd answer', 'an untagged look-alike', tagged(['* {2} OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'an untagged look-alike of the tag before', tagged(['* {1} OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'another tag', tagged(['z3 OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'the tag of the question', tagged(['{1} OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'the tag in upper case', tagged(['Z2 OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'the tag with a blank before', tagged([' {2} OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'the tag with a tab behind', tagged(['{2}\tOK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'two blanks behind the tag', tagged(['{2}  OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'the tag alone', tagged(['{2}']), 'starttls-refused'],
  ['C3 odd answer', 'an empty line', tagged(['', '{2} OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'the tag quoted', tagged(['"{2}" OK {c}']), 'starttls-refused'],
  [
    'C3 odd answer',
    'a literal that holds the go-ahead',
    tagged(['* LIST () "/" {{10}', '{2} OK evil', '{2} NO {c}']),
    'starttls-refused',
  ],
  [
    'C3 odd answer',
    'a literal before the go-ahead',
    tagged(['* LIST () "/" {{3}', 'abc', '{2} OK {c}']),
    'starttls-refused',
  ],
  ['C3 odd answer', 'a literal without end', tagged(['* X {{4294967297}', '{2} OK {c}']), 'starttls-refused'],
  ['C3 odd answer', 'an answer in HTML', tagged(['<b>{2} OK</b> {c}']), 'starttls-refused'],
  ['C3 odd answer', 'an answer of SMTP', tagged(['220 go {c}']), 'starttls-refused'],

  ['C4 question refused', 'BAD to CAPABILITY', { list: ['{1} BAD {c}'] }, 'starttls-missing'],
  ['C4 question refused', 'NO to CAPABILITY', { list: ['{1} NO {c}'] }, 'starttls-missing'],
  ['C4 question refused', 'NO behind a list', { list: [starttls, '{1} NO {c}'] }, 'starttls-missing'],
  ['C4 question refused', 'BYE to CAPABILITY', { list: ['* BYE {c}'] }, 'starttls-missing'],
  ['C4 question refused', 'a continuation to CAPABILITY', { list: ['+ {c}'] }, 'not-this-protocol'],
  ['C4 question refused', 'a word that is no status', { list: ['{1} MAYBE {c}'] }, 'not-this-protocol'],
  [
    'C4 question refused',
    'another tag to CAPABILITY',
    { list: [starttls, 'a1 OK {c}'] },
    'not-this-protocol',
  ],

  [
    'C8 text before',
    'an alert before the go-ahead',
    tagged(['* OK [ALERT] call +1 555 {c}', '{2} OK go {c}']),
    'accept',
  ],
  [
    'C8 text before',
    'an alert as the greeting',
    { greeting: ['* OK [ALERT] {c} your mailbox is full'] },
    'accept',
  ],
  [
    'C8 text before',
    'escape sequences everywhere',
    { greeting: ['* OK \u001b]0;{c}\u0007\u001b[31m'], ...tagged(['{2} OK \u001b[2J{c}']) },
    'accept',
  ],

  [
    'C9 preauth',
    'PREAUTH as the greeting',
    { greeting: ['* PREAUTH [CAPABILITY IMAP4rev1] {c}'] },
    'preauth',
  ],
  ['C9 preauth', 'PREAUTH in lower case', { greeting: ['* preauth {c}'] }, 'preauth'],
  ['C9 preauth', 'PREAUTH without text', { greeting: ['* PREAUTH'] }, 'preauth'],
  [
    'C9 preauth',
    'PREAUTH that lists STARTTLS',
    { greeting: ['* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] {c}'] },
    'preauth',
  ],
  ['C9 preauth', 'PREAUTH within the list', { list: ['* PREAUTH {c}', starttls, '{1} OK done'] }, 'preauth'],
  ['C9 preauth', 'PREAUTH in place of the go-ahead', tagged(['* PREAUTH {c}']), 'preauth'],
  ['C9 preauth', 'PREAUTH before the go-ahead', tagged(['* PREAUTH {c}', '{2} OK go']), 'preauth'],

  [
    'C10 referral',
    'in the greeting',
    { greeting: ['* OK [REFERRAL imap://attacker.example/] {c}'] },
    'accept',
  ],
  [
    'C10 referral',
    'BYE as the greeting',
    { greeting: ['* BYE [REFERRAL imap://attacker.example/] {c}'] },
    'no-greeting',
  ],
  [
    'C10 referral',
    'NO to STARTTLS',
    tagged(['{2} NO [REFERRAL imap://attacker.example/;AUTH=*/] {c}']),
    'starttls-refused',
  ],
  [
    'C10 referral',
    'NO to CAPABILITY',
    { list: ['{1} NO [REFERRAL imap://attacker.example/] {c}'] },
    'starttls-missing',
  ],
  [
    'C10 referral',
    'referrals as capabilities',
    listed('* CAPABILITY STARTTLS LOGIN-REFERRALS MAILBOX-REFERRALS X={c}'),
    'accept',
  ],

  [
    'C11 tampering',
    'mailboxes before the list',
    { list: ['* LIST () "/" {c}', '* LSUB () "/" {c}', '* FLAGS ({c})', starttls, '{1} OK done'] },
    'accept',
  ],
  [
    'C11 tampering',
    'mail before the go-ahead',
    tagged(['* 3 EXISTS', '* 1 RECENT', '* 1 FETCH (BODY[] "{c}")', '* 2 EXPUNGE', '{2} OK go']),
    'accept',
  ],
  [
    'C11 tampering',
    'search and status before the go-ahead',
    tagged(['* SEARCH 1 2 3', '* STATUS {c} (MESSAGES 7)', '{2} OK go']),
    'accept',
  ],
  [
    'C11 tampering',
    'another list before the go-ahead',
    tagged(['* CAPABILITY IMAP4rev1 AUTH=LOGIN UTF8=ONLY IMAPSIEVE={c}', '{2} OK go']),
    'accept',
  ],
  [
    'C11 tampering',
    'a namespace and an id',
    tagged(['* NAMESPACE (("{c}" "/")) NIL NIL', '* ID ("name" "{c}")', '{2} OK go']),
    'accept',
  ],

  ['C12 greeting', 'NO', { greeting: ['* NO {c}'] }, 'not-this-protocol'],
  ['C12 greeting', 'BAD', { greeting: ['* BAD {c}'] }, 'not-this-protocol'],
  ['C12 greeting', 'BYE', { greeting: ['* BYE {c}'] }, 'no-greeting'],
  ['C12 greeting', 'BYE with an alert', { greeting: ['* BYE [ALERT] call +1 555 {c}'] }, 'no-greeting'],
  ['C12 greeting', 'tagged', { greeting: ['{1} OK {c}'] }, 'not-this-protocol'],
  ['C12 greeting', 'escape sequences', { greeting: ['\u001b[31m{c}'] }, 'not-this-protocol'],
  ['C12 greeting', 'a literal', { greeting: ['* OK {{4}', '{c}'] }, 'not-this-protocol'],
  ['C12 greeting', 'untagged data first', { greeting: ['* 3 EXISTS', '* OK {c}'] }, 'not-this-protocol'],
  ['C12 greeting', 'a continuation', { greeting: ['+ {c}'] }, 'not-this-protocol'],

  [
    'C13 order',
    'the go-ahead within the list',
    { list: [starttls, '{2} OK {c}', '{1} OK done'] },
    'not-this-protocol',
  ],
  [
    'C13 order',
    'the go-ahead before the list',
    { list: ['{2} OK {c}', starttls, '{1} OK done'] },
    'not-this-protocol',
  ],
  [
    'C13 order',
    'the go-ahead behind the greeting',
    { greeting: ['* OK {c}', '{2} OK {c}'] },
    'not-this-protocol',
  ],
  [
    'C13 order',
    'the end of the list twice',
    { list: [starttls, '{1} OK done', '{1} OK done {c}'] },
    'starttls-refused',
  ],
  ['C13 order', 'the list held back', { list: '', stay: true }, 'timeout', { waits: ['greeting'] }],

  [
    'C16 epoch',
    'other capabilities inside',
    { list: ['* CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=X-{c} UTF8=ONLY', '{1} OK done'] },
    'accept',
  ],

  ['grammar', 'a bare LF', { greeting: '* OK {c}\n' }, 'not-this-protocol'],
  ['grammar', 'a bare LF within the list', { list: `${starttls}\n{1} OK done\r\n` }, 'not-this-protocol'],
  ['grammar', 'a bare CR', { greeting: '* OK {c}\r* OK {c}\r\n' }, 'not-this-protocol'],
  ['grammar', 'a NUL', { greeting: '* OK {c}\0\r\n' }, 'not-this-protocol'],
  ['grammar', 'a NUL within the go-ahead', { go: '{2} OK\0 {c}\r\n' }, 'not-this-protocol'],
  ['grammar', 'a go-ahead that ends in a bare LF', { go: '{2} OK {c}\n' }, 'not-this-protocol'],
];

export const imapScripts = prologueScripts('imap', rows);
