// ManageSieve before TLS: rows as in imap.mjs. The greeting is the list; nothing is asked before STARTTLS.

import { prologueScripts } from './script.mjs';

const rows = [
  ['harmless', 'a good server', {}, 'accept'],
  ['harmless', 'a bare go-ahead', { go: ['OK'] }, 'accept'],
  ['harmless', 'a go-ahead with a code', { go: ['ok (WARNINGS) "{c}"'] }, 'accept'],
  ['harmless', 'a go-ahead with a literal', { go: ['OK {{5}', 'go on'] }, 'accept'],
  [
    'harmless',
    'literals in the list',
    { greeting: '"IMPLEMENTATION" {{6}\r\na\r\nOK \r\n{{5}\r\nSIEVE {{4}\r\nfile\r\n"starttls"\r\nOK\r\n' },
    'accept',
  ],

  [
    'C1 stripping',
    'STARTTLS not listed',
    { greeting: ['"IMPLEMENTATION" "{c}"', '"SASL" "PLAIN"', 'OK "{c}"'] },
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STARTTLS as a value',
    { greeting: ['"SASL" "STARTTLS"', '"X" "STARTTLS"', 'OK'] },
    'starttls-missing',
  ],
  [
    'C1 stripping',
    'STARTTLS within a literal',
    { greeting: ['"X" {{10}', '"STARTTLS"', 'OK'] },
    'starttls-missing',
  ],
  ['C1 stripping', 'STARTTLS as a literal', { greeting: ['{{8}', 'STARTTLS', 'OK'] }, 'starttls-missing'],
  [
    'C1 stripping',
    'STARTTLS as a part of words',
    { greeting: ['"XSTARTTLS"', '"STARTTLS2"', 'OK "{c}"'] },
    'starttls-missing',
  ],
  ['C1 stripping', 'an empty list', { greeting: ['OK "{c}"'] }, 'starttls-missing'],

  ['C2 refused', 'NO to STARTTLS', { go: ['NO "{c}"'] }, 'starttls-refused'],
  ['C2 refused', 'BYE to STARTTLS', { go: ['BYE (TRYLATER) "{c}"'] }, 'starttls-refused'],
  [
    'C2 refused',
    'BYE with a referral',
    { go: ['BYE (REFERRAL "sieve://attacker.example") "{c}"'] },
    'starttls-refused',
  ],
  ['C2 refused', 'NO that asks for a login', { go: ['NO (ENCRYPT-NEEDED) "{c}"'] }, 'starttls-refused'],

  ['C3 odd answer', 'OK with something attached', { go: ['OKAY "{c}"'] }, 'starttls-refused'],
  ['C3 odd answer', 'OK and no string', { go: ['OK {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a string', { go: ['"OK"'] }, 'starttls-refused'],
  ['C3 odd answer', 'OK and a literal too long', { go: ['OK {{99999}', '{c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'a capability', { go: ['"SASL" "PLAIN"', 'OK'] }, 'starttls-refused'],
  ['C3 odd answer', 'an answer of IMAP', { go: ['* OK {c}'] }, 'starttls-refused'],
  ['C3 odd answer', 'an empty line', { go: ['', 'OK'] }, 'starttls-refused'],
  ['C3 odd answer', 'a blank before OK', { go: [' OK'] }, 'starttls-refused'],

  [
    'C8 text before',
    'a banner',
    { greeting: ['"IMPLEMENTATION" "call +1 555 {c}"', '"STARTTLS"', 'OK "{c}"'] },
    'accept',
  ],
  [
    'C8 text before',
    'escape sequences',
    { greeting: ['"IMPLEMENTATION" "\u001b]0;{c}\u0007"', '"STARTTLS"', 'OK'] },
    'accept',
  ],
  [
    'C8 text before',
    'a referral with OK',
    { greeting: ['"STARTTLS"', 'OK (REFERRAL "sieve://attacker.example") "{c}"'] },
    'accept',
  ],

  ['C12 greeting', 'BYE', { greeting: ['BYE "{c}"'] }, 'no-greeting'],
  ['C12 greeting', 'BYE behind a list', { greeting: ['"STARTTLS"', 'BYE "{c}"'] }, 'no-greeting'],
  [
    'C12 greeting',
    'BYE with a referral',
    { greeting: ['BYE (REFERRAL "sieve://attacker.example") "{c}"'] },
    'no-greeting',
  ],
  ['C12 greeting', 'NO with a literal', { greeting: ['NO {{2}', 'no'] }, 'no-greeting'],
  ['C12 greeting', 'a capability without quotes', { greeting: ['STARTTLS', 'OK'] }, 'not-this-protocol'],
  [
    'C12 greeting',
    'something behind a capability',
    { greeting: ['"STARTTLS" now', 'OK'] },
    'not-this-protocol',
  ],
  ['C12 greeting', 'something behind a literal', { greeting: ['"X" {{1}', 'yz', 'OK'] }, 'not-this-protocol'],
  [
    'C12 greeting',
    'a literal too long',
    { greeting: ['"X" {{4097}', 'x'.repeat(4097), '"STARTTLS"', 'OK'] },
    'not-this-protocol',
  ],
  [
    'C12 greeting',
    'a literal longer than numbers go',
    { greeting: ['"X" {{99999999999999999999}', '"STARTTLS"', 'OK'] },
    'not-this-protocol',
  ],
  [
    'C12 greeting',
    'a literal without end',
    { greeting: ['"X" {{4000}'], go: '', stay: true },
    'timeout',
    { waits: ['greeting'] },
  ],

  [
    'C13 order',
    'the go-ahead behind the greeting',
    { greeting: ['"STARTTLS"', 'OK "{c}"', 'NO "{c}"'] },
    'starttls-refused',
  ],
  [
    'C13 order',
    'a list without its end',
    { greeting: ['"STARTTLS"', '"SASL" "{c}"'], stay: true },
    'timeout',
    { waits: ['greeting'] },
  ],

  [
    'C16 epoch',
    'other capabilities in clear',
    { greeting: ['"SASL" "PLAIN X-{c}"', '"STARTTLS"', '"UNAUTHENTICATE"', 'OK "{c}"'] },
    'accept',
  ],

  ['grammar', 'a bare LF', { greeting: '"STARTTLS"\nOK\r\n' }, 'not-this-protocol'],
  ['grammar', 'a NUL', { greeting: '"STARTTLS"\r\nOK "\0{c}"\r\n' }, 'not-this-protocol'],
];

export const sieveScripts = prologueScripts('sieve', rows);
