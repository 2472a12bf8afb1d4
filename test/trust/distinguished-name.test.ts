// Names of issuers and subjects: as people read them, and as they are compared.

import { describe, expect, test } from 'vitest';
import { DerError, readFirst } from '../../src/trust/der.ts';
import { readName } from '../../src/trust/distinguished-name.ts';
import { cn, der, name, oid, sequence, text } from './forge.ts';

const [common, organization, unknown] = ['2.5.4.3', '2.5.4.10', '1.2.3'];
const read = (bytes: Buffer) => readName(readFirst(bytes).element);
const attribute = (type: string, value: Buffer): Buffer => sequence(oid(type), value);
const set = (...attributes: readonly Buffer[]): Buffer => der(0x31, ...attributes);
const wide = (tag: number, digits: string): Buffer =>
  sequence(set(attribute(common, der(tag, Buffer.from(digits, 'hex')))));
const [bmp, universal] = [0x1e, 0x1c];

describe('a name', () => {
  test('is written with the most specific part first', () => {
    expect(read(name(['2.5.4.6', 'DE'], [organization, 'Example'], [common, 'mail.example.org']))).toEqual({
      text: 'CN=mail.example.org, O=Example, C=DE',
      key: '["2.5.4.6","=de"],["2.5.4.10","=example"],["2.5.4.3","=mail.example.org"]',
      parts: ['["2.5.4.6","=de"]', '["2.5.4.10","=example"]', '["2.5.4.3","=mail.example.org"]'],
      attributes: [
        { type: 'C', value: 'DE' },
        { type: 'O', value: 'Example' },
        { type: 'CN', value: 'mail.example.org' },
      ],
      commonNames: ['mail.example.org'],
    });
  });

  test('of several attributes in one part is the same in any order', () => {
    const [one, two] = [
      attribute(organization, text(0x0c, 'Example')),
      attribute(common, text(0x0c, 'mail')),
    ];
    const [first, second] = [read(sequence(set(one, two))), read(sequence(set(two, one)))];
    expect(first.text).toBe('O=Example+CN=mail');
    expect(first.parts).toEqual(['["2.5.4.10","=example"]+["2.5.4.3","=mail"]']);
    expect(second.key).toBe(first.key);
    expect(first.commonNames).toEqual(['mail']);
  });

  test('that is not text, or of a type nobody knows, is shown as it stands', () => {
    const found = read(
      sequence(set(attribute(unknown, text(0x0c, 'x'))), set(attribute(common, text(0x02, '*')))),
    );
    expect(found).toEqual({
      text: 'CN=#02012a, 1.2.3=x',
      key: '["1.2.3","=x"],["2.5.4.3","#02012a"]',
      parts: ['["1.2.3","=x"]', '["2.5.4.3","#02012a"]'],
      attributes: [{ type: '1.2.3', value: 'x' }],
      commonNames: [],
    });
  });

  test.each([
    ['another letter case', 'MAIL Example', true],
    ['more spaces', ' mail \t  example ', true],
    ['no space', 'mailexample', false],
    ['another letter beyond ASCII', 'mail ex\u00e4mple', false],
  ])('in %s is the same or not', (_, written, same) => {
    expect(read(cn(written)).key === read(cn('mail example')).key).toBe(same);
  });

  test('keeps the letter case beyond ASCII, and is no text where it looks like a value that is none', () => {
    expect(read(cn('\u00c4')).key).not.toBe(read(cn('\u00e4')).key);
    expect(read(cn('#02012a')).key).not.toBe(read(sequence(set(attribute(common, text(0x02, '*'))))).key);
  });

  test.each([
    ['UTF-8', cn('b\u00fc', 0x0c)],
    ['Latin', wide(0x14, '62fc')],
    ['two octets each', wide(bmp, '006200fc')],
    ['four octets each', wide(universal, '00000062000000fc')],
  ])('is the same in every string type: %s', (_, bytes) => {
    expect(read(bytes).commonNames).toEqual(['b\u00fc']);
  });

  test.each([0x13, 0x16, 0x1a])('in ASCII is read as well: type %i', (tag) => {
    expect(read(cn('mail', tag)).commonNames).toEqual(['mail']);
  });

  test('reaches to the last character there is', () => {
    expect(read(wide(universal, '0010ffff')).commonNames).toEqual(['\u{10ffff}']);
    expect(read(wide(bmp, 'ffff')).commonNames).toEqual(['\uffff']);
    expect(read(wide(bmp, '')).commonNames).toEqual(['']);
  });

  test.each([
    ['comma', 'a,b', 'CN=a\\,b'],
    ['space at both ends', ' a b ', 'CN=\\ a b\\ '],
    ['number sign in front', '#a#', 'CN=\\#a#'],
  ])('has its %s escaped', (_, written, shown) => {
    expect(read(cn(written)).text).toBe(shown);
  });
});

describe('no name is', () => {
  const one = attribute(common, text(0x0c, 'x'));
  test.each<[string, Buffer]>([
    ['a set', set(one)],
    ['a set of parts', der(0x31, set(one))],
    ['a part that is no set', sequence(sequence(one))],
    ['a part without attributes', sequence(set())],
    ['an attribute without a value', sequence(set(sequence(oid(common))))],
    ['an attribute with two', sequence(set(sequence(oid(common), text(0x0c, 'x'), text(0x0c, 'y'))))],
    ['one cut within a character of two octets', wide(bmp, '006200')],
    ['one cut within a character of four octets', wide(universal, '000000620000')],
    ['one of a character there is not', wide(universal, '00110000')],
    ['one of 257 parts', sequence(...Array.from({ length: 257 }, () => set(one)))],
    ['a part of 65 attributes', sequence(set(...Array.from({ length: 65 }, () => one)))],
  ])('%s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(DerError);
  });

  test('refused for 256 parts, a part of 64 attributes, or for none', () => {
    expect(read(sequence(...Array.from({ length: 256 }, () => set(one)))).parts).toHaveLength(256);
    expect(read(sequence(set(...Array.from({ length: 64 }, () => one)))).commonNames).toHaveLength(64);
    expect(read(sequence())).toEqual({ text: '', key: '', parts: [], attributes: [], commonNames: [] });
  });
});
