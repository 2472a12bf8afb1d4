import { createHash, createHmac, X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  matchesFingerprint,
  normalizeReference,
  parseFingerprint,
  referenceOf,
  requireFingerprint,
  sha256Of,
  spkiOf,
  spkiOfCertificate,
} from '../../src/trust/fingerprint.ts';
import { readFrame } from '../../src/trust/frame.ts';
import { cn, ecKeys, forgeLeaf, rsaKeys, sequence } from './forge.ts';

const digest = createHash('sha256').update('a key').digest();
const base64 = `sha256//${digest.toString('base64')}`;
const hex = digest.toString('hex');
const colons = hex.toUpperCase().replace(/..(?=.)/g, '$&:');

describe('a fingerprint as people paste it', () => {
  test.each([
    ['as curl writes it', base64, { kind: 'spki', value: base64 }],
    ['without the padding', base64.replace('=', ''), { kind: 'spki', value: base64 }],
    ['with an upper-case prefix', base64.replace('sha256', 'SHA256'), { kind: 'spki', value: base64 }],
    ['in pairs', colons, { kind: 'either', value: colons }],
    ['in lower-case pairs', colons.toLowerCase(), { kind: 'either', value: colons }],
    ['in spaced pairs', colons.replaceAll(':', ' '), { kind: 'either', value: colons }],
    ['plain', hex, { kind: 'either', value: colons }],
    [
      'with line end and label of openssl',
      `sha256 Fingerprint=${colons}\n`,
      { kind: 'either', value: colons },
    ],
    ['with a label', `SHA256:${hex}`, { kind: 'either', value: colons }],
  ])('is read %s', (_, text, read) => {
    expect(parseFingerprint(text)).toEqual(read);
  });

  test.each([
    ['one digit short', hex.slice(1), '63 hexadecimal digits'],
    ['one pair short', colons.slice(3), '62 hexadecimal digits'],
    ['one pair long', `${colons}:00`, '66 hexadecimal digits'],
    ['SHA-1', hex.slice(0, 40), '40 hexadecimal digits (SHA-1)'],
    ['MD5', hex.slice(0, 32), '32 hexadecimal digits (MD5)'],
    ['a reference', '7F3AK2QM', 'a reference'],
    ['base64 of 31 octets', `sha256//${digest.subarray(1).toString('base64')}`, 'no fingerprint'],
    [
      'base64 with stray bits',
      base64.replace(/.=$/, (end) => `${end === 'A=' ? 'B' : '9'}=`),
      'no fingerprint',
    ],
    ['mixed separators', colons.replace(':', ' '), 'hexadecimal digits'],
    ['nothing', '', 'no fingerprint'],
    ['words', 'trust me', 'no fingerprint'],
  ])('is refused when it is %s, and the text says so', (_, text, problem) => {
    expect(parseFingerprint(text)).toBeNull();
    expect(() => requireFingerprint(text)).toThrow(RangeError);
    expect(() => requireFingerprint(text)).toThrow(problem);
  });
});

describe('comparing', () => {
  const shown = { spki: base64, sha256: sha256Of(Buffer.from('a certificate')) };

  test.each([
    ['the key', base64, true],
    ['the key in hexadecimal', hex, true],
    ['the certificate', shown.sha256, true],
    ['another key', spkiOf(Buffer.from('another')), false],
    [
      'the hash of the certificate written as a key',
      `sha256//${Buffer.from(shown.sha256.replaceAll(':', ''), 'hex').toString('base64')}`,
      false,
    ],
  ])('takes %s for what it is', (_, expected, match) => {
    expect(matchesFingerprint(expected, shown)).toBe(match);
  });

  test('any changed digit is another key', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.integer({ min: 1, max: 15 }), (at, by) => {
        const digit = ((Number.parseInt(hex.charAt(at), 16) + by) % 16).toString(16);
        expect(matchesFingerprint(hex.slice(0, at) + digit + hex.slice(at + 1), shown)).toBe(false);
      }),
    );
  });

  test('the right beginning is an error, not a mismatch', () => {
    expect(() => matchesFingerprint(hex.slice(0, 16), shown)).toThrow('16 hexadecimal digits');
  });

  test('an unreadable key matches nothing, the certificate still does', () => {
    expect(matchesFingerprint(base64, { ...shown, spki: null })).toBe(false);
    expect(matchesFingerprint(shown.sha256, { ...shown, spki: null })).toBe(true);
  });
});

