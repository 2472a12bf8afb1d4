// Other ways to a server and other ways to be told: several addresses, proxies on the way, clients that come again at once or
// many at a time, other styles of refusal. Everything is verified as on the plain way, and by the same code.

import { goodSteps, honest, inClear, pairs, script } from './script.mjs';

const imaps = { protocol: 'imap', mode: 'implicit' };
const implicit = pairs.filter(({ mode }) => mode === 'implicit');
const good = ({ protocol, mode }, changes) => goodSteps(protocol, mode, changes);

/** No refusal is got around by asking another server. `second` counts the connections to the good one behind it. */
const failover = pairs.flatMap((pair) => {
  const after = { ...pair, kind: 'failover', needs: 'route', after: 'none' };
  const beforeTls = [
    script({
      ...after,
      name: 'a wrong certificate, a good server behind',
      steps: good(pair, { identity: 'stranger' }),
      route: { trust: 'ca', addresses: ['here', 'second'] },
      ends: 'ca-invalid',
      second: 0,
    }),
    script({
      ...after,
      name: 'an end, a good server behind',
      steps: [{ end: 'fin' }],
      route: { addresses: ['here', 'second'] },
      ends: pair.mode === 'starttls' ? 'no-greeting' : 'tls-failed',
      second: 0,
    }),
    script({
      ...after,
      name: 'nobody, a hostile server behind',
      steps: good(pair, { identity: 'stranger' }),
      route: { trust: 'ca', addresses: ['nobody', 'here'] },
      ends: 'ca-invalid',
    }),
    script({
      ...after,
      name: 'nobody, a good server behind',
      steps: good(pair),
      route: { addresses: ['nobody', 'here'] },
      ends: 'accept',
      kind: 'harmless',
    }),
  ];
  const stripped = script({
    ...after,
    name: 'STARTTLS refused, a good server behind',
    steps: [...inClear(pair.protocol, { go: ['{2} NO', '-ERR', '554 no', 'NO'] }), { serve: true }],
    route: { addresses: ['here', 'second'] },
    ends: ['starttls-refused', 'not-this-protocol'],
    second: 0,
  });
  return pair.mode === 'starttls' ? [...beforeTls, stripped] : beforeTls;
});

const socksOpen = [{ hear: 'socks hello' }, { hex: '0500' }, { hear: 'socks request' }];
const granted = '05000001000000000000';
/** @type {any[][]} */
const socks = [
  ['a good one', [...socksOpen, { hex: granted }, ...good(imaps)], 'accept'],
  [
    'a bound name of 255 bytes',
    [...socksOpen, { hex: `05000003ff${'61'.repeat(255)}0000` }, ...good(imaps)],
    'accept',
  ],
  ['no way to log in', [{ hear: 'socks hello' }, { hex: '05ff' }, { end: 'stay' }], 'dial'],
  ['a login that was not offered', [{ hear: 'socks hello' }, { hex: '0502' }, { end: 'stay' }], 'dial'],
  ['version 4', [{ hear: 'socks hello' }, { hex: '0400' }, { end: 'stay' }], 'dial'],
  ['words in clear', [{ say: '* OK {c}\r\n' }, { end: 'stay' }], 'dial'],
  ['not allowed', [...socksOpen, { hex: '05020001000000000000' }, { end: 'stay' }], 'dial'],
  ['a reply without a meaning', [...socksOpen, { hex: '05770001000000000000' }, { end: 'stay' }], 'dial'],
  [
    'a kind of address there is not',
    [...socksOpen, { hex: '05000009000000000000' }, { end: 'stay' }],
    'dial',
  ],
  [
    'the server unreachable',
    [...socksOpen, { hex: '05040001000000000000' }, { end: 'stay' }],
    'dial',
    { dials: 3 },
  ],
  ['a reply cut off', [...socksOpen, { hex: '050000' }, { end: 'fin' }], 'dial', { dials: 3 }],
  ['silence', [{ end: 'stay' }], 'timeout', { waits: ['dial'] }],
  [
    'a reply never finished',
    [...socksOpen, { hex: '05000003ff61' }, { end: 'stay' }],
    'timeout',
    { waits: ['dial'] },
  ],
  [
    'bytes of its own behind the reply',
    [...socksOpen, { hex: `${granted}${Buffer.from('* OK ').toString('hex')}` }, ...good(imaps)],
    ['injected-bytes', 'tls-failed'],
  ],
  [
    'a certificate of its own',
    [...socksOpen, { hex: granted }, ...good(imaps, { identity: 'foreign' })],
    'ca-invalid',
    { trust: 'ca' },
  ],
];
const opened = [{ hear: 'http head' }];
/** @type {any[][]} */
const http = [
  ['a good one', [...opened, { say: 'HTTP/1.1 200 OK\r\nX: {c}\r\n\r\n' }, ...good(imaps)], 'accept'],
  [
    'an interim answer first',
    [...opened, { say: 'HTTP/1.1 100 Wait\r\n\r\nHTTP/1.1 200 OK\r\n\r\n' }, ...good(imaps)],
    'accept',
  ],
  [
    '407 with a page',
    [...opened, { say: 'HTTP/1.1 407 {c}\r\nContent-Length: 4\r\n\r\n{c}' }, { end: 'stay' }],
    'dial',
  ],
  ['302', [...opened, { say: 'HTTP/1.1 302 {c}\r\nLocation: http://{c}/\r\n\r\n' }, { end: 'stay' }], 'dial'],
  ['101', [...opened, { say: 'HTTP/1.1 101 {c}\r\n\r\n' }, { end: 'stay' }], 'dial'],
  [
    '502 with escape sequences',
    [...opened, { say: 'HTTP/1.1 502 \u001b[31m{c}\r\n\r\n' }, { end: 'stay' }],
    'dial',
    { dials: 3 },
  ],
  ['words in clear', [...opened, { say: '* OK {c}\r\n' }, { end: 'stay' }], 'dial'],
  ['bare line feeds', [...opened, { say: 'HTTP/1.1 200 OK\n\n' }, { end: 'stay' }], 'dial'],
  ['a status that is none', [...opened, { say: 'HTTP/1.1 2000 OK\r\n\r\n' }, { end: 'stay' }], 'dial'],
  [
    'a head that never ends',
    [...opened, { say: 'HTTP/1.1 200 OK\r\n' }, { flood: 'X: {c}\r\n', bytes: 100_000 }],
    'dial',
  ],
  [
    'interim answers that never end',
    [...opened, { flood: 'HTTP/1.1 100 {c}\r\n\r\n', bytes: 100_000 }],
    'dial',
  ],
  [
    'a head of one byte each 200 ms',
    [...opened, { drip: 'HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyy\r\n', ms: 200 }],
    'timeout',
    { waits: ['dial'] },
  ],
  [
    'a page behind 200',
    [...opened, { say: 'HTTP/1.1 200 OK\r\n\r\n<html>{c}' }, ...good(imaps)],
    ['injected-bytes', 'tls-failed'],
  ],
  [
    'a certificate of its own',
    [...opened, { say: 'HTTP/1.1 200 OK\r\n\r\n' }, ...good(imaps, { identity: 'foreign' })],
    'ca-invalid',
    { trust: 'ca' },
  ],
];
const via = Object.entries({ socks5: socks, http }).flatMap(([kind, rows]) =>
  rows.map(([name, steps, ends, { trust, ...more } = {}]) =>
    script({
      kind: 'proxy on the way',
      name: `${kind}: ${name}`,
      ...imaps,
      steps,
      ends,
      needs: 'route',
      after: 'none',
      route: { via: kind, ...(trust && { trust }) },
      ...more,
    }),
  ),
);

