// Bytes between the go-ahead and the handshake (C5 to C7; CVE-2011-0411 and its kin): whole lines, parts of lines, in the
// same segment and later, text and bytes that are none. A real handshake with a good certificate follows all of them, so
// that a proxy which throws them away, or keeps them for later, goes on as if nothing had been.

import { prologueScripts, protocols } from './script.mjs';

const lines = {
  imap: [
    ['an answer to a login', ['a1 OK {c}', 'a2 OK {c}']],
    ['capabilities', ['* CAPABILITY IMAP4rev1 AUTH=LOGIN {c}']],
    ['PREAUTH', ['* PREAUTH {c}']],
    ['an alert', ['* OK [ALERT] {c}']],
    ['a mailbox', ['* 1 EXISTS', '* 1 FETCH (BODY[] {{3}', '{c})']],
    ['a second go-ahead', ['{2} OK {c}']],
  ],
  pop3: [
    ['a list', ['+OK', 'SASL PLAIN', 'X-{c}', '.']],
    ['an answer to USER and PASS', ['+OK {c}', '+OK {c}']],
    ['a greeting with a challenge', ['+OK <1.2@{c}>']],
    ['a full stop', ['.']],
  ],
  smtp: [
    ['extensions', ['250-{c}', '250 AUTH PLAIN']],
    ['an answer to AUTH', ['235 2.7.0 {c}']],
    ['a greeting', ['220 {c} ESMTP']],
    ['a refusal', ['554 {c}']],
  ],
  sieve: [
    ['capabilities', ['"SASL" "PLAIN"', '"X" "{c}"', 'OK']],
    ['an answer to AUTHENTICATE', ['OK "{c}"']],
    ['a farewell', ['BYE "{c}"']],
  ],
};
lines.lmtp = lines.smtp;

/** Beginnings of lines that would be put before what comes inside TLS. */
const beginnings = {
  imap: ['* OK [ALERT] {c}', '* ', 'a1 OK'],
  pop3: ['+OK {c}', '+', '-ERR '],
  smtp: ['250 AUTH PLAIN {c}', '2', '220-'],
  lmtp: ['250 AUTH PLAIN {c}', '2', '220-'],
  sieve: ['"X" "{c}', '"', 'OK'],
};

/** What is no text, or hardly any. */
const oddBytes = [
  ['a line end', '\r\n'],
  ['a line feed', '\n'],
  ['a carriage return', '\r'],
  ['a blank', ' '],
  ['a NUL', '\0'],
  ['a byte of a handshake record', '\u0016'],
  ['the head of a handshake record', '\u0016\u0003\u0003\u0000\u0004'],
  ['an alert record', '\u0015\u0003\u0003\u0000\u0002\u0001\u0000'],
  ['an empty application record', '\u0017\u0003\u0003\u0000\u0000'],
  ['8000 bytes', 'x'.repeat(8000)],
  ['a million bytes', 'x'.repeat(1_000_000)],
];

const atOnce = 'injected-bytes';
/** Once the handshake began, they are bytes of a handshake that fails. */
const later = ['injected-bytes', 'tls-failed'];

function rowsOf(protocol) {
  return [
    ...lines[protocol].map(([name, said]) => ['C5 injection', name, { behind: said }, atOnce]),
    ...lines[protocol].map(([name, said]) => [
      'C7 later',
      `${name}, 50 ms later`,
      { later: { ms: 50, say: said } },
      later,
    ]),
    ...beginnings[protocol].map((said) => [
      'C6 part of a line',
      JSON.stringify(said),
      { behind: said },
      atOnce,
    ]),
    ...oddBytes.map(([name, said]) => ['C6 odd bytes', name, { behind: said }, atOnce]),
    ...oddBytes
      .slice(0, 9)
      .map(([name, said]) => [
        'C7 later',
        `${name}, at once but apart`,
        { later: { ms: 0, say: said } },
        later,
      ]),
    ['C7 later', 'a line end, 500 ms later', { later: { ms: 500, say: '\r\n' } }, later],
  ];
}

export const injectionScripts = protocols.flatMap((protocol) => prologueScripts(protocol, rowsOf(protocol)));
