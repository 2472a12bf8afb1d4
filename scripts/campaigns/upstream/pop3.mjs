// POP3 before TLS: rows as in imap.mjs.

import { prologueScripts } from './script.mjs';

const rows = [
  ['harmless', 'a good server', {}, 'accept'],
  ['harmless', 'a go-ahead without text', { go: ['+OK'] }, 'accept'],
  ['harmless', 'a list in lower case', { list: ['+OK', 'stls', '.'] }, 'accept'],

  [
    'C1 stripping',
    'STLS not listed',
    { list: ['+OK {c}', 'USER', 'SASL PLAIN LOGIN', '.'] },
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STLS as a part of words',
    { list: ['+OK', 'XSTLS', 'STLSX', '.STLS', '.'] },
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STLS as the value of another',
    { list: ['+OK', 'IMPLEMENTATION STLS {c}', '.'] },
    'starttls-missing',
  ],
  ['C1 stripping', 'an empty list', { list: ['+OK {c}', '.'] }, 'starttls-missing'],
  ['C1 stripping', 'STLS in the status line', { list: ['+OK STLS', 'USER', '.'] }, 'starttls-missing'],
  ['C1 stripping', 'STLS with a value', { list: ['+OK', 'STLS no', '.'] }, 'starttls-missing'],
  ['C1 stripping', 'STLS behind the full stop', { list: ['+OK', 'USER', '.', 'STLS'] }, 'starttls-missing'],

  ['C2 refused', '-ERR to STLS', { go: ['-ERR {c}'] }, 'starttls-refused'],
  ['C2 refused', '-ERR with a code', { go: ['-ERR [SYS/TEMP] {c}'] }, 'starttls-refused'],
  [
    'C2 refused',
    '-ERR again and again',
    { go: Array.from({ length: 50 }, () => '-ERR {c}') },
    'starttls-refused',
  ],

  ['C3 odd answer', 'a challenge', { go: ['+ {c}'] }, 'starttls-refused'],
  ['C3 odd answer', '+OK with something attached', { go: ['+OKAY {c}'] }, 'starttls-refused'],
  ['C3 odd answer', '+OK in lower case', { go: ['+ok {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a blank before +OK', { go: [' +OK {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'OK without its plus', { go: ['OK {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'an empty line', { go: ['', '+OK {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a full stop', { go: ['.', '+OK {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'an answer of IMAP', { go: ['* OK {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a tab behind +OK', { go: ['+OK\t{c}'] }, 'starttls-refused'],

  ['C4 question refused', '-ERR to CAPA', { list: ['-ERR {c}'] }, 'starttls-missing'],
  ['C4 question refused', 'a list without a status', { list: ['STLS', '.'] }, 'not-this-protocol'],
  ['C4 question refused', 'a challenge to CAPA', { list: ['+ PDEy'] }, 'not-this-protocol'],
  ['C4 question refused', 'a greeting again', { list: ['* OK {c}'] }, 'not-this-protocol'],

  [
    'C8 text before',
    'a banner',
    { greeting: ['+OK call +1 555 {c}'], go: ['+OK your password expired: {c}'] },
    'accept',
  ],
  ['C8 text before', 'escape sequences', { greeting: ['+OK \u001b]0;{c}\u0007'] }, 'accept'],

  ['C12 greeting', '-ERR', { greeting: ['-ERR {c}'] }, 'no-greeting'],
  ['C12 greeting', '-ERR with escape sequences', { greeting: ['-ERR \u001b[31m{c}'] }, 'no-greeting'],
  ['C12 greeting', 'a challenge', { greeting: ['+ {c}'] }, 'not-this-protocol'],
  ['C12 greeting', 'lower case', { greeting: ['+ok {c}'] }, 'not-this-protocol'],

  [
    'C13 order',
    'two greetings, taken for the beginning of the list',
    { greeting: ['+OK {c}', '+OK {c}'] },
    'accept',
  ],
  [
    'C13 order',
    'the go-ahead behind the list',
    { list: ['+OK', 'STLS', '.', '+OK {c}'] },
    ['injected-bytes', 'tls-failed'],
  ],
  ['C13 order', 'the list held back', { list: '', stay: true }, 'timeout', { waits: ['greeting'] }],
  [
    'C13 order',
    'a list that never ends',
    { list: ['+OK', 'STLS', '{c}'], stay: true },
    'timeout',
    { waits: ['greeting'] },
  ],

  ['C14 APOP', 'a chosen challenge', { greeting: ['+OK <1.2@{c}>'] }, 'accept'],
  [
    'C14 APOP',
    'a challenge of attack bytes',
    { greeting: ['+OK <\u00d1\u0031\u00dd\u0002\u00c5\u00e6\u00ee\u00c4.{c}@x>'] },
    'accept',
  ],
  ['C14 APOP', 'a challenge in the list', { list: ['+OK <7.8@{c}>', 'STLS', '.'] }, 'accept'],

  [
    'C16 epoch',
    'other capabilities in clear',
    { list: ['+OK', 'STLS', 'SASL X-{c}', 'UTF8 USER', '.'] },
    'accept',
  ],

  ['grammar', 'a bare LF', { greeting: '+OK {c}\n' }, 'not-this-protocol'],
  ['grammar', 'a bare LF within the list', { list: '+OK\r\nSTLS\n.\r\n' }, 'not-this-protocol'],
  ['grammar', 'a bare CR', { greeting: '+OK {c}\r+OK\r\n' }, 'not-this-protocol'],
  ['grammar', 'a NUL', { go: '+OK\0{c}\r\n' }, 'not-this-protocol'],
];

export const pop3Scripts = prologueScripts('pop3', rows);
