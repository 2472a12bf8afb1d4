// What a server says inside TLS that a proxy must not take for its protocol: no greeting at all (Opossum, 2025), that of
// another service (ALPACA, 2021), half of one, endless ones. The certificate is good: it is the greeting that proves the
// protocol. ManageSieve has one inside STARTTLS, too.

import { goodSteps, greetsInside, honest, inClear, pairs, script } from './script.mjs';

const told = pairs.filter(({ protocol, mode }) => greetsInside(protocol, mode));
/** Of ManageSieve after STARTTLS, where no configuration names it. */
const limitOf = ({ protocol, mode }) =>
  protocol === 'sieve' && mode === 'starttls' ? 'sieveProof' : 'greeting';

const speaking = ({ protocol, mode }, ...steps) => [
  ...(mode === 'starttls' ? inClear(protocol) : []),
  { tls: 'good' },
  ...steps,
];

const silentEnds = { ends: 'no-greeting' };
const silences = (pair) => [
  ['no greeting: it waits for a command', [{ serve: true }], { ...silentEnds, waits: [limitOf(pair)] }],
  ['no greeting: it closes', [{ end: 'notify' }], silentEnds],
  ['no greeting: a FIN without a word', [{ end: 'fin' }], silentEnds],
  ['no greeting: a reset', [{ end: 'rst' }], silentEnds],
];
/** Greetings that never end, sent until the connection goes. */
const endless = {
  imap: '* OK x',
  pop3: '+OK x',
  smtp: '220-x\r\n',
  sieve: '"X" "y"\r\n',
};
const beginnings = {
  imap: '* OK {c}',
  pop3: '+OK {c}',
  smtp: '220-{c}\r\n220',
  sieve: '"IMPLEMENTATION" "{c}"\r\n"SA',
};

const halves = (pair) => {
  const half = { say: beginnings[pair.protocol] };
  return [
    ['half a greeting, then silence', [half, { end: 'stay' }], { ...silentEnds, waits: [limitOf(pair)] }],
    ['half a greeting, then a FIN', [half, { end: 'fin' }], silentEnds],
    ['half a greeting, then an end', [half, { end: 'notify' }], silentEnds],
    ['half a greeting, then a reset', [half, { wait: 30 }, { end: 'rst' }], silentEnds],
    [
      'a greeting of one byte each 200 ms',
      [{ drip: beginnings[pair.protocol], ms: 200 }],
      { ends: ['no-greeting', 'not-this-protocol'], waits: [limitOf(pair)] },
    ],
    [
      'a greeting without end',
      [{ flood: endless[pair.protocol], bytes: 4_000_000 }],
      { ends: 'not-this-protocol' },
    ],
    [
      'a line without end',
      [{ say: beginnings[pair.protocol] }, { flood: 'x'.repeat(1000), bytes: 4_000_000 }],
      { ends: 'not-this-protocol' },
    ],
    [
      'a NUL within the greeting',
      [{ say: `${beginnings[pair.protocol]}\0\r\n` }],
      { ends: 'not-this-protocol' },
    ],
    [
      'bytes of a handshake inside',
      [{ say: '\u0016\u0003\u0001\u0000\u0005{c}' }],
      { ends: 'not-this-protocol' },
    ],
  ];
};

/** First words of services that share a certificate with a mail server. */
const strangers = {
  imap: ['* OK {c} IMAP4rev1 ready'],
  pop3: ['+OK {c} POP3 ready'],
  smtp: ['220 {c} ESMTP ready'],
  sieve: ['"IMPLEMENTATION" "{c}"', '"SASL" "PLAIN"', 'OK'],
  http: ['HTTP/1.1 400 Bad Request', 'Content-Type: text/html', '', '<script>{c}</script>'],
  'http/2': '\u0000\u0000\u0006\u0004\u0000\u0000\u0000\u0000\u0000\u0000\u0003\u0000\u0000\u0000\u0064{c}',
  ssh: ['SSH-2.0-OpenSSH_9.2 {c}'],
  nntp: ['200 {c} InterNetNews ready'],
  irc: [':{c} NOTICE * :*** Looking up your hostname'],
  rfb: 'RFB 003.008\n{c}',
  mysql: '\u004a\u0000\u0000\u0000\u000a8.0.36\u0000{c}',
  'ldap answer': '0\u0084\u0000\u0000\u0000\u0010{c}',
  xmpp: "<?xml version='1.0'?><stream:stream id='{c}'>",
};
/** An FTP server greets as an SMTP server does, and an answer to a command may as well: what is 220 is taken for one. */
const greetsAs = { lmtp: 'smtp' };

const crossed = (pair) =>
  Object.entries(strangers)
    .filter(([name]) => name !== (greetsAs[pair.protocol] ?? pair.protocol))
    .map(([name, said]) => [
      `the first words of ${name}`,
      [{ say: said }, { serve: true }],
      { ends: 'not-this-protocol' },
    ]);

