import { describe, expect, test } from 'vitest';
import {
  booleanOf,
  checkTree,
  elementsOf,
  Fields,
  oidOf,
  readFirst,
  readOnly,
  tags,
  timeOf,
} from '../../src/trust/der.ts';
import { der, octets, oid, sequence, text } from './forge.ts';

const nested = (levels: number): Buffer =>
  Array.from({ length: levels }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0));

const nulls = (count: number): Buffer => sequence(...Array.from({ length: count }, () => Buffer.of(5, 0)));

describe('only strict DER is read', () => {
  test.each([
    ['an indefinite length', '30800000', 'indefinite'],
    ['an indefinite length before 128 octets', `3080${'00'.repeat(128)}`, 'indefinite'],
    ['a length in two octets that fits in one', '30810100', 'not minimal'],
    ['a length with a leading zero', `3082008000${'00'.repeat(0x80)}`, 'not minimal'],
    ['a length of five octets', '30850000000001aa', 'too long'],
    ['an element longer than its place', '300501', 'longer than what holds it'],
    ['no length', '30', 'ends before its length'],
    ['a tag of several octets', '1f810100', 'not one that X.509 uses'],
    ['the tag of an end', '0000', 'not one that X.509 uses'],
    ['nothing', '', 'missing'],
  ])('not %s', (_, hex, why) => {
    expect(() => readFirst(Buffer.from(hex, 'hex'))).toThrow(why);
  });

  test('an element with what follows it, and only one where nothing may follow', () => {
    const two = Buffer.concat([octets(Buffer.of(7)), Buffer.of(5, 0)]);
    expect(readFirst(two)).toMatchObject({ rest: Buffer.of(5, 0) });
    expect(() => readOnly(two, 0x04)).toThrow('bytes follow');
    expect(() => readOnly(Buffer.concat([octets(Buffer.of(7)), Buffer.of(0)]), 0x04)).toThrow('bytes follow');
    expect(() => readOnly(octets(Buffer.of(7)), 0x30)).toThrow('tag 4 stands where 48 belongs');
    expect(readOnly(octets(Buffer.of(7)), 0x04).content).toEqual(Buffer.of(7));
  });

  test('lengths of every size', () => {
    for (const size of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 16_777_216]) {
      expect(readOnly(octets(Buffer.alloc(size)), 0x04).content).toHaveLength(size);
    }
  });
});

describe('a tree is gone through before others parse it', () => {
  test.each([
    ['one level too deep', nested(26)],
    ['too many elements', nulls(5000)],
    ['one element too many', nulls(4096)],
    ['too many elements at several places', sequence(nulls(2047), nulls(2047))],
    ['an element deep inside that is not minimal', sequence(sequence(Buffer.from('048100', 'hex')))],
    ['bytes behind it', Buffer.concat([sequence(), Buffer.of(0)])],
  ])('not %s', (_, bytes) => {
    expect(() => checkTree(bytes)).toThrow();
  });

  test('what is neither deep nor large passes', () => {
    expect(() => checkTree(nested(25))).not.toThrow();
    expect(() => checkTree(nulls(4095))).not.toThrow();
    expect(() => checkTree(sequence(nulls(2047), nulls(2046)))).not.toThrow();
  });
});

test.each([
  ['2.5.29.17', '0603551d11'],
  ['1.2.840.113549.1.1.11', '06092a864886f70d01010b'],
  ['2.999.3', '0603883703'],
  ['0.9.2342', '0603099226'],
  ['2.5.16384', '060455818000'],
  [`0.1${'.1'.repeat(63)}`, der(0x06, Buffer.alloc(64, 1)).toString('hex')],
])('the object identifier %s', (dotted, hex) => {
  expect(oidOf(readOnly(Buffer.from(hex, 'hex'), 0x06))).toBe(dotted);
});

test.each([
  ['empty', '0600'],
  ['cut within an arc', '06025581'],
  ['with an arc that is not minimal', '0603558011'],
  ['cut within an arc at a zero', '0603558180'],
  ['of 65 octets', der(0x06, Buffer.alloc(65, 1)).toString('hex')],
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
  [0x17, '230229000000Z', 'no such day'],
  [0x17, '240229000000', 'not a time'],
  [0x17, '2402290000Z', 'not a time'],
  [0x17, '240229000000+0100', 'not a time'],
  [0x17, '240229240000Z', 'no such day or hour'],
  [0x17, '241301000000Z', 'no such day'],
  [0x18, '20240229000000.5Z', 'not a time'],
  [0x18, '240229000000Z', 'not a time'],
  [0x04, '240229000000Z', 'not a time'],
])('no time is %i %s', (tag, written, why) => {
  expect(() => timeOf(readFirst(text(tag, written)).element)).toThrow(why);
});

test.each([
  ['0101ff', true],
  ['010100', false],
])('a boolean in DER is %s', (hex, value) => {
  expect(booleanOf(readFirst(Buffer.from(hex, 'hex')).element)).toBe(value);
});

test.each(['010101', '0102ffff', '01020000', '0100'])('no boolean is %s', (hex) => {
  expect(() => booleanOf(readFirst(Buffer.from(hex, 'hex')).element)).toThrow('not a boolean');
});

describe('the fields of a sequence', () => {
  const two = readFirst(sequence(oid('1.2.3'), octets(Buffer.of(7)))).element;

  test('are taken one after the other, each if it is what is asked for', () => {
    const fields = new Fields(two);
    expect(fields.takeIf(tags.octetString)).toBeNull();
    expect(fields.takeIf(tags.oid)?.whole).toEqual(oid('1.2.3'));
    expect(() => fields.take(tags.oid)).toThrow('a field is missing');
    expect(() => fields.end()).toThrow('a field too many');
    expect(fields.take(tags.oid, tags.octetString).content).toEqual(Buffer.of(7));
    expect(() => fields.end()).not.toThrow();
    expect(() => fields.take(tags.octetString)).toThrow('a field is missing');
    expect(fields.any()).toBeNull();
  });

  test('are taken whatever they are, where anything may stand', () => {
    const fields = new Fields(two);
    expect([fields.any()?.tag, fields.any()?.tag, fields.any()]).toEqual([tags.oid, tags.octetString, null]);
  });

  test('are those of the very tag', () => {
    expect(() => new Fields(two, tags.set)).toThrow('tag 48 stands where 49 belongs');
    expect(() => new Fields(readFirst(octets(Buffer.alloc(0))).element)).toThrow('tag 4 stands where 48');
  });
});

test('a primitive element holds no others, and no more than the bound are read', () => {
  expect(() => elementsOf(readFirst(octets(oid('1.2.3'))).element)).toThrow('primitive');
  const three = readFirst(sequence(oid('1.2.3'), oid('1.2.4'), oid('1.2.5'))).element;
  expect(elementsOf(three, 3)).toHaveLength(3);
  expect(() => elementsOf(three, 2)).toThrow('too many');
});
