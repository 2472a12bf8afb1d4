// SMTP submission and LMTP before TLS: rows as in imap.mjs. The same is said to both; they differ in the command that asks.

import { prologueScripts } from './script.mjs';

const rows = [
  ['harmless', 'a good server', {}, 'accept'],
  ['harmless', 'a go-ahead without text', { go: ['220'] }, 'accept'],
  ['harmless', 'a go-ahead of two lines', { go: ['220-{c}', '220 on'] }, 'accept'],
  ['harmless', 'a greeting of many lines', { greeting: ['220-{c}', '220-no spam', '220 please'] }, 'accept'],
  [
    'harmless',
    'STARTTLS in the middle, in lower case',
    { list: ['250-x', '250-starttls', '250 HELP'] },
    'accept',
  ],

  ['C1 stripping', 'STARTTLS not listed', { list: ['250-{c}', '250 AUTH PLAIN LOGIN'] }, 'starttls-missing'],
  ['C1 stripping', 'STARTTLS as the name of the server', { list: ['250 STARTTLS'] }, 'starttls-missing'],
  [
    'C1 stripping',
    'STARTTLS as a part of words',
    { list: ['250-x', '250-XSTARTTLS', '250 STARTTLSX'] },
    'starttls-missing',
  ],
  ['C1 stripping', 'STARTTLS overwritten by X', { list: ['250-x', '250 XXXXXXXX'] }, 'starttls-missing'],
  ['C1 stripping', 'a single line', { list: ['250 {c}'] }, 'starttls-missing'],
  ['C1 stripping', 'STARTTLS with a value', { list: ['250-x', '250 STARTTLS no'] }, 'starttls-missing'],
  [
    'C1 stripping',
    'STARTTLS in the greeting',
    { greeting: ['220-STARTTLS', '220 {c}'], list: ['250-x', '250 HELP'] },
    'starttls-missing',
  ],

  ['C2 refused', '502 to STARTTLS', { go: ['502 {c}'] }, 'starttls-refused'],
  ['C2 refused', '454 to STARTTLS', { go: ['454 4.7.0 {c}'] }, 'starttls-refused'],
  ['C2 refused', '421 to STARTTLS', { go: ['421 {c}'] }, 'starttls-refused'],
  ['C2 refused', '354 to STARTTLS', { go: ['354 {c}'] }, 'starttls-refused'],
  [
    'C2 refused',
    '501 again and again',
    { go: Array.from({ length: 50 }, () => '501 {c}') },
    'starttls-refused',
  ],

  ['C3 odd answer', '221', { go: ['221 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', '250', { go: ['250 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', '235, as if logged in', { go: ['235 2.7.0 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', '334, as if asked', { go: ['334 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'two codes in one reply', { go: ['220-go', '250 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a refusal within the go-ahead', { go: ['220-go', '554 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a code of four digits', { go: ['2200 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a code of two digits', { go: ['22 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a code with something attached', { go: ['220x {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a blank before the code', { go: [' 220 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'an empty line', { go: ['', '220 {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'half a reply', { go: ['220-{c}'], stay: true }, 'timeout', { waits: ['greeting'] }],

  ['C4 hiding ESMTP', '502 to the question', { list: ['502 {c}'] }, 'starttls-missing'],
  ['C4 hiding ESMTP', '500 to the question', { list: ['500 5.5.1 {c}'] }, 'starttls-missing'],
  ['C4 hiding ESMTP', '421 to the question', { list: ['421 {c}'] }, 'starttls-missing'],
  ['C4 hiding ESMTP', '354 to the question', { list: ['354 {c}'] }, 'not-this-protocol'],
  ['C4 hiding ESMTP', '220 to the question', { list: ['220 {c}'] }, 'not-this-protocol'],
  [
    'C4 hiding ESMTP',
    'another code within the list',
    { list: ['250-x', '251-STARTTLS', '250 STARTTLS'] },
    'not-this-protocol',
  ],
  [
    'C4 hiding ESMTP',
    'a refusal within the list',
    { list: ['250-x', '250-STARTTLS', '550 {c}'] },
    'not-this-protocol',
  ],
  [
    'C4 hiding ESMTP',
    'a greeting without ESMTP',
    { greeting: ['220 mail {c}'], list: ['502 HELO, please'] },
    'starttls-missing',
  ],

  [
    'C8 text before',
    'a banner',
    { greeting: ['220-call +1 555 {c}', '220 ESMTP'], go: ['220 {c} call +1 555'] },
    'accept',
  ],
  ['C8 text before', 'escape sequences', { greeting: ['220 \u001b]0;{c}\u0007'] }, 'accept'],

  ['C12 greeting', '554', { greeting: ['554 {c}'] }, 'no-greeting'],
  ['C12 greeting', '421 of two lines', { greeting: ['421-{c}', '421 {c}'] }, 'no-greeting'],
  ['C12 greeting', 'a refusal behind 220', { greeting: ['220-hi', '554 {c}'] }, 'no-greeting'],
  ['C12 greeting', '354', { greeting: ['354 Start mail input {c}'] }, 'not-this-protocol'],
  ['C12 greeting', '250', { greeting: ['250 {c}'] }, 'not-this-protocol'],
  ['C12 greeting', '235', { greeting: ['235 {c}'] }, 'not-this-protocol'],
  [
    'C12 greeting',
    'another code within the greeting',
    { greeting: ['220-hi', '250 {c}'] },
    'not-this-protocol',
  ],
  ['C12 greeting', 'escape sequences', { greeting: ['\u001b[31m220 {c}'] }, 'not-this-protocol'],

  [
    'C13 order',
    'the go-ahead within the list',
    { list: ['250-{c}', '220 go', '250 STARTTLS'] },
    'not-this-protocol',
  ],
  ['C13 order', 'the list held back', { list: '', stay: true }, 'timeout', { waits: ['greeting'] }],

  [
    'C16 epoch',
    'other extensions in clear',
    { list: ['250-{c}', '250-AUTH X-{c}', '250-SIZE 1', '250-SMTPUTF8', '250 STARTTLS'] },
    'accept',
  ],

  ['grammar', 'a bare LF', { greeting: '220 {c}\n' }, 'not-this-protocol'],
  ['grammar', 'a bare LF within the list', { list: '250-x\n250 STARTTLS\r\n' }, 'not-this-protocol'],
  ['grammar', 'a bare CR', { go: '220 go\r220 {c}\r\n' }, 'not-this-protocol'],
  ['grammar', 'a NUL', { greeting: '220 {c}\0\r\n' }, 'not-this-protocol'],
];

export const smtpScripts = prologueScripts('smtp', rows);
export const lmtpScripts = prologueScripts('lmtp', rows);
