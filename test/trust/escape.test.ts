import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeText } from '../../src/trust/escape.ts';

/** What moves a cursor or a reading direction, or is drawn as nothing. */
// oxlint-disable-next-line no-control-regex -- the controls are what must be gone
const moving = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\u061c]/;

describe('text from the wire on a terminal', () => {
  test.each([
    ['ESC and BEL of a terminal title', '\u001b]0;pwned\u0007', '\\x1b]0;pwned\\x07'],
    ['NUL', 'mail\0.evil', 'mail\\x00.evil'],
    ['line ends', 'a\r\nb', 'a\\x0d\\x0ab'],
    ['DEL and C1', '\u007f\u009b31m', '\\x7f\\x9b31m'],
    ['right-to-left override', 'a\u202egro', 'a\\u202egro'],
    ['isolates', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['zero-width and BOM', 'a\u200b\u200d\ufeff', 'a\\u200b\\u200d\\ufeff'],
    ['line separator', 'a\u2028b', 'a\\u2028b'],
    ['filler that is drawn as nothing', 'a\u3164', 'a\\u3164'],
    ['tag characters', '\u{e0041}', '\\u{e0041}'],
    ['a lone surrogate', '\ud800x', '\\ud800x'],
  ])('writes out %s', (_, text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  test('leaves letters of any script and emoji as they are', () => {
    const text = 'CN=Bücher, O=日本 "Ω" \\ 🦊';
    expect(escapeText(text)).toBe(text);
  });

  test(
    'leaves nothing that moves a cursor or a reading direction, and a second time changes nothing',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          const once = escapeText(text);
          expect(once).not.toMatch(moving);
          expect(escapeText(once)).toBe(once);
        }),
      );
    },
  );
});
