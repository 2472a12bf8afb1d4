// Text off the wire made fit to print (src/trust/escape.ts), in the log, on a terminal and on the page: nothing that acts
// is left, nothing that shows itself is changed, twice is the same as once, and the page shows the same.

import { actingIn, demand, demandPlain, demandSame } from './engine/broken.mjs';

const everyOf = (start) =>
  Buffer.from(
    Array.from({ length: 0x1000 }, (_, at) => start + at)
      .filter((point) => point < 0xd800 || point > 0xdfff)
      .map((point) => String.fromCodePoint(point))
      .join(''),
  );

export const target = {
  name: 'escape',
  files: [
    'src/trust/escape',
    'src/ops/printable',
    'src/admin/dashboard/words/visible',
    'src/admin/dashboard/words/masked',
  ],
  dictionary: [
    '\x1b[31m',
    '\x1b]0;x\x07',
    '\x9b',
    '\x7f',
    '\r\n',
    '\\x1b',
    ...[
      '\u202e',
      '\u2066',
      '\u2067',
      '\u2068',
      '\u2069',
      '\u061c',
      '\u200e',
      '\u200f',
      '\u2028',
      '\ufeff',
      '\u00ad',
      '\u{e0041}',
      '\u{1f600}',
      '\u0600',
    ].map((text) => Buffer.from(text).toString('latin1')),
    'sha256//',
    'ab:'.repeat(32),
  ],
  longest: 4000,
  prepare: async (from) => {
    const { escapeText } = await from('src/trust/escape');
    const { printable } = await from('src/ops/printable');
    const { piecesOf } = await from('src/admin/dashboard/words/visible');
    const { cutAtKeys, withoutKeys } = await from('src/admin/dashboard/words/masked');
    const check = (text) => {
      const escaped = escapeText(text);
      demandPlain(escaped, 'an escaped text');
      demandSame(escapeText(escaped), escaped, 'escaped twice is escaped once');
      const shows = [...text].filter(
        (char) =>
          /[\p{L}\p{N}\p{P}\p{S}\p{Zs}]/u.test(char) &&
          actingIn(char) === null &&
          !/\p{Default_Ignorable_Code_Point}/u.test(char),
      );
      let at = 0;
      for (const char of shows) {
        at = escaped.indexOf(char, at);
        demand(at >= 0, 'what shows itself is kept', char);
        at += char.length;
      }
      demandSame(
        piecesOf(text)
          .map((piece) => piece.text)
          .join(''),
        escaped,
        'the page writes out the same',
      );
      const line = printable(text, 50);
      demandPlain(line, 'a line of the log');
      demand([...line].length <= 51 * 10, 'a line of the log is bounded', line.length);
      demandSame(
        cutAtKeys(text)
          .map((piece) => piece.text)
          .join(''),
        text,
        'cut at keys nothing is lost',
      );
      demand(
        !/sha256\/\/[A-Za-z0-9+/]{43}/i.test(withoutKeys(text).replaceAll('FINGERPRINT', ' ')),
        'no fingerprint is left',
        text,
      );
    };
    const run = (bytes) => {
      check(bytes.toString('utf8'));
      check(bytes.toString('latin1'));
      if (bytes.length % 2 === 0) check(bytes.toString('utf16le'));
    };
    // Every character there is, some thousand at a time.
    const pages = Array.from({ length: 0x11 }, (_, plane) => plane * 0x10000).flatMap((start) =>
      [0, 0x1000, 0x2000, 0xf000].map((from_) => start + from_),
    );
    return {
      seeds: [
        'plain',
        'a\x1b[31mb',
        ...pages.filter((start) => start < 0x20000 || start >= 0xe0000).map(everyOf),
      ],
      run,
    };
  },
};
