import { describe, expect, test } from 'vitest';
import { checkTree, elementsOf, oidOf, readFirst, readOnly, timeOf } from '../../src/trust/der.ts';
import { der, octets, oid, sequence, text } from './forge.ts';

const nested = (levels: number): Buffer =>
  Array.from({ length: levels }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0));

describe('only strict DER is read', () => {
  test.each([
    ['an indefinite length', '30800000'],
    ['a length in two octets that fits in one', '30810100'],
    ['a length with a leading zero', `3082008000${'00'.repeat(0x80)}`],
    ['a length of five octets', '30850000000001aa'],
    ['an element longer than its place', '300501'],
    ['no length', '30'],
    ['a tag of several octets', '1f810100'],
    ['the tag of an end', '0000'],
    ['nothing', ''],
  ])('not %s', (_, hex) => {
    expect(() => readFirst(Buffer.from(hex, 'hex'))).toThrow();
  });

  test('an element with what follows it, and only one where nothing may follow', () => {
    const two = Buffer.concat([octets(Buffer.of(7)), Buffer.of(5, 0)]);
    expect(readFirst(two)).toMatchObject({ rest: Buffer.of(5, 0) });
    expect(() => readOnly(two, 0x04)).toThrow('bytes follow');
    expect(() => readOnly(octets(Buffer.of(7)), 0x30)).toThrow('tag 4 stands where 48 belongs');
    expect(readOnly(octets(Buffer.of(7)), 0x04).content).toEqual(Buffer.of(7));
  });

  test('lengths of every size', () => {
    for (const size of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      expect(readOnly(octets(Buffer.alloc(size)), 0x04).content).toHaveLength(size);
    }
  });
});

describe('a tree is gone through before others parse it', () => {
  test.each([
    ['one level too deep', nested(26)],
    ['too many elements', sequence(...Array.from({ length: 5000 }, () => Buffer.of(5, 0)))],
    ['an element deep inside that is not minimal', sequence(sequence(Buffer.from('048100', 'hex')))],
    ['bytes behind it', Buffer.concat([sequence(), Buffer.of(0)])],
  ])('not %s', (_, bytes) => {
    expect(() => checkTree(bytes)).toThrow();
  });

  test('what is neither deep nor large passes', () => {
    expect(() => checkTree(nested(25))).not.toThrow();
    expect(() => checkTree(sequence(...Array.from({ length: 4000 }, () => Buffer.of(5, 0))))).not.toThrow();
  });
});

test.each([
  ['2.5.29.17', '0603551d11'],
  ['1.2.840.113549.1.1.11', '06092a864886f70d01010b'],
  ['2.999.3', '0603883703'],
  ['0.9.2342', '0603099226'],
])('the object identifier %s', (dotted, hex) => {
  expect(oidOf(readOnly(Buffer.from(hex, 'hex'), 0x06))).toBe(dotted);
});

test.each([
  ['empty', '0600'],
  ['cut within an arc', '06025581'],
  ['with an arc that is not minimal', '0603558011'],
  ['of a kilobyte', der(0x06, Buffer.alloc(1024, 1)).toString('hex')],
])('no object identifier is %s', (_, hex) => {
  expect(() => oidOf(readOnly(Buffer.from(hex, 'hex'), 0x06))).toThrow(/object identifier|minimal/);
});

test.each([
  [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  [0x18, '00010101000000Z', '0001-01-01T00:00:00.000Z'],
  [0x18, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  [0x17, '240229000000Z', '2024-02-29T00:00:00.000Z'],
])('the time %i %s', (tag, written, iso) => {
  expect(new Date(timeOf(readFirst(text(tag, written)).element)).toISOString()).toBe(iso);
});

test.each([
  [0x17, '230229000000Z'],
  [0x17, '240229000000'],
  [0x17, '2402290000Z'],
  [0x17, '240229000000+0100'],
  [0x17, '240229240000Z'],
  [0x17, '241301000000Z'],
  [0x18, '20240229000000.5Z'],
  [0x18, '240229000000Z'],
  [0x04, '240229000000Z'],
])('no time is %i %s', (tag, written) => {
  expect(() => timeOf(readFirst(text(tag, written)).element)).toThrow();
});

test('a primitive element holds no others, and no more than the bound are read', () => {
  expect(() => elementsOf(readFirst(octets(oid('1.2.3'))).element)).toThrow('primitive');
  const three = readFirst(sequence(oid('1.2.3'), oid('1.2.4'), oid('1.2.5'))).element;
  expect(elementsOf(three, 3)).toHaveLength(3);
  expect(() => elementsOf(three, 2)).toThrow('too many');
});
