import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greetingLimits, GreetingReader, type GreetingVerdict } from '../../src/mail/greeting.ts';
import { localGreeting } from '../../src/mail/local-greeting.ts';
import { schemes } from '../../src/mail/protocol.ts';
import { anyCut, byteByByte, crlf, latin1, whole, type Cut } from './transcript.ts';

type Protocol = ConstructorParameters<typeof GreetingReader>[0];

function read(
  protocol: Protocol,
  { text, cut }: { readonly text: string; readonly cut: Cut },
): GreetingVerdict | 'open' {
  const reader = new GreetingReader(protocol);
  let verdict: GreetingVerdict | 'open' = 'open';
  for (const chunk of cut(Buffer.from(text, 'latin1'))) {
    const state = reader.feed(chunk);
    if (verdict !== 'open') expect(state).toEqual({ state: 'done', verdict });
    verdict = state.state === 'done' ? state.verdict : 'open';
  }
  expect(latin1(reader.bytes)).toBe(text);
  return verdict;
}

const block = crlf(
  '"IMPLEMENTATION" "Dovecot Pigeonhole"',
  '"SIEVE" "fileinto reject"',
  '"SASL" "PLAIN LOGIN"',
  '"VERSION" "1.0"',
);
const alert = '\x15\x03\x03\0\x02\x02\x28';

const rows: readonly (readonly [Protocol, GreetingVerdict | 'open', string])[] = [
  ['imap', 'positive', '* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n'],
  ['imap', 'positive', '* ok\r\n'],
  ['imap', 'positive', '* OK hi\n'],
  ['imap', 'positive', '* OK hi\r\n* OK [ALERT] more\r\n'],
  ['imap', 'preauth', '* PREAUTH hi\r\n'],
  ['imap', 'negative', '* BYE [ALERT] no\r\n'],
  ['imap', 'not-this-protocol', '* NO hi\r\n'],
  ['imap', 'not-this-protocol', '* OKAY\r\n'],
  ['imap', 'not-this-protocol', '* \r\n'],
  ['imap', 'not-this-protocol', 'a1 OK hi\r\n'],
  ['imap', 'not-this-protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['imap', 'not-this-protocol', 'S'],
  ['imap', 'not-this-protocol', 'S* OK'],
  ['imap', 'not-this-protocol', alert],
  ['imap', 'not-this-protocol', '* OK h\0i\r\n'],
  ['imap', 'not-this-protocol', `* OK ${'x'.repeat(greetingLimits.lineBytes)}`],
  ['imap', 'open', '* OK hi'],
  ['imap', 'open', ''],
  ['pop3', 'positive', '+OK <1.2@mail>\r\n'],
  ['pop3', 'negative', '-ERR [SYS/TEMP] no\r\n'],
  ['pop3', 'not-this-protocol', '+ OK\r\n'],
  ['pop3', 'not-this-protocol', '* OK hi\r\n'],
  ['pop3', 'open', '+OK'],
  ['smtp', 'positive', '220 mail ESMTP\r\n'],
  ['smtp', 'positive', '220-mail\r\n220-no spam\r\n220 please\r\n'],
  ['smtp', 'open', '220-mail\r\n220-no spam\r\n'],
  ['smtp', 'negative', '421 busy\r\n'],
  ['smtp', 'negative', '220-mail\r\n554 no\r\n'],
  ['smtp', 'not-this-protocol', '220-mail\r\n250 x\r\n'],
  ['smtp', 'not-this-protocol', '250 mail\r\n'],
  ['smtp', 'not-this-protocol', '354 go\r\n'],
  ['smtp', 'not-this-protocol', 'HTTP/1.1 400 Bad Request\r\n'],
  ['smtp', 'not-this-protocol', '220mail\r\n'],
  ['smtp', 'not-this-protocol', '220-x\r\n'.repeat(600)],
  ['smtp', 'not-this-protocol', `220-${'x'.repeat(8000)}\r\n`.repeat(9)],
  ['lmtp', 'positive', '220 mail LMTP\r\n'],
  ['lmtp', 'not-this-protocol', '+OK\r\n'],
  ['sieve', 'positive', `${block}OK "ready"\r\n`],
  ['sieve', 'positive', `${block}OK {5}\r\nready\r\n`],
  ['sieve', 'positive', '"IMPLEMENTATION" {4}\r\na\0\r\n\r\nOK\r\n'],
  ['sieve', 'open', block],
  ['sieve', 'open', `${block}OK {5}\r\nready`],
  ['sieve', 'negative', 'BYE (TRYLATER) "no"\r\n'],
  ['sieve', 'negative', `${block}NO "no"\r\n`],
  ['sieve', 'not-this-protocol', `${block}SASL\r\nOK\r\n`],
  ['sieve', 'not-this-protocol', '220 mail\r\n'],
];

describe('a greeting over TLS', () => {
  for (const [protocol, verdict, text] of rows) {
    it(`${protocol}: ${JSON.stringify(text.slice(0, 60))} is ${verdict}, whole and byte by byte`, () => {
      expect(read(protocol, { text, cut: whole })).toBe(verdict);
      expect(read(protocol, { text, cut: byteByByte })).toBe(verdict);
    });
  }

  it('reads the same however it is cut', () => {
    const short = rows.filter(([, , text]) => text.length < 1000);
    fc.assert(
      fc.property(fc.constantFrom(...short), anyCut, ([protocol, verdict, text], cut) => {
        expect(read(protocol, { text, cut })).toBe(verdict);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps what comes behind it, and its verdict', () => {
    const reader = new GreetingReader('imap');
    expect(reader.feed(Buffer.from('* OK hi\r\n* CAP'))).toEqual({ state: 'done', verdict: 'positive' });
    expect(latin1(reader.left)).toBe('* CAP');
    expect(reader.feed(Buffer.from('ABILITY\r\n\0'))).toEqual({ state: 'done', verdict: 'positive' });
    expect(latin1(reader.left)).toBe('* CAPABILITY\r\n\0');
    expect(latin1(reader.bytes)).toBe('* OK hi\r\n* CAPABILITY\r\n\0');
  });

  it('has nothing behind it where it is none', () => {
    const reader = new GreetingReader('imap');
    reader.feed(Buffer.from('* OK h\0i\r\n* CAPABILITY\r\n'));
    expect(latin1(reader.left)).toBe('');
  });

  it('has a verdict for any noise of a kilobyte and a line end', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Protocol>('imap', 'pop3'),
        fc.uint8Array({ maxLength: 1024 }),
        (protocol, noise) => {
          const reader = new GreetingReader(protocol);
          reader.feed(noise);
          expect(reader.feed(Buffer.from('\n')).state).toBe('done');
        },
      ),
    );
  });
});

describe('our own greeting', () => {
  it('is one positive line that offers and challenges nothing', () => {
    for (const { protocol } of schemes) {
      const greeting = latin1(localGreeting(protocol));
      if (protocol === 'sieve' || protocol === 'tls') expect(greeting).toBe('');
      else expect(read(protocol, { text: greeting, cut: whole })).toBe('positive');
      expect(greeting).toMatch(/^(?:[^\r\n<>[\]]+\r\n)?$/);
    }
  });
});
