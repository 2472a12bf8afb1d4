// What never ends, before TLS: one line, a million short ones, lists, bytes that drip. Memory and time of the proxy have
// limits of their own, whatever the server does.

import { inClear, pairs, script } from './script.mjs';

const starttls = pairs.filter(({ mode }) => mode === 'starttls');
const greets = { imap: '* OK ', pop3: '+OK ', smtp: '220-', lmtp: '220-', sieve: '"' };
const short = {
  imap: '* 1 EXISTS\r\n',
  pop3: 'X\r\n',
  smtp: '250-X\r\n',
  lmtp: '250-X\r\n',
  sieve: '"X" "y"\r\n',
};
const limit = 'not-this-protocol';

/** @returns {any[][]} */
const rowsOf = ({ protocol }) => {
  // Up to where the proxy has asked; of ManageSieve nothing is asked.
  const asked = protocol === 'sieve' ? [] : [inClear(protocol)[0], { hear: 'ask' }];
  const begun = protocol === 'pop3' ? [{ say: '+OK\r\n' }] : [];
  return [
    [
      'endless line',
      'as the greeting',
      [{ say: greets[protocol] }, { flood: 'x'.repeat(4096), bytes: 16_000_000 }],
      limit,
    ],
    [
      'endless line',
      'without a line end, of line ends of another kind',
      [{ flood: `${greets[protocol]}\r`, bytes: 4_000_000 }],
      limit,
    ],
    ['endless line', 'as the list', [...asked, { flood: 'x'.repeat(4096), bytes: 16_000_000 }], limit],
    [
      'endless line',
      'as the go-ahead',
      [...inClear(protocol).slice(0, -1), { flood: 'x'.repeat(4096), bytes: 16_000_000 }],
      ['starttls-refused', limit],
    ],
    [
      'million lines',
      'as the list',
      [...asked, ...begun, { flood: short[protocol], bytes: 1_000_000 * short[protocol].length }],
      limit,
    ],
    [
      'million lines',
      'before the go-ahead',
      [
        ...inClear(protocol).slice(0, -1),
        { flood: short[protocol], bytes: 1_000_000 * short[protocol].length },
      ],
      ['starttls-refused', limit],
    ],
    ['million lines', 'empty ones', [{ flood: '\r\n', bytes: 2_000_000 }], limit],
    [
      'slowloris',
      'one byte each 200 ms',
      [{ drip: `${greets[protocol]}x`.repeat(20), ms: 200 }],
      'timeout',
      { waits: ['greeting'] },
    ],
    [
      'slowloris',
      'one line each 300 ms',
      [...asked, ...begun, { drip: short[protocol], ms: 40 }],
      'timeout',
      { waits: ['greeting'] },
    ],
    [
      'slowloris',
      'every step in its last moment',
      inClear(protocol).flatMap((step) => (step.say === undefined ? [step] : [{ wait: 1100 }, step])),
      protocol === 'sieve' ? 'accept' : 'timeout',
      { waits: ['greeting'] },
    ],
  ];
};

export const floodScripts = starttls.flatMap((pair) =>
  rowsOf(pair).map(([kind, name, steps, ends, more = {}]) => {
    const goesOn =
      ends === 'accept'
        ? [{ tls: 'good' }, { say: '"X" "y"\r\nOK\r\n' }, { serve: true }]
        : [{ end: 'stay' }];
    return script({ kind, name, ...pair, steps: [...steps, ...goesOn], ends, ...more });
  }),
);
