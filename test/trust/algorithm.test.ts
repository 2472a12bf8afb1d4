// Names and strength of keys and signature algorithms, at the bounds where one is just strong enough and the next is not.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hasExplicitCurve, keyStrength, signatureAlgorithm } from '../../src/trust/algorithm.ts';
import { type Der, readOnly, tags } from '../../src/trust/der.ts';
import { der, ecKeys, oid, sequence } from './forge.ts';

const read = (bytes: Buffer): Der => readOnly(bytes, tags.sequence);
const nothing = Buffer.of(5, 0);
const number = (value: Buffer): Buffer =>
  der(0x02, ...(value.readUInt8(0) < 0x80 ? [] : [Buffer.of(0)]), value);
/** As many bits as asked for. */
const modulus = (bits: number): Buffer => {
  const octets = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  octets[0] = 0xff >> (octets.length * 8 - bits);
  return octets;
};
const bitString = (value: Buffer): Buffer => der(0x03, Buffer.of(0), value);
const rsaSpki = (kind: string, bits: number, exponent: readonly number[]): Buffer =>
  sequence(
    sequence(oid(kind), ...(kind === rsa ? [nothing] : [])),
    bitString(sequence(number(modulus(bits)), number(Buffer.from(exponent)))),
  );
const dsaSpki = (bits: number): Buffer => {
  const parameters = sequence(number(modulus(bits)), number(modulus(256)), number(Buffer.of(2)));
  return sequence(sequence(oid('1.2.840.10040.4.1'), parameters), bitString(number(Buffer.of(4))));
};
const rsa = '1.2.840.113549.1.1.1';
const rsaPss = '1.2.840.113549.1.1.10';
const usual = [1, 0, 1];
const keyOf = (spki: Buffer): KeyObject => createPublicKey({ key: spki, format: 'der', type: 'spki' });
/** A kind that not every version of Node knows. */
const ofKind = (asymmetricKeyType: string, namedCurve?: string): KeyObject =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it
  ({ asymmetricKeyType, asymmetricKeyDetails: { namedCurve } }) as unknown as KeyObject;

describe('a key', () => {
  it.each([
    ['RSA 2048', true, keyOf(rsaSpki(rsa, 2048, usual))],
    ['RSA 2047', false, keyOf(rsaSpki(rsa, 2047, usual))],
    ['RSA 2048', true, keyOf(rsaSpki(rsa, 2048, [3]))],
    ['RSA 2048', false, keyOf(rsaSpki(rsa, 2048, [2]))],
    ['RSA 2048', false, keyOf(rsaSpki(rsa, 2048, [1]))],
    ['RSA 2048', false, keyOf(rsaSpki(rsa, 2048, [1, 0, 0]))],
    ['RSA-PSS 2048', true, keyOf(rsaSpki(rsaPss, 2048, usual))],
    ['RSA-PSS 2047', false, keyOf(rsaSpki(rsaPss, 2047, usual))],
    ['DSA 2048', true, keyOf(dsaSpki(2048))],
    ['DSA 2047', false, keyOf(dsaSpki(2047))],
    ['EC P-192', false, ecKeys('prime192v1').publicKey],
    ['EC P-224', true, ecKeys('secp224r1').publicKey],
    ['EC P-256', true, ecKeys('prime256v1').publicKey],
    ['EC P-384', true, ecKeys('secp384r1').publicKey],
    ['EC P-521', true, ecKeys('secp521r1').publicKey],
    ['EC brainpoolP384r1', true, ecKeys('brainpoolP384r1').publicKey],
    ['EC sect163k1', false, ecKeys('sect163k1').publicKey],
    ['EC SM2', true, ofKind('ec', 'SM2')],
    ['EC Oakley-EC2N-4', false, ofKind('ec', 'Oakley-EC2N-4')],
    ['EC with explicit parameters', false, ofKind('ec')],
    ['RSA 0', false, ofKind('rsa')],
    ['Ed25519', true, generateKeyPairSync('ed25519').publicKey],
    ['Ed448', true, generateKeyPairSync('ed448').publicKey],
    ['X25519', false, generateKeyPairSync('x25519').publicKey],
    ['ML-DSA-44', true, ofKind('ml-dsa-44')],
    ['SLH-DSA-SHA2-128S', true, ofKind('slh-dsa-sha2-128s')],
    ['ML-KEM-768', false, ofKind('ml-kem-768')],
  ])('%s is strong enough: %s', (name, strong, key) => {
    expect(keyStrength(key)).toEqual({ name, weak: !strong });
  });
});

const sha256 = '2.16.840.1.101.3.4.2.1';
const hashOf = (...algorithm: readonly Buffer[]): Buffer => der(0xa0, sequence(...algorithm));
const salt = der(0xa2, der(0x02, Buffer.of(32)));

describe('a signature', () => {
  it.each([
    ['sha256WithRSAEncryption', true, [oid('1.2.840.113549.1.1.11'), nothing]],
    ['Ed25519', true, [oid('1.3.101.112')]],
    ['sha1WithRSAEncryption', false, [oid('1.2.840.113549.1.1.5'), nothing]],
    ['1.2.3.4', false, [oid('1.2.3.4')]],
    ['rsassaPss-SHA256', true, [oid(rsaPss), sequence(hashOf(oid(sha256), nothing), salt)]],
    ['rsassaPss-SHA256', true, [oid(rsaPss), sequence(salt, hashOf(oid(sha256)))]],
    ['rsassaPss', false, [oid(rsaPss), sequence(hashOf(oid('1.3.14.3.2.26'), nothing))]],
    ['rsassaPss', false, [oid(rsaPss), sequence(salt)]],
    ['rsassaPss', false, [oid(rsaPss)]],
  ])('%s proves something: %s', (name, strong, parts) => {
    expect(signatureAlgorithm(read(sequence(...parts)))).toEqual({ name, weak: !strong });
  });

  it('with something behind its parameters cannot be read', () => {
    const parts = [oid('1.2.840.113549.1.1.11'), nothing, nothing];
    expect(() => signatureAlgorithm(read(sequence(...parts)))).toThrow('too many');
  });
});

const ec = '1.2.840.10045.2.1';
const key = bitString(Buffer.of(4));

describe('a curve', () => {
  it.each([
    ['by name', false, sequence(oid(ec), oid('1.2.840.10045.3.1.7'))],
    ['by its parameters', true, sequence(oid(ec), sequence())],
    ['not at all', true, sequence(oid(ec))],
    ['in a key that has none', false, sequence(oid(rsa), nothing)],
  ])('given %s is written out: %s', (_, explicit, algorithm) => {
    expect(hasExplicitCurve(read(sequence(algorithm, key)))).toBe(explicit);
  });
});
