// What is read out of each extension, and that whatever is not what RFC 5280 says leaves the whole unsound.

import { describe, expect, test } from 'vitest';
import { readFirst } from '../../src/trust/der.ts';
import { type Extensions, noExtensions, readExtensionValues } from '../../src/trust/extensions.ts';
import { readExtensions } from '../../src/trust/frame.ts';
import {
  authorityIssuer,
  authorityKey,
  basicConstraints,
  cn,
  der,
  dns,
  extendedKeyUsage,
  extension,
  ip,
  issuerSource,
  keyUsage,
  nameConstraints,
  oid,
  san,
  sequence,
  serverAuth,
  subjectKey,
  uri,
} from './forge.ts';

const read = (...written: readonly Buffer[]): Extensions =>
  readExtensionValues(readExtensions(readFirst(sequence(...written)).element));

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');
const features = (...values: readonly Buffer[]): Buffer =>
  extension('1.3.6.1.5.5.7.1.24', sequence(...values));
const access = (...methods: readonly string[]): Buffer =>
  extension(
    '1.3.6.1.5.5.7.1.1',
    sequence(...methods.map((method) => sequence(oid(method), uri('http://ca.example/')))),
  );
const ocsp = '1.3.6.1.5.5.7.48.1';
const caIssuers = '1.3.6.1.5.5.7.48.2';
const number = (value: number): Buffer => der(0x02, Buffer.of(value));

describe('what an extension says', () => {
  test.each<[string, readonly Buffer[], Partial<Extensions>]>([
    ['that there is none', [], {}],
    ['that it is no CA', [basicConstraints(false)], { basicConstraints: { ca: false, pathLength: null } }],
    [
      'that it is a CA with none below it',
      [basicConstraints(true, 0)],
      { basicConstraints: { ca: true, pathLength: 0 } },
    ],
    [
      'its names',
      [san(dns('Mail.example.org'))],
      {
        names: [{ type: 'dns', value: 'Mail.example.org' }],
        boundNames: [{ form: 'dns', text: 'mail.example.org' }],
      },
    ],
    ['usages of its key', [keyUsage('keyCertSign', 'cRLSign')], { keyUsage: ['crlSign', 'keyCertSign'] }],
    ['its purposes', [extendedKeyUsage(serverAuth)], { extendedKeyUsage: [serverAuth] }],
    ['the identifier of its key', [subjectKey(hex('0aff'))], { subjectKeyId: '0aff' }],
    [
      'the identifier of the key above',
      [authorityKey(hex('0aff'))],
      { authorityKey: { keyId: '0aff', issuer: null, serial: null } },
    ],
    [
      'who made the one above',
      [authorityIssuer(cn('Example Root'))],
      { authorityKey: { keyId: '01', issuer: '["2.5.4.3","=example root"]', serial: '01' } },
    ],
    ['where its issuer is', [issuerSource('http://ca.example/')], { namesIssuerSource: true }],
    ['where its issuer is, beside other places', [access(ocsp, caIssuers)], { namesIssuerSource: true }],
    ['where its answers are', [access(ocsp)], {}],
    ['must-staple', [features(number(5))], { mustStaple: true }],
    ['must-staple among others', [features(number(17), number(5))], { mustStaple: true }],
    ['other features', [features(number(17))], {}],
    ['a feature that is no number', [features(der(0x04, Buffer.of(5)))], {}],
    ['what nobody knows', [extension('1.2.3.4.5', hex('0500'))], {}],
    ['what nobody knows and must', [extension('1.2.3.4.5', hex('0500'), true)], { unknownCritical: true }],
  ])('%s', (_, written, says) => {
    const found = read(...written);
    expect(found).toEqual({ ...noExtensions, critical: found.critical, ...says });
  });

  test('the names it may certify', () => {
    expect(read(nameConstraints({ permitted: [dns('example.org')] }))).toMatchObject({
      sound: true,
      nameConstraints: {
        permitted: [{ base: { form: 'dns', text: 'example.org' }, bounded: false }],
        excluded: [],
      },
    });
  });

  test('nothing at all, in a certificate without extensions', () => {
    expect(readExtensionValues(readExtensions(null))).toMatchObject({
      namesIssuerSource: false,
      unknownCritical: false,
      mustStaple: false,
      sound: true,
    });
  });
});

describe('unsound is', () => {
  test.each<[string, Buffer, Partial<Extensions>]>([
    ['a length that is not minimal', extension('2.5.29.19', hex('308100')), { basicConstraints: null }],
    ['what is behind a value', extension('2.5.29.19', hex('30000500')), { basicConstraints: null }],
    ['a negative path length', extension('2.5.29.19', hex('30060101ff0201ff')), { basicConstraints: null }],
    ['usages in parts', extension('2.5.29.15', hex('230403020106')), { keyUsage: null }],
    ['no purpose at all', extension('2.5.29.37', sequence()), {}],
    [
      'a further field of the key above',
      extension('2.5.29.35', sequence(der(0x80, Buffer.of(1)), der(0x83, Buffer.of(1)))),
      { authorityKey: null },
    ],
    [
      'an address of three octets beside a name',
      san(dns('mail.example.org'), ip(192, 0, 2)),
      { names: [{ type: 'dns', value: 'mail.example.org' }] },
    ],
    ['no name at all', san(), { names: [] }],
    ['names nobody can read', extension('2.5.29.17', hex('0500')), { names: [] }],
    [
      'constraints nobody can read, which permit nothing',
      extension('2.5.29.30', hex('0500')),
      { nameConstraints: 'unreadable' },
    ],
    ['a list of features in another form', extension('1.3.6.1.5.5.7.1.24', hex('020105')), {}],
  ])('%s', (_, written, says) => {
    expect(read(written)).toMatchObject({ sound: false, ...says });
    expect(read(written, subjectKey(hex('0a'))).sound).toBe(false);
  });
});