describe('the key of a certificate', () => {
  test('is the hash of the SubjectPublicKeyInfo as curl computes it', () => {
    const { certificate, keys } = forgeLeaf();
    const spki = keys.publicKey.export({ type: 'spki', format: 'der' });
    expect(spkiOfCertificate(certificate)).toBe(
      `sha256//${createHash('sha256').update(spki).digest('base64')}`,
    );
  });

  test('stays the same under a renewed certificate and differs for another key', () => {
    const keys = ecKeys();
    const first = forgeLeaf({ keys });
    expect(spkiOfCertificate(forgeLeaf({ keys, to: '2030-01-01T00:00:00Z' }).certificate)).toBe(
      spkiOfCertificate(first.certificate),
    );
    expect(spkiOfCertificate(forgeLeaf({ keys: ecKeys() }).certificate)).not.toBe(
      spkiOfCertificate(first.certificate),
    );
  });

  test('counts the octets of the certificate, also where OpenSSL would write them anew', () => {
    const keys = rsaKeys(2048);
    const usual = keys.publicKey.export({ type: 'spki', format: 'der' });
    const [nullParameters] = [Buffer.from('06092a864886f70d0101010500', 'hex')];
    const at = usual.indexOf(nullParameters);
    const bits = usual.subarray(at + nullParameters.length);
    const bare = sequence(sequence(nullParameters.subarray(0, -2)), bits);
    const { certificate } = forgeLeaf({ keys, spki: bare, algorithm: 'rsa-sha256' });
    expect(spkiOfCertificate(certificate)).toBe(spkiOf(bare));
    expect(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })).toEqual(usual);
  });

  test('counts as OpenSSL writes it where the frame of the certificate is not strict DER', () => {
    const subject = Buffer.concat([Buffer.of(0x30, 0x81), cn('mail').subarray(1)]);
    const { certificate, keys } = forgeLeaf({ subject });
    expect(() => readFrame(certificate)).toThrow('not minimal');
    expect(spkiOfCertificate(certificate)).toBe(
      spkiOf(keys.publicKey.export({ type: 'spki', format: 'der' })),
    );
  });

  test('is null where there is no key to read', () => {
    expect(spkiOfCertificate(Buffer.from('no certificate'))).toBeNull();
    expect(
      spkiOfCertificate(forgeLeaf({ spki: sequence(sequence(), Buffer.of(3, 1, 0)) }).certificate),
    ).toBeNull();
  });
});

describe('references', () => {
  const secret = Buffer.alloc(32, 7);

  test('are the first 40 bits of an HMAC over endpoint and key, in Crockford base32', () => {
    const bits = createHmac('sha256', secret)
      .update(`imap.example.org:993\0${base64}`)
      .digest('hex')
      .slice(0, 10);
    const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    const wanted = [...BigInt(`0x${bits}`).toString(2).padStart(40, '0').matchAll(/.{5}/g)].map(
      ([five]) => alphabet[Number.parseInt(five, 2)],
    );
    expect(referenceOf(secret, 'imap.example.org:993', base64)).toBe(wanted.join(''));
  });

  test('depend on secret, endpoint and key', () => {
    const references = [
      referenceOf(secret, 'a.example:993', base64),
      referenceOf(secret, 'b.example:993', base64),
      referenceOf(secret, 'a.example:993', spkiOf(Buffer.from('another'))),
      referenceOf(Buffer.alloc(32, 8), 'a.example:993', base64),
    ];
    expect(new Set(references).size).toBe(4);
    for (const reference of references) expect(normalizeReference(reference)).toBe(reference);
  });

  test.each([
    [' 7f3ak2qm ', '7F3AK2QM'],
    ['oOiIlL00', '00111100'],
    ['7F3AK2Q', null],
    ['7F3AK2QMM', null],
    ['7F3AK2QU', null],
    ['', null],
  ])('%j is read as %j', (typed, read) => {
    expect(normalizeReference(typed)).toBe(read);
  });
});
