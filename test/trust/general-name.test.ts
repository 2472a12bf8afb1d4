// The names of a certificate as they were signed: what is read, and what leaves the list unsound.

import { describe, expect, test } from 'vitest';
import { readFirst } from '../../src/trust/der.ts';
import { directoryNames, type GeneralName, readGeneralNames } from '../../src/trust/general-name.ts';
import { cn, der, directory, dns, email, ip, oid, sequence, srv, text, uri } from './forge.ts';

const srvName = '1.3.6.1.5.5.7.8.7';
const mailbox = '1.3.6.1.5.5.7.8.9';
const otherName = (...parts: readonly Buffer[]): Buffer => der(0xa0, ...parts);
const explicit = (...parts: readonly Buffer[]): Buffer => der(0xa0, ...parts);
const read = (...names: readonly Buffer[]) => readGeneralNames(sequence(...names));
const documented6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

describe('a name is read as', () => {
  test.each<[string, Buffer, GeneralName]>([
    ['DNS', dns('mail.example.org'), { type: 'dns', value: 'mail.example.org' }],
    ['DNS from space to tilde', dns(' ~'), { type: 'dns', value: ' ~' }],
    ['nothing at all', dns(''), { type: 'dns', value: '' }],
    ['e-mail', email('a@example.org'), { type: 'email', value: 'a@example.org' }],
    ['URI', uri('https://example.org'), { type: 'uri', value: 'https://example.org' }],
    ['IPv4', ip(192, 0, 2, 1), { type: 'ip', value: '192.0.2.1' }],
    ['IPv6', ip(...documented6), { type: 'ip', value: '2001:db8::1' }],
    ['SRV', srv('_imaps.example.org'), { type: 'srv', value: '_imaps.example.org' }],
    [
      'e-mail in UTF-8',
      otherName(oid(mailbox), explicit(text(0x0c, 'b\u00fc@example.org'))),
      { type: 'email', value: 'b\u00fc@example.org' },
    ],
    [
      'one of a kind nobody knows',
      otherName(oid('1.2.3'), explicit(text(0x0c, 'x'))),
      { type: 'other', value: '1.2.3 #0c0178' },
    ],
    ['an X.400 address', der(0xa3, Buffer.of(5, 0)), { type: 'other', value: '[3] #0500' }],
    ['a directory name', der(0xa4, Buffer.of(5, 0)), { type: 'other', value: '[4] #0500' }],
    ['an EDI party', der(0xa5, Buffer.of(5, 0)), { type: 'other', value: '[5] #0500' }],
    ['a registered identifier', der(0x88, Buffer.of(42)), { type: 'other', value: '[8] #2a' }],
  ])('%s', (_, name, value) => {
    expect(read(name)).toEqual({ names: [value], sound: true });
  });
});

describe('unsound beside a good one is', () => {
  const good = dns('mail.example.org');
  test.each<[string, Buffer]>([
    ['a control', dns('mail\u001f.example.org')],
    ['a DEL', dns('mail\u007f.example.org')],
    ['a letter beyond ASCII', dns('m\u00e4il.example.org')],
    ['a control in a URI', uri('https://example.org\n')],
    ['a control in an e-mail address', email('a\0@example.org')],
    ['a control in an SRV-ID', srv('_imaps.example.org\r')],
    ['an address of 3 octets', ip(192, 0, 2)],
    ['an address of 5 octets', ip(192, 0, 2, 1, 0)],
    ['an address of 15 octets', ip(...documented6.slice(1))],
    ['an address of 17 octets', ip(...documented6, 0)],
    ['a kind that there is not', der(0x83, Buffer.from('mail.example.org'))],
    ['another kind that there is not', der(0x89, Buffer.from('mail.example.org'))],
    ['an otherName without anything', otherName()],
    ['an otherName without a value', otherName(oid(srvName))],
    ['an otherName whose value is not marked', otherName(oid(srvName), text(0x16, '_imaps.example.org'))],
    ['an otherName with two values', otherName(oid('1.2.3'), explicit(Buffer.of(5, 0)), explicit())],
    ['an otherName with three values', otherName(oid('1.2.3'), explicit(), explicit(), explicit())],
    ['an SRV-ID in another string type', otherName(oid(srvName), explicit(text(0x0c, '_imaps.example.org')))],
    ['an e-mail address in another string type', otherName(oid(mailbox), explicit(text(0x16, 'a@b')))],
  ])('%s', (_, bad) => {
    expect(read(good, bad)).toEqual({ names: [{ type: 'dns', value: 'mail.example.org' }], sound: false });
    expect(read(bad)).toEqual({ names: [], sound: false });
  });

  test('none, where there is no other', () => {
    expect(read()).toEqual({ names: [], sound: false });
  });
});

const many = (count: number) => Array.from({ length: count }, () => dns('a'));

test('ten thousand names are read, and not one more', () => {
  expect(read(...many(10_000)).sound).toBe(true);
  expect(() => read(...many(10_001))).toThrow('too many');
});

const among = (...names: readonly Buffer[]) => directoryNames(readFirst(der(0xa1, ...names)).element);

describe('directory names among others', () => {
  test('are those alone, each a sequence', () => {
    expect(among(dns('a'), directory(cn('A')), directory(cn('B'))).map(({ whole }) => whole)).toEqual([
      cn('A'),
      cn('B'),
    ]);
    expect(() => among(directory(dns('a')))).toThrow('stands where 48 belongs');
  });

  test('are 64 at most', () => {
    expect(among(...Array.from({ length: 64 }, () => directory(cn('A'))))).toHaveLength(64);
    expect(() => among(...Array.from({ length: 65 }, () => dns('a')))).toThrow('too many');
  });
});
