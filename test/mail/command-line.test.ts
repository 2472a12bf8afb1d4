import { describe, expect, it } from 'vitest';
import { hasArgument, isTaggedWord, literalAt, wordAt } from '../../src/mail/command-line.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const longest = 'x'.repeat(64);

describe('a command line', () => {
  it.each([
    ['a1 NOOP', 'a1', 'NOOP'],
    ['a1 LOGIN bob secret', 'a1', 'LOGIN'],
    ['QUIT', 'QUIT', ''],
    ['', '', ''],
    [' NOOP', '', 'NOOP'],
    ['a1  NOOP', 'a1', ''],
    ['a1 ', 'a1', ''],
    [`${longest} ${longest}`, longest, longest],
    [`${longest}x ${longest}x`, '', ''],
    ['a1 NO\tOP', 'a1', ''],
    ['\xe41 NOOP', '', 'NOOP'],
  ])('%j has the words %j and %j', (line, first, second) => {
    expect(wordAt(bytes(line), 0)).toBe(first);
    expect(wordAt(bytes(line), 1)).toBe(second);
  });

  it.each([
    ['QUIT', false, false],
    ['QUIT ', true, true],
    [' QUIT', true, true],
    ['a1 NOOP', true, true],
    ['a1 NOOP ', true, false],
    [' a1 NOOP', true, false],
  ])('%j has something behind its first word: %s, one word: %s', (line, argument, one) => {
    expect(hasArgument(bytes(line))).toBe(argument);
    expect(isTaggedWord(bytes(line))).toBe(one);
  });

  it.each([
    ['a1 LOGIN {3}', { octets: 3, waits: true }],
    ['a1 LOGIN {3+}', { octets: 3, waits: false }],
    ['{0}', { octets: 0, waits: true }],
    ['a1 LOGIN {5} {12345678901}', { octets: 12_345_678_901, waits: true }],
    ['a1 LOGIN {3', null],
    ['a1 LOGIN {3x', null],
    ['a1 LOGIN 3}', null],
    ['a1 LOGIN {}', null],
    ['a1 LOGIN {-3}', null],
    ['a1 LOGIN {3-}', null],
    ['a1 LOGIN {3} ', null],
    ['', null],
  ])('%j announces the literal %j', (line, literal) => {
    expect(literalAt(bytes(line))).toEqual(literal);
  });
});
