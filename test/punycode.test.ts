import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePunycode, encodePunycode } from '../src/punycode.ts';

/** RFC 3492 section 7.1, and one that ends in letters of ASCII. */
const samples: readonly (readonly [label: string, encoded: string])[] = [
  ['ليهمابتكلموشعربي؟', 'egbpdaj6bu4bxfgehfvwxn'],
  ['他们为什么不说中文', 'ihqwcrb4cv8a8dqg056pqjye'],
  ['למההםפשוטלאמדבריםעברית', '4dbcagdahymbxekheh6e0a7fei0b'],
  ['почемужеонинеговорятпорусски', 'b1abfaaepdrnnbgefbadotcwatmq2g4l'],
  ['3年b組金八先生', '3b-ww4c5e180e575a65lsy2b'],
  ['安室奈美恵-with-super-monkeys', '-with-super-monkeys-pc58ag80a8qai00g7n9n'],
  ['bücher', 'bcher-kva'],
];

describe('punycode', () => {
  it.each(samples)('%s is %s', (label, encoded) => {
    expect(encodePunycode(label)).toBe(encoded);
    expect(decodePunycode(encoded)).toBe(label);
  });

  it.each(['a_', 'b\u00fc', '9', 'zzzzzzzzzzzzzz', '99999a', 'bcher-kvA'])(
    '%j stands for nothing',
    (text) => {
      expect(decodePunycode(text)).toBeNull();
    },
  );

  it('gives back every label that is not all ASCII', () => {
    const label = fc.string({ unit: 'binary' }).filter((text) => /\P{ASCII}/u.test(text));
    fc.assert(
      fc.property(label, (text) => {
        expect(encodePunycode(text)).toMatch(/^\p{ASCII}*$/u);
        expect(decodePunycode(encodePunycode(text))).toBe(text);
      }),
    );
  });

  it('reads anything without throwing, and what it reads has one canonical spelling', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9-]{0,20}$/), (text) => {
        const label = decodePunycode(text);
        if (label === null || /^\p{ASCII}*$/u.test(label)) return;
        expect(decodePunycode(encodePunycode(label))).toBe(label);
      }),
      { numRuns: 2000 },
    );
  });
});
