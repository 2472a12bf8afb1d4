// The frame of a certificate: what makes one, and what makes it none at all.

import { describe, expect, test } from 'vitest';
import { readFirst } from '../../src/trust/der.ts';
import { readExtensions, readFrame } from '../../src/trust/frame.ts';
import { cn, der, extension, forgeLeaf, octets, oid, sequence } from './forge.ts';

const integer = (...digits: readonly number[]): Buffer => der(0x02, Buffer.from(digits));
const version = (...digits: readonly number[]): Buffer => der(0xa0, integer(...digits));
const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
const other = sequence(oid('1.2.840.10045.4.1'));
const [serial, issuer, validity, subject, spki] = [
  integer(0x11),
  cn('issuer'),
  sequence(integer(1)),
  cn('subject'),
  sequence(integer(2)),
];
const fields = [serial, algorithm, issuer, validity, subject, spki];
const bits = der(0x03, Buffer.of(0));
const whole = (...tbs: readonly Buffer[]): Buffer => sequence(sequence(...tbs), other, bits);

describe('a frame', () => {
  test('is read field by field', () => {
    const frame = readFrame(whole(version(2), ...fields, der(0xa3, sequence(integer(3)))));
    const { signature, outerSignature, extensions } = frame;
    expect([frame.version, frame.serial]).toEqual([3, Buffer.of(0x11)]);
    const read = [signature, outerSignature, frame.issuer, frame.validity, frame.subject, frame.spki];
    expect([...read, extensions].map((one) => one?.whole)).toEqual([
      algorithm,
      other,
      issuer,
      validity,
      subject,
      spki,
      sequence(integer(3)),
    ]);
  });

  test.each([
    ['1', [], 1],
    ['1, written out', [version(0)], 1],
    ['2', [version(1)], 2],
    ['3', [version(2)], 3],
  ])('is of version %s', (_, before, number) => {
    expect(readFrame(whole(...before, ...fields))).toMatchObject({ version: number, extensions: null });
  });

  test('may have the unique identifiers of old', () => {
    const [one, two] = [der(0x81, Buffer.of(0, 1)), der(0x82, Buffer.of(0, 2))];
    for (const identifiers of [[one], [two], [one, two]])
      expect(readFrame(whole(version(1), ...fields, ...identifiers)).version).toBe(2);
  });
});

describe('no frame has', () => {
  test.each<[string, Buffer]>([
    ['version 4', whole(version(3), ...fields)],
    ['a version of two octets', whole(version(0, 2), ...fields)],
    ['a version of none', whole(version(), ...fields)],
    ['a version that is no number', whole(der(0xa0, octets(Buffer.of(2))), ...fields)],
    ['two versions', whole(der(0xa0, integer(2), integer(2)), ...fields)],
    ['a field missing', whole(version(2), ...fields.slice(1))],
    ['no key', whole(version(2), ...fields.slice(0, -1))],
    ['a field too many', whole(version(2), ...fields, integer(1))],
    ['two lists of extensions', whole(version(2), ...fields, der(0xa3, sequence(), sequence()))],
    ['extensions that are no list', whole(version(2), ...fields, der(0xa3, integer(1)))],
    ['no signature', sequence(sequence(version(2), ...fields), other)],
    ['something behind the signature', sequence(sequence(version(2), ...fields), other, bits, integer(1))],
    ['a signature that is no bit string', sequence(sequence(version(2), ...fields), other, integer(0))],
    ['something behind it', Buffer.concat([forgeLeaf().certificate, Buffer.of(0)])],
  ])('%s', (_, certificate) => {
    expect(() => readFrame(certificate)).toThrow();
  });

  test('a reason to refuse a sound one', () => {
    expect(readFrame(whole(version(2), ...fields)).version).toBe(3);
    expect(readFrame(forgeLeaf().certificate).version).toBe(3);
  });
});

const read = (...extensions: readonly Buffer[]) => readExtensions(readFirst(sequence(...extensions)).element);
const marked = (mark: Buffer): Buffer => sequence(oid('1.2.3'), mark, octets(Buffer.of(7)));

const many = (count: number) => Array.from({ length: count }, (_, at) => extension(`1.2.3.${at}`, bits));

describe('extensions', () => {
  test('are read in their order, each critical or not', () => {
    expect(
      read(
        extension('1.2.4', Buffer.of(8), true),
        extension('1.2.3', Buffer.of(7)),
        sequence(oid('1.2.5'), Buffer.of(1, 1, 0), octets(Buffer.of(9))),
      ),
    ).toEqual([
      { oid: '1.2.4', critical: true, value: Buffer.of(8) },
      { oid: '1.2.3', critical: false, value: Buffer.of(7) },
      { oid: '1.2.5', critical: false, value: Buffer.of(9) },
    ]);
    expect(readExtensions(null)).toEqual([]);
    expect(read()).toEqual([]);
  });

  test.each<[string, Buffer]>([
    ['a mark that is neither true nor false', marked(Buffer.of(1, 1, 1))],
    ['a mark that is no boolean', marked(integer(1))],
    ['something behind the value', sequence(oid('1.2.3'), octets(Buffer.of(7)), integer(1))],
    ['no value', sequence(oid('1.2.3'))],
  ])('are none with %s', (_, one) => {
    expect(() => read(one)).toThrow();
  });

  test('stand there once each, and are 256 at most', () => {
    expect(read(...many(256))).toHaveLength(256);
    expect(() => read(...many(257))).toThrow('too many');
    expect(() => read(...many(2), extension('1.2.3.1', Buffer.of(7)))).toThrow('twice');
  });
});
