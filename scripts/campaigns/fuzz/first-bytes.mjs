// What a connection begins with (src/mail/first-bytes.ts): the verdict is the same whether the bytes come at once or one
// by one, is there at the limit, and never takes for mail what a browser writes. And what a server's last words are
// (src/mail/goodbye.ts): told from an answer, as a plain look tells it.

import { demand } from './engine/broken.mjs';
import { latin1 } from './engine/talks.mjs';

const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve', 'tls'];
const verbs = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'];

/** As a browser begins: a known verb with a path or URL behind it, or any method with the version at the end of the line. */
function isBrowsers(text) {
  const [line] = text.split('\n', 1);
  const words = line
    .trimEnd()
    .split(' ')
    .filter((word) => word !== '');
  const [verb = '', place = '', version = ''] = words;
  if (line.startsWith(' ')) return false;
  if (
    verbs.includes(verb) &&
    line[verb.length] === ' ' &&
    (place.startsWith('/') || place.startsWith('http://') || place.startsWith('https://'))
  )
    return true;
  return words.length === 3 && /^[A-Z]+$/.test(verb) && /^HTTP\/\d\.\d$/.test(version);
}

/** A tag, and LOGOUT alone behind it. */
function asksToLeave(asked) {
  const [tag, ...others] = asked.trimEnd().split(' ');
  return tag !== '' && !/\s/.test(tag) && others.join(' ').toUpperCase() === 'LOGOUT';
}

const isBye = {
  imap: (line, asked) =>
    line.slice(0, 5).toUpperCase() === '* BYE' && !/^\w$/.test(line[5] ?? '') && !asksToLeave(asked),
  smtp: (line) => line.startsWith('421') && !/^\w$/.test(line[3] ?? ''),
  sieve: (line) => line.slice(0, 3).toUpperCase() === 'BYE' && !/^\w$/.test(line[3] ?? ''),
};

export const target = {
  name: 'first-bytes',
  files: ['src/mail/first-bytes', 'src/mail/goodbye'],
  dictionary: [
    'GET / HTTP/1.1\r\n',
    'POST ',
    'PUT ',
    ' HTTP/1.1',
    'http://',
    'https://',
    '\x16\x03\x01',
    '\x80\x2e\x01\x03',
    '\r\n',
    'a LOGIN x y',
    'EHLO x',
    'GETSCRIPT "x"',
    '* BYE ',
    '421 ',
    'BYE ',
    'a LOGOUT\r\n',
    '\xff',
  ],
  longest: 6000,
  prepare: async (from) => {
    const { firstBytesLimit, recogniseFirstBytes } = await from('src/mail/first-bytes');
    const { isGoodbye, goodbyeFor } = await from('src/mail/goodbye');
    const run = (bytes) => {
      const protocol = protocols[(bytes[0] ?? 0) % protocols.length];
      const said = bytes.subarray(1);
      const whole = recogniseFirstBytes(said, protocol);
      let first = 'undecided';
      // Every beginning of the first few hundred bytes, then some.
      for (let length = 0; length <= said.length && first === 'undecided'; length += length < 300 ? 1 : 97)
        first = recogniseFirstBytes(said.subarray(0, length), protocol);
      demand(
        first === whole || (first === 'undecided' && said.length > 300),
        'the verdict does not depend on pieces',
        `${first}, then ${whole}`,
      );
      demand(
        whole !== 'undecided' || said.length < firstBytesLimit,
        'at the limit there is a verdict',
        said.length,
      );
      const text = latin1(said);
      const begins = text.slice(0, firstBytesLimit);
      if (protocol !== 'tls' && whole === 'mail')
        demand(!isBrowsers(begins), 'what a browser writes is no mail', begins.slice(0, 100));
      if (protocol !== 'tls' && said[0] === 0x16 && said[1] === 3)
        demand(whole === 'tls', 'a handshake is one');
      const [line, asked = ''] = text.split('\x01');
      const bye = isGoodbye(protocol, {
        said: Buffer.from(line, 'latin1'),
        asked: Buffer.from(asked, 'latin1'),
      });
      const look = isBye[protocol === 'lmtp' ? 'smtp' : protocol];
      if (bye)
        demand(
          look?.(line, asked) === true,
          'last words look like last words',
          JSON.stringify([line, asked]),
        );
      demand(
        goodbyeFor(protocol) === null || goodbyeFor(protocol).endsWith('\r\n'),
        'what a client says that leaves is a line',
      );
    };
    const seeds = [
      '\0GET / HTTP/1.1\r\nHost: x\r\n',
      '\0a1 LOGIN x y\r\n',
      '\x02EHLO x\r\n',
      '\x04GETSCRIPT "x"\r\n',
      '\0\x16\x03\x01\x02',
      '\0\x80\x2e\x01\x03\x01',
      '\x05GET / HTTP/1.1\r\n',
      '\0GET LOGIN\r\n',
      '\0* BYE idle\r\n\x01a NOOP\r\n',
      '\x02421 4.4.2 idle\r\n\x01NOOP\r\n',
      '\x04BYE "x"\r\n\x01NOOP',
      `\0POST /${'x'.repeat(4200)}`,
    ];
    return { seeds, run };
  },
};