const answers = {
  imap: [
    ['a tagged answer in place of a greeting', ['a1 OK {c}']],
    ['mail in place of a greeting', ['* 1 FETCH (BODY[] "{c}")']],
  ],
  pop3: [['a list in place of a greeting', ['STLS', '.']]],
  smtp: [
    ['250 in place of a greeting', ['250 {c}']],
    ['235 in place of a greeting', ['235 {c}']],
    ['334 in place of a greeting', ['334 {c}']],
  ],
  sieve: [['a line without quotes in place of a greeting', ['STARTTLS {c}']]],
};

const scriptsOf = (kind, of) =>
  told.flatMap((pair) =>
    of(pair).map(([name, steps, more]) =>
      script({ kind, name, ...pair, steps: speaking(pair, ...steps), ...more }),
    ),
  );

/** Greetings that say no are the server's word once its key is known: they are passed on. */
const negatives = { imap: ['* BYE {c}'], pop3: ['-ERR {c}'], smtp: ['554 {c}'], sieve: ['BYE "{c}"'] };

/** An answer at once, before a word of the client: as Opossum's server, that was spoken to in clear already. */
const early = (pair) =>
  (answers[pair.protocol] ?? []).map(([name, said]) => [
    name,
    [{ say: said }, { serve: true }],
    { ends: 'not-this-protocol' },
  ]);

/** What goes wrong after the verdict and the greeting is carried as it comes, and nothing is added to it. */
const halfMail = {
  imap: '* 1 FETCH (BODY[] {{1000}\r\n{c}',
  pop3: '+OK\r\n{c} half a mail',
  smtp: '250-{c}',
  lmtp: '250-{c}',
  sieve: '{{1000}\r\n{c}',
};
const inTls12 = (step) => (step.tls === undefined ? step : { ...step, with: { maxVersion: 'TLSv1.2' } });
const cutOff = ({ protocol, mode }) => {
  const upTo = goodSteps(protocol, mode).slice(0, -1);
  const login = [{ hear: 'line' }, { say: halfMail[protocol] }, { wait: 30 }];
  return [
    ['half an answer, then a reset', [...upTo, ...login, { end: 'rst' }]],
    ['half an answer, then a FIN', [...upTo, ...login, { end: 'fin' }]],
    ['half an answer, then an end', [...upTo, ...login, { end: 'notify' }]],
    [
      'half an answer, then bytes in clear',
      [...upTo, ...login, { clear: '* OK in clear {c}\r\n' }, { end: 'stay' }],
    ],
    [
      'half an answer, then an alert in clear',
      [...upTo, ...login, { clear: '\u0015\u0003\u0003\u0000\u0002\u0001\u0000' }, { end: 'stay' }],
    ],
    [
      'another handshake asked for (TLS 1.2)',
      [...upTo.map(inTls12), { hear: 'line' }, { renegotiate: true }, { serve: true }],
    ],
  ].map(([name, steps]) =>
    script({ kind: 'after the verdict', name, protocol, mode, steps, ends: ['accept', 'relay'] }),
  );
};

/** Bytes that get in between the records of a handshake that is over, before the greeting. */
const between = (pair) => [
  [
    'text in clear before the greeting',
    [{ clear: `${honest[pair.protocol].inside.map((line) => `${line}\r\n`).join('')}` }, { end: 'stay' }],
    silentEnds,
  ],
  [
    'an application record of nonsense',
    [{ clear: '\u0017\u0003\u0003\u0000\u0020{c}0123456789abcdef' }, { end: 'stay' }],
    silentEnds,
  ],
  ['a plain alert', [{ clear: '\u0015\u0003\u0003\u0000\u0002\u0002\u0028' }, { end: 'stay' }], silentEnds],
];

export const insideScripts = [
  ...scriptsOf('Opossum', silences),
  ...scriptsOf('truncation inside TLS', halves),
  ...scriptsOf('ALPACA', crossed),
  ...scriptsOf('Opossum', early),
  ...scriptsOf('records in between', between),
  ...told.map((pair) =>
    script({
      kind: 'negative greeting',
      name: 'passed on once the key is known',
      ...pair,
      steps: speaking(pair, { say: negatives[pair.protocol] }, { end: 'notify' }),
      ends: 'accept',
    }),
  ),
  ...told.map((pair) =>
    script({
      kind: 'negative greeting',
      name: 'no first use on it',
      ...pair,
      steps: speaking(pair, { say: negatives[pair.protocol] }, { end: 'notify' }),
      route: { trust: 'tofu' },
      ends: 'no-greeting',
      needs: 'route',
    }),
  ),
  ...pairs.flatMap(cutOff),
];