/** The second client hears the same, and nobody dials for it. */
const held = pairs
  // A client of IMAP hears BYE too late for that.
  .filter(({ protocol }) => protocol !== 'imap')
  .map((pair) =>
    script({
      kind: 'refusal hold',
      name: 'a client that comes again at once',
      ...pair,
      steps: good(pair, { identity: 'stranger' }),
      route: { trust: 'ca' },
      ends: 'ca-invalid',
      again: 2,
      needs: 'route',
    }),
  );

/** Two keys, ten clients at once and no record: one key is learnt, the clients of the other are refused. */
const crowds = pairs.map((pair) =>
  script({
    kind: 'race of first uses',
    name: 'two keys and ten clients',
    ...pair,
    steps: good(pair, { identity: 'stranger or foreign' }),
    route: { trust: 'tofu' },
    ends: ['accept', 'pin-mismatch'],
    crowd: 10,
    dials: 10,
    needs: 'route',
    after: 'none',
  }),
);

/** IMAP clients that only show the answer to a login are handed one: it stays here. SMTP clients told to give up for good. */
const styles = [
  ...[
    { ends: 'ca-invalid', steps: good(imaps, { identity: 'stranger' }), mode: 'implicit' },
    {
      ends: 'starttls-refused',
      steps: [...inClear('imap', { go: ['{2} NO {c}'] }), { serve: true }],
      mode: 'starttls',
    },
  ].map((row) =>
    script({
      kind: 'refusal at the login',
      name: row.ends,
      protocol: 'imap',
      ...row,
      route: { trust: 'ca', refusal: 'login' },
      needs: 'route',
    }),
  ),
  ...pairs
    .filter(({ protocol }) => protocol === 'smtp' || protocol === 'lmtp')
    .map((pair) =>
      script({
        kind: 'refusal with 554',
        name: 'self-signed',
        ...pair,
        steps: good(pair, { identity: 'stranger' }),
        route: { trust: 'ca', refusalCode: 554 },
        ends: 'ca-invalid',
        needs: 'route',
      }),
    ),
];

/** A verified server that says more than its client takes: it has to wait. */
const stalled = implicit.map((pair) =>
  script({
    kind: 'back-pressure',
    name: '64 MB for a client that does not read',
    ...pair,
    steps: [...good(pair).slice(0, -1), { hear: 'line' }, { flood: 'x'.repeat(65_536), bytes: 64_000_000 }],
    ends: ['accept', 'relay', 'client'],
    client: 'stalled',
  }),
);

/** A server's second thoughts about STARTTLS inside TLS are taken out of its lists; what else it says is its word. */
const insideAgain = pairs
  .filter(({ protocol }) => protocol === 'imap')
  .map((pair) =>
    script({
      kind: 'harmless',
      name: 'STARTTLS offered inside TLS',
      ...pair,
      steps: good(pair, { inside: [honest.imap.inside[0].replace('AUTH=PLAIN', 'STARTTLS AUTH=PLAIN')] }),
      ends: 'accept',
      filtered: true,
    }),
  );

export const wayScripts = [...failover, ...via, ...held, ...crowds, ...styles, ...stalled, ...insideAgain];
