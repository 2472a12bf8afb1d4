import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { describeCertificate, readCertificates } from '../../src/trust/certificate.ts';
import { Examiner } from '../../src/trust/examine.ts';
import { isOldRoot } from '../../src/trust/old-roots.ts';
import { parseCertificate } from '../../src/trust/parsed-certificate.ts';
import { profileFaults } from '../../src/trust/profile.ts';
import {
  anchorsOf,
  authorityIssuer,
  authorityKey,
  basicConstraints,
  cn,
  der,
  dns,
  ecKeys,
  endpointOf,
  extension,
  type Forged,
  forgeCa,
  forgeLeaf,
  issuerSource,
  keyIdOf,
  keyUsage,
  name,
  san,
  sequence,
  subjectKey,
  type Wish,
} from './forge.ts';

const root = forgeCa('Example Root');
const mail = san(dns('mail.example.org'));
const signs = keyUsage('keyCertSign');
const nobody = name();

const examine = (chain: readonly Forged[], anchor: Forged) =>
  new Examiner().examine(
    chain.map(({ certificate }) => certificate),
    {
      anchors: anchorsOf(anchor),
      endpoint: endpointOf('mail.example.org'),
      chainError: null,
      now: Date.parse('2026-06-01T00:00:00Z'),
      clockSuspect: false,
    },
  );

const ofLeaf = (wish: Wish) => examine([forgeLeaf({ issuer: root, ...wish })], root).faults;
const ofMiddle = (wish: Wish) => {
  const middle = forgeCa('Example Intermediate', { issuer: root, ...wish });
  return examine([forgeLeaf({ issuer: middle }), middle], root).faults;
};
const ofAnchor = (wish: Wish) => {
  const anchor = forgeCa('Example Anchor', wish);
  return examine([forgeLeaf({ issuer: anchor })], anchor).faults;
};

const critical = (type: string, value: Buffer): Buffer => extension(type, value, true);
const plainCa = extension('2.5.29.19', sequence(Buffer.of(1, 1, 0xff)));
const policy = (type: string, isCritical: boolean): Buffer =>
  type === 'policyConstraints'
    ? extension('2.5.29.36', sequence(der(0x80, Buffer.of(0))), isCritical)
    : extension('2.5.29.54', der(0x02, Buffer.of(0)), isCritical);
const keys = ecKeys();
const id = keyIdOf(keys);
const good = [] as const;
const off = ['off-profile'] as const;

describe('a server certificate', () => {
  test.each<[string, Wish, readonly string[]]>([
    ['with the key identifier of its issuer', {}, good],
    ['without one', { identifiers: 'none' }, off],
    [
      'with one that names only an issuer',
      { extensions: [mail, extension('2.5.29.35', sequence(der(0x82, Buffer.of(1))))] },
      off,
    ],
    [
      'with one that is critical',
      { extensions: [mail, critical('2.5.29.35', sequence(der(0x80, id)))] },
      off,
    ],
    ['with a key identifier of its own', { extensions: [mail, subjectKey(id)] }, good],
    [
      'with one of its own that is critical',
      { extensions: [mail, critical('2.5.29.14', der(0x04, id))] },
      off,
    ],
    [
      'without a subject, its names critical',
      { subject: nobody, extensions: [extension('2.5.29.17', sequence(dns('mail.example.org')), true)] },
      good,
    ],
    ['without a subject, its names not critical', { subject: nobody, extensions: [mail] }, off],
    ['that may sign certificates', { extensions: [mail, keyUsage('digitalSignature', 'keyCertSign')] }, off],
    ['with a length of paths below it', { extensions: [mail, basicConstraints(false, 0)] }, off],
    [
      'whose source of the issuer is critical',
      { extensions: [mail, critical('1.3.6.1.5.5.7.1.1', sequence())] },
      off,
    ],
    ['that tells where its issuer is', { extensions: [mail, issuerSource('http://ca.example/i.crt')] }, good],
  ])('%s', (_, wish, faults) => {
    expect(ofLeaf(wish)).toEqual(faults);
  });

  test('signed by itself has no form to keep', () => {
    const alone = forgeLeaf({
      subject: nobody,
      extensions: [mail, keyUsage('digitalSignature', 'keyCertSign')],
    });
    expect(examine([alone], root).faults).toEqual(['self-signed']);
    expect(describeCertificate(alone.certificate).faults).toEqual(['self-signed']);
  });

  test('that the operator named as an anchor has none either', () => {
    const bare = forgeLeaf({ issuer: root, identifiers: 'none' });
    expect(examine([bare], bare)).toMatchObject({ caValid: true, faults: [] });
  });

  test('without an issuer', () => {
    const issuer = { subject: nobody, keys: ecKeys() };
    expect(describeCertificate(forgeLeaf({ issuer }).certificate).faults).toEqual(off);
  });
});

