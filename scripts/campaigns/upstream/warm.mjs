// Connections made ahead of a client (`warm`), filled by servers that think better of it: that greet and then say goodbye, end,
// speak, show another key, or never greet. A client gets one that is good, as if it were new, or a new one: never what a
// server said while nobody listened, and never a key that was not judged for this client.

import { goodSteps, greetsInside, honest, inClear, pairs, script } from './script.mjs';

const greeting = ({ protocol }) => honest[protocol].inside.map((line) => line.replace('{c}', '{p}'));
const secured = ({ protocol, mode }, identity = 'good', more = {}) => [
  ...(mode === 'starttls' ? inClear(protocol) : []),
  { tls: identity, ...more },
];
/** Long enough for a connection that was greeted to be kept. */
const settle = { wait: 100 };
const greets = (pair, ...more) =>
  greetsInside(pair.protocol, pair.mode) ? [{ say: greeting(pair) }, ...more] : more;
const kept = (pair, options) => [...secured(pair, 'good', options), ...greets(pair), settle];

const goodbye = {
  imap: '* BYE {p}\r\n',
  pop3: '-ERR {p}\r\n',
  smtp: '421 {p}\r\n',
  lmtp: '421 {p}\r\n',
  sieve: 'BYE "{p}"\r\n',
};
const injected = {
  imap: '* OK [CAPABILITY IMAP4rev1] {p}\r\na1 OK {p}\r\n',
  pop3: '+OK {p}\r\n+OK {p}\r\n',
  smtp: '250 {p}\r\n235 {p}\r\n',
  lmtp: '250 {p}\r\n235 {p}\r\n',
  sieve: 'OK "{p}"\r\n',
};

const stands = [{ stand: true }, { serve: true }];
/** @returns {[string, any[], object?][]} */
const rowsOf = (pair) => [
  ['a good one', [...kept(pair), ...stands], { keeps: 'yes' }],
  [
    'a good one of TLS 1.2',
    [...kept(pair, { with: { maxVersion: 'TLSv1.2' } }), ...stands],
    { keeps: 'yes' },
  ],
  ['says goodbye while it waits', [...kept(pair), { say: goodbye[pair.protocol] }, settle, ...stands]],
  ['says goodbye, and ends', [...kept(pair), { say: goodbye[pair.protocol] }, { end: 'notify' }, ...stands]],
  [
    'says goodbye as a client comes',
    [...kept(pair), { stand: true }, { say: goodbye[pair.protocol] }, { serve: true }],
  ],
  ['ends as a client comes', [...kept(pair), { stand: true }, { end: 'notify' }]],
  ['a FIN as a client comes', [...kept(pair), { stand: true }, { end: 'fin' }]],
  ['a reset as a client comes', [...kept(pair), { stand: true }, { end: 'rst' }]],
  ['says answers while it waits', [...kept(pair), { say: injected[pair.protocol] }, settle, ...stands]],
  [
    'says answers as a client comes',
    [...kept(pair), { stand: true }, { say: injected[pair.protocol] }, { serve: true }],
  ],
  ['says one byte', [...kept(pair), { say: '*' }, settle, ...stands]],
  ['says a megabyte', [...kept(pair), { flood: 'x{p}'.repeat(200), bytes: 1_000_000 }, ...stands]],
  ['one byte each 20 ms', [...kept(pair), { drip: 'x', ms: 20 }]],
  ['words in clear', [...kept(pair), { clear: injected[pair.protocol] }, settle, ...stands]],
  ['ends while it waits', [...kept(pair), { end: 'notify' }]],
  ['a FIN while it waits', [...kept(pair), { end: 'fin' }]],
  ['a reset while it waits', [...kept(pair), { end: 'rst' }]],
  [
    'another handshake asked for (TLS 1.2)',
    [...kept(pair, { with: { maxVersion: 'TLSv1.2' } }), { renegotiate: true }, ...stands],
    { keeps: 'either' },
  ],
  ['another key, self-signed', [...secured(pair, 'stranger'), ...greets(pair), settle, ...stands]],
  ['another key, of a trusted CA', [...secured(pair, 'other'), ...greets(pair), settle, ...stands]],
  [
    'the right key ahead, another to the next but one',
    [...kept(pair), ...stands],
    {
      steps: goodSteps(pair.protocol, pair.mode, { identity: 'stranger' }),
      // Who has to dial meets the other key.
      each: [['accept', 'pin-mismatch'], ['pin-mismatch']],
      ends: ['accept', 'pin-mismatch'],
      keeps: 'either',
      again: 1,
    },
  ],
  [
    'the right key ahead and goodbye, then another key',
    [...kept(pair), { stand: true }, { say: goodbye[pair.protocol] }, { serve: true }],
    { steps: goodSteps(pair.protocol, pair.mode, { identity: 'stranger' }), ends: 'pin-mismatch' },
  ],
  [
    'another key ahead, and then',
    [...secured(pair, 'stranger'), ...greets(pair), settle, ...stands],
    { steps: goodSteps(pair.protocol, pair.mode, { identity: 'stranger' }), ends: 'pin-mismatch' },
  ],
  [
    'two good ones, for five clients at once',
    [...kept(pair), ...stands],
    { route: { trust: 'tofu', warm: 2 }, crowd: 5, keeps: 'either' },
  ],
  ['in clear in place of a handshake', [{ say: injected[pair.protocol] }, { end: 'fin' }]],
  [
    'a handshake that never comes',
    [...(pair.mode === 'starttls' ? inClear(pair.protocol) : []), ...stands],
    { lingers: true },
  ],
  ...(greetsInside(pair.protocol, pair.mode) ? greetingRows(pair) : []),
];

/** Only where something is said inside TLS before a client speaks. */
const greetingRows = (pair) => [
  [
    'says more than its greeting',
    [...secured(pair), { say: `${lines(pair)}${injected[pair.protocol]}` }, settle, ...stands],
  ],
  [
    'says more than its greeting, without an end',
    [...secured(pair), { say: `${lines(pair)}*` }, settle, ...stands],
  ],
  ['greets with a no', [...secured(pair), { say: goodbye[pair.protocol] }, settle, ...stands]],
  ['greets in another protocol', [...secured(pair), { say: 'HTTP/1.1 400 {p}\r\n\r\n' }, settle, ...stands]],
  ['never greets', [...secured(pair), ...stands], { lingers: true }],
  [
    'half a greeting',
    [...secured(pair), { say: lines(pair).slice(0, 9) }, settle, ...stands],
    { lingers: true },
  ],
  [
    'half a greeting, the rest as a client comes',
    [
      ...secured(pair),
      { say: lines(pair).slice(0, 9) },
      { stand: true },
      { say: lines(pair).slice(9) },
      { serve: true },
    ],
    { keeps: 'either' },
  ],
];
const lines = (pair) =>
  greeting(pair)
    .map((line) => `${line}\r\n`)
    .join('');

export const warmScripts = pairs.flatMap((pair) =>
  rowsOf(pair).map(([name, fills, more = {}]) =>
    script({
      kind: 'made ahead of a client',
      name,
      ...pair,
      fills,
      keeps: 'no',
      steps: goodSteps(pair.protocol, pair.mode),
      ends: 'accept',
      learns: true,
      route: { trust: 'tofu', warm: 1 },
      needs: 'route',
      ...more,
    }),
  ),
);
