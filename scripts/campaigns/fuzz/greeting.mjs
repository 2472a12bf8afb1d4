// A server's first words over TLS (src/mail/greeting.ts): read the same in whatever pieces, nothing of them lost, and
// positive only where a plain look at the first line says so. Two greetings offer the same or not, without an error.

import { demand, demandSame } from './engine/broken.mjs';
import { latin1, playedAnyHow } from './engine/talks.mjs';

const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'];

const looksPositive = {
  imap: (line) =>
    ['* OK', '* ok'].some(() => line.slice(0, 4).toUpperCase() === '* OK') &&
    [undefined, ' '].includes(line[4]),
  pop3: (line) => line.startsWith('+OK') && [undefined, ' '].includes(line[3]),
  smtp: (line) => line.startsWith('220'),
  sieve: (line) => line[0] === '"' || line[0] === '{' || line.slice(0, 2).toUpperCase() === 'OK',
};

export const target = {
  name: 'greeting',
  files: ['talk', 'greeting', 'imap', 'pop3', 'smtp', 'sieve', 'greeting-offer'].map(
    (file) => `src/mail/${file}`,
  ),
  dictionary: [
    '\r\n',
    '\n',
    '* OK ',
    '* BYE ',
    '* PREAUTH ',
    '+OK <1.2@x>',
    '-ERR ',
    '220-',
    '220 ',
    '554 ',
    '"SASL" "PLAIN"',
    'OK "x"',
    '{3}',
    '[CAPABILITY IMAP4rev1]',
    'ESMTP',
    '\0',
  ],
  longest: 70_000,
  prepare: async (from) => {
    const { GreetingReader } = await from('src/mail/greeting');
    const { sameOffer } = await from('src/mail/greeting-offer');
    await Promise.all(target.files.map(from));
    const read = (protocol, pieces) => {
      const reader = new GreetingReader(protocol);
      let state = { state: 'open' };
      for (const piece of pieces) {
        const before = state;
        state = reader.feed(piece);
        demand(before.state === 'open' || before.verdict === state.verdict, 'a verdict on a greeting stays');
      }
      const verdict = state.state === 'done' ? state.verdict : 'open';
      const isRead = verdict !== 'open' && verdict !== 'not-this-protocol';
      return { verdict, bytes: latin1(reader.bytes), left: isRead ? latin1(reader.left) : '' };
    };
    const run = (bytes) => {
      const protocol = protocols[(bytes[0] ?? 0) % protocols.length];
      const said = bytes.subarray(1);
      const { verdict, bytes: kept, left } = playedAnyHow(said, (pieces) => read(protocol, pieces));
      demandSame(kept, latin1(said), 'all that was said is kept');
      demand(kept.endsWith(left), 'what is left is the end of what was said', left);
      demand(verdict !== 'open' || said.length <= 65_536, 'what goes on is within the limits', said.length);
      const [line = ''] = latin1(said).split(/\r?\n/, 1);
      if (verdict === 'positive')
        demand(
          looksPositive[protocol === 'lmtp' ? 'smtp' : protocol](line),
          'a positive greeting looks like one',
          line,
        );
      demand(sameOffer(protocol, said, said), 'a greeting offers what it offers');
      sameOffer(protocol, said.subarray(0, said.length >> 1), said.subarray(said.length >> 1));
    };
    const seeds = [
      '\0* OK [CAPABILITY IMAP4rev1] hi\r\n* 1 EXISTS\r\n',
      '\0* PREAUTH hi\r\n',
      '\x01+OK <1.2@x> hi\r\n',
      '\x01-ERR no\r\n',
      '\x02220-a\r\n220 b ESMTP\r\n250 x',
      '\x02554 no\r\n',
      '\x03220 b\n',
      '\x04"SASL" "PLAIN"\r\n"X" {3}\r\nabc\r\nOK "x"\r\nmore',
      '\x04BYE "x"\r\n',
    ];
    return { seeds, run };
  },
};