describe('a CA', () => {
  test.each<[string, Wish, readonly string[]]>([
    ['as it should be', {}, good],
    ['without a key usage, as common tools make them', { extensions: [basicConstraints(true)] }, good],
    [
      'without the key identifier of its issuer',
      { extensions: [basicConstraints(true), signs, subjectKey(id)], identifiers: 'none' },
      off,
    ],
    ['whose basic constraints are not critical', { extensions: [plainCa, signs] }, off],
    [
      'without a key identifier',
      { extensions: [basicConstraints(true), signs, authorityKey(keyIdOf(root.keys))], identifiers: 'none' },
      off,
    ],
    [
      'whose policy constraints are critical',
      { extensions: [basicConstraints(true), policy('policyConstraints', true)] },
      good,
    ],
    [
      'whose policy constraints are not',
      { extensions: [basicConstraints(true), policy('policyConstraints', false)] },
      off,
    ],
    [
      'whose ban on any policy is not',
      { extensions: [basicConstraints(true), policy('inhibitAnyPolicy', false)] },
      off,
    ],
  ])('%s', (_, wish, faults) => {
    expect(ofMiddle(wish)).toEqual(faults);
  });

  test('without a subject', () => {
    const middle = forgeCa('x', { issuer: root, subject: nobody });
    expect(describeCertificate(middle.certificate).faults).toEqual(off);
  });
});

describe('an anchor', () => {
  test.each<[string, Wish, readonly string[]]>([
    ['as it should be', {}, good],
    [
      'that names its own key twice',
      { keys, extensions: [basicConstraints(true), signs, authorityKey(id)] },
      good,
    ],
    ['whose basic constraints are not critical', { extensions: [plainCa, signs] }, off],
    ['without a key identifier', { identifiers: 'none' }, off],
    [
      'that names another key than its own as its issuer',
      { keys, extensions: [basicConstraints(true), signs, authorityKey(Buffer.of(1))] },
      off,
    ],
    [
      'that names another issuer than itself',
      {
        keys,
        extensions: [
          basicConstraints(true),
          signs,
          subjectKey(Buffer.of(1)),
          authorityIssuer(cn('Somebody')),
        ],
      },
      off,
    ],
    [
      'that names no key as its issuer',
      { keys, extensions: [basicConstraints(true), signs, extension('2.5.29.35', sequence())] },
      off,
    ],
    ['without a subject', { subject: nobody }, off],
  ])('%s', (_, wish, faults) => {
    expect(ofAnchor(wish)).toEqual(faults);
  });

  test('that another CA signed, and that does not say which', () => {
    const anchor = forgeCa('Cross', {
      issuer: root,
      extensions: [basicConstraints(true), subjectKey(id)],
      identifiers: 'none',
    });
    expect(examine([forgeLeaf({ issuer: anchor })], anchor).faults).toEqual(['off-profile']);
  });

  test('of version 1 has no extensions to ask for', () => {
    expect(ofAnchor({ version: 1, extensions: [] })).toEqual(good);
  });

  test('that is public keeps to the form, or is one of the few that are named for being too old to', () => {
    const roots = rootCertificates.flatMap((pem) => readCertificates(pem)).map(parseCertificate);
    expect(roots.length).toBeGreaterThan(100);
    const bad = roots.filter((one) => profileFaults(one).length > 0 && !isOldRoot(one.id));
    expect(bad.map(({ subject }) => subject.text)).toEqual([]);
  });
});
