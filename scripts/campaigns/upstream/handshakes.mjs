// Handshakes that no server should make: old versions, ciphers that protect nothing, resumption that nobody asked for, state
// machines led astray, flights cut off at any byte, bytes in clear in place of TLS, and connections that go at once.

import { rawAnswers, tooOld } from './raw-tls.mjs';
import { goodSteps, honest, inClear, pairs, script } from './script.mjs';

const first = ({ protocol, mode }) => (mode === 'starttls' ? inClear(protocol) : []);
const plainWords = ({ protocol }) => honest[protocol].greeting.map((line) => `${line}\r\n`).join('');

/** After these a client goes on waiting, as RFC 5246 section 7.4.1.1 and 7.2.2 have it. */
const leftWaiting = [
  'HelloRequest, ten thousand',
  'the alert: unknown name, as a warning',
  'the alert: a code that is none',
];

function rawEnds(name) {
  // A version of the future is one that is not spoken here, like one of the past.
  if (name === 'TLS 1.9') return { ends: ['tls-too-old', 'tls-failed'] };
  if (tooOld.includes(name)) return { ends: ['tls-too-old', 'tls-failed'] };
  if (leftWaiting.includes(name)) return { ends: ['timeout', 'tls-failed'], waits: ['handshake'] };
  return { ends: 'tls-failed' };
}

const kindOf = (name) => {
  if (/resumed/.test(name)) return 'resumption';
  if (/ALPN/.test(name)) return 'ALPN';
  if (/thousand|16 MB|longer/.test(name)) return 'flood in the handshake';
  if (/clear|plaintext|HTTP/.test(name)) return 'clear text for TLS';
  if (tooOld.includes(name) || /TLS 1\.|SSLv|cipher|compression/.test(name)) return 'old or weak TLS';
  return 'broken handshake';
};

/** Each answer, spoken to every protocol and mode. */
const raws = Object.keys(rawAnswers).flatMap((name) =>
  pairs.map((pair) =>
    script({
      kind: kindOf(name),
      name,
      ...pair,
      steps: [...first(pair), { raw: name }, { end: 'stay' }],
      ...rawEnds(name),
    }),
  ),
);

const weak = { minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' };
const real = [
  ['TLS 1.1 at most', { ...weak, maxVersion: 'TLSv1.1' }, 'tls-too-old'],
  ['TLS 1.0 at most', { ...weak, maxVersion: 'TLSv1' }, 'tls-too-old'],
  ['anonymous ciphers only', { maxVersion: 'TLSv1.2', ciphers: 'aNULL:@SECLEVEL=0' }, 'tls-failed'],
  ['ciphers without encryption only', { maxVersion: 'TLSv1.2', ciphers: 'eNULL:@SECLEVEL=0' }, 'tls-failed'],
  ['pre-shared keys only', { maxVersion: 'TLSv1.2', ciphers: 'PSK', psk: true }, 'tls-failed'],
];
const reals = real.flatMap(([name, options, ends]) =>
  pairs.map((pair) =>
    script({
      kind: 'old or weak TLS',
      name,
      ...pair,
      steps: [...first(pair), { tls: 'good', with: options }, { serve: true }],
      ends,
    }),
  ),
);

const friendly = [
  ['a flight in four hundred pieces', { pace: 'bytes' }],
  ['a flight of 200 bytes each 20 ms', { pace: 'slow' }],
  ['records of 512 bytes', { fragment: 512 }],
  ['protocols (ALPN) of its own', { with: { ALPNProtocols: ['h2', 'imap'] } }],
  ['TLS 1.2', { with: { maxVersion: 'TLSv1.2' } }],
  ['TLS 1.3', { with: { minVersion: 'TLSv1.3' } }],
  ['a session id for everybody', { with: { maxVersion: 'TLSv1.2', sessionIdContext: 'x' } }],
];
const friendlies = friendly.flatMap(([name, more]) =>
  pairs.map((pair) => {
    const steps = goodSteps(pair.protocol, pair.mode).map((step) =>
      step.tls === undefined ? step : { ...step, ...more },
    );
    return script({ kind: 'harmless', name, ...pair, steps, ends: 'accept' });
  }),
);

const places = [0, 1, 4, 5, 60, 127, 300, 600];
const endings = [
  { end: 'fin', ends: 'tls-failed', waits: [] },
  { end: 'rst', ends: 'tls-failed', waits: [], retried: true },
  { end: 'stay', ends: 'timeout', waits: ['handshake'] },
];
const cuts = places.flatMap((at) =>
  endings.flatMap(({ end, ...more }) =>
    pairs.map((pair) =>
      script({
        kind: 'truncation of the handshake',
        name: `${at} bytes, then ${end}`,
        ...pair,
        steps: [...first(pair), { cut: { at, end } }, { tls: 'good' }, { serve: true }],
        ...more,
      }),
    ),
  ),
);

const slow = pairs.map((pair) =>
  script({
    kind: 'slowloris',
    name: 'a handshake of one byte each 20 ms',
    ...pair,
    steps: [...first(pair), { tls: 'good', pace: 'drip' }, { serve: true }],
    ends: 'timeout',
    waits: ['handshake'],
  }),
);

/** Before a word, or in place of TLS. */
const gone = pairs.flatMap((pair) => {
  const silent =
    pair.mode === 'starttls'
      ? { ends: 'no-greeting', waits: ['greeting'] }
      : { ends: 'timeout', waits: ['handshake'] };
  const closed = pair.mode === 'starttls' ? 'no-greeting' : 'tls-failed';
  return [
    { name: 'a FIN at once', steps: [{ end: 'fin' }], ends: closed },
    { name: 'a reset at once', steps: [{ end: 'rst' }], ends: closed, retried: true },
    { name: 'silence', steps: [{ end: 'stay' }], ...silent },
  ].map((row) => script({ kind: 'gone', ...pair, ...row }));
});

/** The modes mixed up, by accident or by somebody in between. */
const mixed = pairs.flatMap((pair) =>
  pair.mode === 'implicit'
    ? [
        script({
          kind: 'modes mixed up',
          name: 'a STARTTLS port behind an implicit one',
          ...pair,
          steps: [{ say: plainWords(pair) }, { serve: true }],
          ends: 'tls-failed',
        }),
        script({
          kind: 'modes mixed up',
          name: 'a STARTTLS dialogue before the handshake',
          ...pair,
          steps: [...inClear(pair.protocol), { tls: 'good' }, { serve: true }],
          ends: 'tls-failed',
        }),
      ]
    : [
        script({
          kind: 'modes mixed up',
          name: 'an implicit port behind STARTTLS',
          ...pair,
          steps: [{ tls: 'good' }, { serve: true }],
          ends: 'no-greeting',
          waits: ['greeting'],
        }),
        script({
          kind: 'modes mixed up',
          name: 'an alert in place of a greeting',
          ...pair,
          steps: [{ say: '\u0015\u0003\u0003\u0000\u0002\u0002\u000a' }, { end: 'stay' }],
          ends: ['not-this-protocol', 'timeout'],
          waits: ['greeting'],
        }),
        script({
          kind: 'modes mixed up',
          name: 'clear text goes on after the go-ahead',
          ...pair,
          steps: [...inClear(pair.protocol), { hear: 'line' }, { serve: true }],
          ends: ['timeout', 'tls-failed'],
          waits: ['handshake'],
        }),
      ],
);

export const handshakeScripts = [...raws, ...reals, ...friendlies, ...cuts, ...slow, ...gone, ...mixed];
