import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import {
  boundText,
  datedFaults,
  describeCertificate,
  readCertificates,
} from '../../src/trust/certificate.ts';
import { escapeText } from '../../src/trust/escape.ts';
import { sha256Of, spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import {
  basicConstraints,
  clientAuth,
  cn,
  der,
  dns,
  ecKeys,
  email,
  extendedKeyUsage,
  extension,
  forge,
  forgeCa,
  forgeLeaf,
  ip,
  keyUsage,
  name,
  octets,
  oid,
  rsaKeys,
  san,
  sequence,
  serverAuth,
  srv,
  text,
  uri,
} from './forge.ts';

const ca = forgeCa('Example CA');

describe('a description', () => {
  test('of a serial number without octets says malformed and does not throw', () => {
    const { certificate } = forgeLeaf({ serial: Buffer.alloc(0) });
    expect(describeCertificate(certificate)).toMatchObject({
      serial: '',
      subject: 'CN=mail.example.org',
      faults: expect.arrayContaining(['malformed']),
    });
  });

  test('says what stands in the certificate', () => {
    const { certificate } = forgeLeaf({
      subject: name(['2.5.4.6', 'DE', 0x13], ['2.5.4.10', 'Example, Inc.'], ['2.5.4.3', 'mail.example.org']),
      issuer: ca,
      serial: Buffer.from('00ff01', 'hex'),
      extensions: [
        san(
          dns('mail.example.org'),
          ip(192, 0, 2, 1),
          ip(0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1),
          srv('_imaps.example.org'),
          uri('imaps://mail.example.org'),
          email('post@example.org'),
          der(0x88, Buffer.of(0x2a)),
        ),
        keyUsage('digitalSignature', 'keyAgreement'),
        extendedKeyUsage(serverAuth, clientAuth, '1.2.3.4'),
        basicConstraints(false),
      ],
    });
    const { pem, ...described } = describeCertificate(certificate);
    expect(described).toEqual({
      spki: spkiOfCertificate(certificate),
      sha256: sha256Of(certificate),
      subject: 'CN=mail.example.org, O=Example\\, Inc., C=DE',
      issuer: 'CN=Example CA',
      serial: 'FF01',
      version: 3,
      names: [
        { type: 'dns', value: 'mail.example.org' },
        { type: 'ip', value: '192.0.2.1' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'srv', value: '_imaps.example.org' },
        { type: 'uri', value: 'imaps://mail.example.org' },
        { type: 'email', value: 'post@example.org' },
        { type: 'other', value: '[8] #2a' },
      ],
      notBefore: '2026-01-01T00:00:00.000Z',
      notAfter: '2027-01-01T00:00:00.000Z',
      key: 'EC P-256',
      signature: 'ecdsa-with-SHA256',
      keyUsage: ['digitalSignature', 'keyAgreement'],
      extendedKeyUsage: ['serverAuth', 'clientAuth', '1.2.3.4'],
      ca: false,
      faults: [],
    });
    expect(readCertificates(pem)).toEqual([certificate]);
    expect(pem).toMatch(/^-----BEGIN CERTIFICATE-----\n(?:.{64}\n)+.{1,64}\n-----END CERTIFICATE-----\n$/);
  });

  test.each([
    ['Printable', 0x13, Buffer.from('M'), 'CN=M'],
    ['UTF-8', 0x0c, Buffer.from('Mü日'), 'CN=Mü日'],
    ['BMP', 0x1e, Buffer.from('004d00fc65e5', 'hex'), 'CN=Mü日'],
    ['Universal', 0x1c, Buffer.from('0000004d000000fc000065e5', 'hex'), 'CN=Mü日'],
    ['Teletex', 0x14, Buffer.from('4dfc', 'hex'), 'CN=Mü'],
    ['number that is no string as octets', 0x02, Buffer.of(7), 'CN=#020107'],
  ])('shows a %s', (_, tag, value, shown) => {
    const subject = sequence(der(0x31, sequence(oid('2.5.4.3'), der(tag, value))));
    expect(describeCertificate(forgeLeaf({ subject }).certificate).subject).toBe(shown);
  });

  test.each([
    ['RSA 2048', () => rsaKeys(2048), 'rsa-sha256' as const, 'sha256WithRSAEncryption'],
    ['EC P-384', () => ecKeys('P-384'), 'ec-sha256' as const, 'ecdsa-with-SHA256'],
    ['EC secp160r1', () => ecKeys('secp160r1'), 'ec-sha1' as const, 'ecdsa-with-SHA1'],
  ])('names the key %s and the signature over it', (key, keys, algorithm, signature) => {
    expect(describeCertificate(forgeLeaf({ keys: keys(), algorithm }).certificate)).toMatchObject({
      key,
      signature,
    });
  });

  test.each([
    ['05', '05'],
    ['00', '00'],
    ['fb', '-05'],
    ['00fb', 'FB'],
    ['ff00', '-0100'],
  ])('shows the serial number %s as %s', (hex, shown) => {
    expect(describeCertificate(forgeLeaf({ serial: Buffer.from(hex, 'hex') }).certificate).serial).toBe(
      shown,
    );
  });

  test('reads dates of both forms, a century apart', () => {
    const { certificate } = forgeLeaf({ from: '1999-12-31T23:59:59Z', to: '2050-01-01T00:00:00Z' });
    expect(describeCertificate(certificate)).toMatchObject({
      notBefore: '1999-12-31T23:59:59.000Z',
      notAfter: '2050-01-01T00:00:00.000Z',
      faults: ['self-signed'],
    });
  });

  test.each([
    ['NUL', 'a\0b', 'CN=a\\x00b'],
    ['ESC', '\u001b]0;x\u0007', 'CN=\\x1b]0\\;x\\x07'],
    ['a line end', 'a\r\nb', 'CN=a\\x0d\\x0ab'],
    ['a bidi override', '\u202egro.elpmaxe', 'CN=\\u202egro.elpmaxe'],
    ['a comma that plays another part', 'a, O=Trusted', 'CN=a\\, O=Trusted'],
    ['a plus that plays another part', 'a+O=Trusted', 'CN=a\\+O=Trusted'],
  ])('keeps %s in a name from showing as what it is not', (_, value, shown) => {
    const { subject } = describeCertificate(forgeLeaf({ subject: cn(value) }).certificate);
    expect(escapeText(subject)).toBe(shown);
  });

  test('adds what the dates say at a given moment', () => {
    const described = describeCertificate(forgeLeaf({ issuer: ca }).certificate);
    expect(datedFaults(described, Date.parse('2025-12-31T23:59:59Z'))).toEqual(['not-yet-valid']);
    expect(datedFaults(described, Date.parse('2026-01-01T00:00:00Z'))).toEqual([]);
    expect(datedFaults(described, Date.parse('2027-01-01T00:00:00.999Z'))).toEqual([]);
    expect(datedFaults(described, Date.parse('2027-01-01T00:00:01Z'))).toEqual(['expired']);
  });

  test('of a CA does not ask for what only a server needs', () => {
    expect(describeCertificate(forgeCa('Intermediate', { issuer: ca }).certificate)).toMatchObject({
      ca: true,
      faults: [],
    });
    expect(describeCertificate(ca.certificate)).toMatchObject({ ca: true, faults: ['self-signed'] });
  });

  test('finds nothing but their own signature wrong with the roots that came with Node', () => {
    const found = rootCertificates.flatMap((pem) =>
      readCertificates(pem).map((root) => describeCertificate(root)),
    );
    expect(found.length).toBeGreaterThan(100);
    expect(found.filter(({ faults }) => faults.join() !== 'self-signed')).toEqual([]);
  });

  test('stays small for a certificate of hundreds of kilobytes', () => {
    const many = Array.from({ length: 9000 }, (_, at) => dns(`host-${at}.example.org`));
    const { certificate } = forgeLeaf({
      subject: cn('x'.repeat(100_000)),
      extensions: [san(...many), extendedKeyUsage(...Array.from({ length: 500 }, (_, at) => `1.2.3.${at}`))],
    });
    const { pem, ...described } = describeCertificate(certificate);
    expect(described).toMatchObject({ faults: ['self-signed', 'wrong-purpose'] });
    expect(described.names).toHaveLength(1000);
    expect(JSON.stringify(described).length).toBeLessThan(80_000);
    expect(pem.length).toBeLessThan(certificate.length * 1.5);
  });

  test('refuses to read twenty thousand names', () => {
    const many = Array.from({ length: 20_000 }, (_, at) => dns(`host-${at}.example.org`));
    expect(describeCertificate(forgeLeaf({ extensions: [san(...many)] }).certificate)).toMatchObject({
      names: [],
      faults: ['malformed', 'self-signed'],
    });
  });
});

test('text is cut between characters, not within one', () => {
  expect(boundText('abcdef', 6)).toBe('abcdef');
  expect(boundText('abcdefg', 6)).toBe('abcde…');
  expect(boundText('abcd🦊fg', 6)).toBe('abcd…');
});

const lengthOfLength = (certificate: Buffer): Buffer => {
  const padded = Buffer.concat([Buffer.of(0x30, 0x83, 0), certificate.subarray(2)]);
  return padded;
};

describe('a malformed certificate', () => {
  const good = forgeLeaf({ issuer: ca }).certificate;
  const withExtensions = (...extensions: readonly Buffer[]): Buffer =>
    forgeLeaf({ issuer: ca, extensions: [san(dns('a.example')), ...extensions] }).certificate;

  test.each([
    ['empty input', Buffer.alloc(0)],
    ['text', Buffer.from('no certificate')],
    ['PEM where DER belongs', Buffer.from(describeCertificate(good).pem)],
    ['a certificate cut off', good.subarray(0, -1)],
    ['bytes behind its end', Buffer.concat([good, Buffer.of(0)])],
    ['a length that is not minimal', lengthOfLength(good)],
    ['an indefinite length', Buffer.concat([Buffer.of(0x30, 0x80), good.subarray(4), Buffer.of(0, 0)])],
    [
      'a key that is none',
      forgeLeaf({ issuer: ca, spki: sequence(sequence(oid('1.2.3')), der(0x03, Buffer.of(0))) }).certificate,
    ],
    [
      'another algorithm outside than inside',
      forgeLeaf({ issuer: ca, outerAlgorithm: 'ec-sha1' }).certificate,
    ],
    ['an extension twice', withExtensions(keyUsage('digitalSignature'), keyUsage('digitalSignature'))],
    [
      'a boolean that is neither true nor false',
      withExtensions(sequence(oid('1.2.3'), Buffer.of(1, 1, 1), octets(Buffer.of(5, 0)))),
    ],
    [
      'an extension with bytes behind its value',
      withExtensions(extension('2.5.29.19', Buffer.of(0x30, 0, 0))),
    ],
    ['basic constraints that are none', withExtensions(extension('2.5.29.19', text(0x0c, 'CA')))],
    [
      'a negative path length',
      withExtensions(extension('2.5.29.19', sequence(Buffer.of(1, 1, 0xff), der(2, Buffer.of(0xff))))),
    ],
    ['an empty list of usages', withExtensions(extension('2.5.29.37', sequence()))],
    ['an empty list of names', forgeLeaf({ issuer: ca, extensions: [san()] }).certificate],
    [
      'an address of five octets',
      forgeLeaf({ issuer: ca, extensions: [san(ip(1, 2, 3, 4, 5))] }).certificate,
    ],
    ['a NUL in a DNS name', forgeLeaf({ issuer: ca, extensions: [san(dns('a.example\0b'))] }).certificate],
    [
      'a DNS name that is no ASCII',
      forgeLeaf({ issuer: ca, extensions: [san(dns('b\u00fccher.example'))] }).certificate,
    ],
    ['a date that does not exist', forgeLeaf({ issuer: ca, to: '2027-02-30T00:00:00Z' }).certificate],
    [
      'a name that is not UTF-8',
      forgeLeaf({
        issuer: ca,
        subject: sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.of(0xff))))),
      }).certificate,
    ],
    [
      'a serial number with needless zeros',
      forgeLeaf({ issuer: ca, serial: Buffer.from('000001', 'hex') }).certificate,
    ],
    [
      'a tree of a hundred levels',
      withExtensions(
        extension(
          '2.5.29.15',
          Array.from({ length: 100 }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0)),
        ),
      ),
    ],
  ])('is described without throwing: %s', (_, bytes) => {
    const described = describeCertificate(bytes);
    expect(described.faults).toContain('malformed');
    expect(described.sha256).toBe(sha256Of(bytes));
  });

  test('has no key when its octets are another spelling of a certificate', () => {
    const pem = Buffer.from(describeCertificate(good).pem);
    expect(describeCertificate(pem)).toMatchObject({ spki: null, key: '', subject: '' });
    expect(spkiOfCertificate(pem)).toBeNull();
  });

  test('is not one that is sound', () => {
    expect(describeCertificate(good).faults).toEqual([]);
    expect(
      describeCertificate(withExtensions(basicConstraints(false), keyUsage('digitalSignature'))).faults,
    ).toEqual([]);
  });

  test('shows what can still be read', () => {
    const { certificate } = forgeLeaf({
      issuer: ca,
      extensions: [san(dns('a.example'), dns('b\0c'), dns('d.example'))],
    });
    expect(describeCertificate(certificate)).toMatchObject({
      subject: 'CN=mail.example.org',
      names: [{ value: 'a.example' }, { value: 'd.example' }],
      key: 'EC P-256',
    });
  });

  test('with a curve written out instead of named is found', () => {
    const folder = mkdtempSync(join(tmpdir(), 'letterlock-'));
    try {
      const key = join(folder, 'key');
      execFileSync(
        'openssl',
        ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-param_enc', 'explicit', '-out', key],
        { stdio: 'ignore' },
      );
      execFileSync(
        'openssl',
        ['req', '-x509', '-key', key, '-subj', '/CN=a.example', '-out', join(folder, 'crt')],
        { stdio: 'ignore' },
      );
      const [certificate = Buffer.alloc(0)] = readCertificates(readFileSync(join(folder, 'crt')));
      expect(describeCertificate(certificate).faults).toEqual(['malformed', 'self-signed']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const pem = (certificate: Buffer, label: string = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

describe('a file of certificates', () => {
  const one = forgeLeaf({ issuer: ca }).certificate;
  const two = ca.certificate;
  test.each([
    ['DER', one, [one]],
    ['DER, two in a row', Buffer.concat([one, two]), [one, two]],
    ['PEM', pem(one), [one]],
    ['PEM as octets', Buffer.from(pem(one)), [one]],
    ['PEM with CR LF', pem(one).replaceAll('\n', '\r\n'), [one]],
    ['PEM out of a page, with blanks that do not break', pem(one).replaceAll('\n', '\u00a0\n'), [one]],
    ['PEM behind a byte order mark', Buffer.from(`\ufeff${pem(one)}`), [one]],
    ['a bundle with text between', `# Example\n${pem(one)}\nsubject: x\n${pem(two)}`, [one, two]],
    ['the old label', pem(one, 'X509 CERTIFICATE'), [one]],
    ["OpenSSL's trusted form", pem(Buffer.concat([one, sequence()]), 'TRUSTED CERTIFICATE'), [one]],
    ['a key before the certificate', pem(Buffer.of(0x30, 0), 'PRIVATE KEY') + pem(one), [one]],
  ])('is read: %s', (_, input, certificates) => {
    expect(readCertificates(input).map((certificate) => Buffer.from(certificate))).toEqual(certificates);
  });

  test.each([
    ['nothing', '', 'no certificate in it, neither PEM nor DER'],
    ['text', 'hello', 'no certificate in it, neither PEM nor DER'],
    ['only a key', pem(Buffer.of(0x30, 0), 'PRIVATE KEY'), 'no certificate in it, but PRIVATE KEY'],
    ['a block without an end', `${pem(one)}-----BEGIN CERTIFICATE-----\nMIIB`, '2 begin, 1 are whole'],
    ['what is not base64', pem(one) + pem(two).replace('MII', 'M%I'), 'certificate 2 is not base64'],
    [
      'a block cut short',
      pem(one.subarray(0, -3)),
      'certificate 1 is not a certificate: an element is longer than what holds it',
    ],
    [
      'a block with too much',
      pem(Buffer.concat([one, Buffer.of(1)])),
      'certificate 1 has bytes behind its end',
    ],
    [
      'another structure',
      pem(octets(one)),
      'certificate 1 is not a certificate: a certificate is a sequence',
    ],
    [
      'DER cut short',
      one.subarray(0, -3),
      'certificate 1 is not a certificate: an element is longer than what holds it',
    ],
    [
      'DER with bytes behind it',
      Buffer.concat([one, Buffer.from('x')]),
      'certificate 2 is not a certificate',
    ],
  ])('is refused with the reason: %s', (_, input, reason) => {
    expect(() => readCertificates(input)).toThrow(RangeError);
    expect(() => readCertificates(input)).toThrow(reason);
  });

  test.each([
    ['PEM', (count: number) => pem(sequence()).repeat(count)],
    ['DER', (count: number) => Buffer.concat(Array.from({ length: count }, () => sequence()))],
  ])('holds 4096 and no more: %s', (_, of) => {
    expect(readCertificates(of(4096))).toHaveLength(4096);
    expect(() => readCertificates(of(4097))).toThrow('more than 4096 certificates');
  });
});

test('the certificates these tests forge are what OpenSSL reads as such', () => {
  const printed = execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', '-text'], {
    input: forge({
      extensions: [san(dns('a.example'), srv('_imaps.example.org')), keyUsage('digitalSignature')],
    }).certificate,
  }).toString();
  expect(printed).toContain('DNS:a.example, othername: SRVName::_imaps.example.org');
  expect(printed).toContain('Digital Signature');
});
