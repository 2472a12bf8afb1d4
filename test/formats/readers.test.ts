// Reading what other programs keep: what each line comes to, what is left out, and what is wrong, by line.

import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseEndpoint } from '../../src/endpoint.ts';
import { formatOf, isImportFormat, readers, type ImportFormat } from '../../src/formats/by-name.ts';
import type { Reading, Source } from '../../src/formats/reading.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { selfSigned } from '../net/peers.ts';

const now = Date.parse('2026-11-25T12:00:00Z');
const formats = Object.keys(readers).filter(isImportFormat);
const key = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
const other = `sha256//${Buffer.alloc(32, 2).toString('base64')}`;
const sha256 = 'ab'.repeat(32);
const colons = (hex: string): string => hex.toUpperCase().replace(/..(?=.)/g, '$&:');
const md5 = '0f'.repeat(16);
const sha1 = '1e'.repeat(20);

const reading = (format: ImportFormat, text: string, part: Partial<Source> = {}): Reading =>
  readers[format]({ text, endpoints: [], weak: false, now, ...part });
/** Each finding as one text: line, endpoint, what. */
const found = ({ entries }: Reading): readonly string[] =>
  entries.map(({ line, endpoint, entry }) => {
    switch (entry.kind) {
      case 'pin':
        return `${line} ${endpoint} ${entry.spki}${entry.until === null ? '' : ` until ${entry.until}`}`;
      case 'expectation':
        return `${line} ${endpoint} ${entry.of} ${entry.algorithm} ${entry.digest}`;
      case 'record':
        return `${line} ${endpoint} record`;
    }
  });
const endingAt = (end: number): string => `|c0|a.example|993|${end}|6|${'01'.repeat(32)}\n`;
const keyOf = (pem: string): string => spkiOfCertificate(new Uint8Array(new X509Certificate(pem).raw)) ?? '';
const problems = ({ problems: list }: Reading): readonly string[] =>
  list.map(({ line, text }) => `${line} ${text}`);

const rows: readonly (readonly [string, ImportFormat, string, readonly string[]])[] = [
  [
    'lists of keys, with comments, several keys and any spelling of the endpoint',
    'list',
    `# mine\nIMAP.Example.org.:993 ${key};${other}\n\n[2001:DB8::1]:993\t${key} # office\n`,
    [`2 imap.example.org:993 ${key}`, `2 imap.example.org:993 ${other}`, `4 [2001:db8::1]:993 ${key}`],
  ],
  [
    'curl configuration, by transfer, the last key given counting',
    'curl',
    `url = "imaps://me:secret@imap.example.org/INBOX"\npinnedpubkey = "${other}"\n--pinnedpubkey "${key};${other}"\nnext\nurl = https://example.net:8443/x\nnext\npinnedpubkey=${key}\nurl = "smtp://mail.example.org"\n`,
    [`3 imap.example.org:993 ${key}`, `3 imap.example.org:993 ${other}`, `7 mail.example.org:25 ${key}`],
  ],
  [
    'GnuTLS hashes of keys, services by name, ends in seconds',
    'gnutls',
    `|c0|imap.example.org|imaps|0|6|${Buffer.alloc(32, 1).toString('hex')}\n|c0|a.example|587|1800000000|7|${'cd'.repeat(48)}\n`,
    [`1 imap.example.org:993 ${key}`, `2 a.example:587 key sha384 ${'cd'.repeat(48)}`],
  ],
  [
    'Thunderbird exceptions, with and without attributes, of old and new versions',
    'thunderbird',
    `# PSM Certificate Override Settings file\n# This is a generated file!  Do not edit.\nimap.example.org:993:\tOID.2.16.840.1.101.3.4.2.1\t${colons(sha256)}\t\n[::1]:993:\tOID.2.16.840.1.101.3.4.2.1\t${colons(sha256)}\t\nmail.example.org:465\tOID.2.16.840.1.101.3.4.2.1\t${colons(sha256)}\tMU\tAAAA=\n`,
    [
      `3 imap.example.org:993 certificate sha256 ${sha256}`,
      `4 [::1]:993 certificate sha256 ${sha256}`,
      `5 mail.example.org:465 certificate sha256 ${sha256}`,
    ],
  ],
  [
    'msmtp accounts that inherit, with the ports msmtp takes itself',
    'msmtp',
    `defaults\ntls on\ntls_fingerprint ${colons(sha256)}\npassword tls_fingerprint\naccount a\nhost a.example\naccount b : a\ntls_starttls off\n# c\naccount c\nhost "c.example"\nport 587\ntls_fingerprint ${'CD'.repeat(32)}\naccount d\nhost d.example\ntls_fingerprint\naccount default : c\n`,
    [
      `3 a.example:25 certificate sha256 ${sha256}`,
      `3 a.example:465 certificate sha256 ${sha256}`,
      `13 c.example:587 certificate sha256 ${'cd'.repeat(32)}`,
      `13 c.example:587 certificate sha256 ${'cd'.repeat(32)}`,
    ],
  ],
  [
    'mpop accounts, with the ports mpop takes itself',
    'mpop',
    `account a\nhost a.example\ntls on\ntls_fingerprint ${sha256}\naccount b\nhost b.example\ntls on\ntls_starttls off\ntls_fingerprint ${sha256}\n`,
    [`4 a.example:110 certificate sha256 ${sha256}`, `9 b.example:995 certificate sha256 ${sha256}`],
  ],
  [
    'offlineimap, several hashes told apart by their length',
    'offlineimap',
    `[general]\naccounts = x\n[Repository far]\ntype = IMAP\nremotehost = imap.example.org\nremotepass = a=b\ncert_fingerprint = ${sha256},\n  ${colons('12'.repeat(64))}\n[Repository plain]\nremotehost: b.example\nssl = no\ncert_fingerprint = ${'34'.repeat(28)}\n`,
    [
      `7 imap.example.org:993 certificate sha256 ${sha256}`,
      `7 imap.example.org:993 certificate sha512 ${'12'.repeat(64)}`,
      `12 b.example:143 certificate sha224 ${'34'.repeat(28)}`,
    ],
  ],
  [
    'getmail, a tuple over several lines',
    'getmail',
    `[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = imap.example.org\npassword = x\nssl_fingerprints = ('${sha256}',\n    "${colons('cd'.repeat(32))}")\n[destination]\ntype = Maildir\n`,
    [
      `5 imap.example.org:993 certificate sha256 ${sha256}`,
      `5 imap.example.org:993 certificate sha256 ${'cd'.repeat(32)}`,
    ],
  ],
];

describe('a file', () => {
  it.each(rows)('of %s', (_, format, text, wanted) => {
    const read = reading(format, text);
    expect(problems(read)).toEqual([]);
    expect(found(read)).toEqual(wanted);
  });

  it.each(rows)('with the line ends of another system: %s', (_, format, text, wanted) => {
    expect(found(reading(format, text.replaceAll('\n', '\r\n')))).toEqual(wanted);
  });

  it('of names as long as the file: what is said of them is bounded', () => {
    const long = 'a'.repeat(100_000);
    const endpoints = [parseEndpoint('mail.example.org:993')];
    const text = `#H ${long} ${'ab'.repeat(16)}\n`;
    for (const { skipped, problems: wrong } of [
      reading('mutt', text),
      reading('mutt', text, { endpoints }),
      reading('offlineimap', `[Repository ${long}]\ncert_fingerprint = x\n`),
    ])
      expect([...skipped, ...wrong].map((one) => one.text.length)).toEqual([501]);
  });

  it('of fetchmail: the words of the user, no word of a password, and MD5 only when it may be', () => {
    const text = `defaults protocol pop3\npoll a.example\n  user "me", password "ssl sslfingerprint x", ssl\n  sslfingerprint '${colons(md5)}'\n  user you pass secret is me here\npoll name via b.example proto imap port 1143 user 'x' sslfingerprint "${md5}"\nskip c.example user z there # sslfingerprint "x"\n`;
    expect(problems(reading('fetchmail', text))).toHaveLength(2);
    expect(found(reading('fetchmail', text, { weak: true }))).toEqual([
      `4 a.example:995 certificate md5 ${md5}`,
      `6 b.example:1143 certificate md5 ${md5}`,
    ]);
  });

  it('of mbsync names the files of certificates with their servers', () => {
    const text = `IMAPAccount a\nHost a.example\nSSLType IMAPS\nCertificateFile ~/a.pem\n\nIMAPStore b\nHost b.example\nPort 1143\nCertificateFile "/etc/my certs.pem"\nPass CertificateFile\n`;
    const { files, problems: none } = reading('mbsync', text);
    expect(none).toEqual([]);
    expect(files.map(({ line, path, endpoint }) => [line, path, endpoint.name])).toEqual([
      [4, '~/a.pem', 'a.example:993'],
      [9, '/etc/my certs.pem', 'b.example:1143'],
    ]);
  });
});

const wrong: readonly (readonly [string, ImportFormat, string, RegExp])[] = [
  ['a key without a server', 'list', `${key}\n`, /^1 .*--endpoint HOST:PORT/],
  ['a server without a key', 'list', 'a.example:993\n', /^1 "a.example:993" stands there without a key/],
  [
    'half a key',
    'list',
    `\na.example:993 sha256//AAAA\n`,
    /^2 a.example:993: "sha256\/\/AAAA" is not the fingerprint/,
  ],
  ['a server without a port', 'list', `a.example ${key}\n`, /^1 .*not an endpoint/],
  [
    'a file in place of a key',
    'curl',
    'url=https://a.example\npinnedpubkey = "key.pem"\n',
    /^2 .*"key.pem" is a file/,
  ],
  [
    'a service nobody knows',
    'gnutls',
    `|c0|a.example|*|0|6|${'00'.repeat(32)}\n`,
    /^1 a.example: "\*" is no port/,
  ],
  [
    'a key that is none',
    'gnutls',
    '|g0|a.example|993|0|QUJD\n',
    /^1 a.example:993: what stands there is not a key/,
  ],
  ['a hash of another length', 'gnutls', '|c0|a.example|993|0|6|00ff\n', /^1 .*of this length is not known/],
  ['a line of something else', 'gnutls', 'localhost ssh-ed25519 AAAA\n', /^1 .*not a line of GnuTLS/],
  ['a line of something else', 'thunderbird', 'a b c\n', /^1 .*not a line of cert_override/],
  [
    'SHA-1',
    'thunderbird',
    `a.example:993:\tOID.1.3.14.3.2.26\t${colons(sha1)}\t\n`,
    /^1 a.example:993: SHA-1 .*--weak/,
  ],
  [
    'a hash under the name of another',
    'thunderbird',
    `a.example:993:\tOID.1.3.14.3.2.26\t${colons(sha256)}\t\n`,
    /^1 /,
  ],
  [
    'MD5',
    'msmtp',
    `account a\nhost a.example\ntls_fingerprint ${colons(md5)}\n`,
    /^3 a.example:25: MD5 .*--weak/,
  ],
  [
    'half a fingerprint',
    'msmtp',
    'account a\nhost a.example\ntls_fingerprint AB:CD\n',
    /^3 a.example:25: "AB:CD" is not a fingerprint/,
  ],
  ['an account without a host', 'msmtp', `account a\ntls_fingerprint ${sha256}\n`, /^2 no host/],
  [
    'LMTP without a port',
    'msmtp',
    `account a\nhost h\nprotocol lmtp\ntls_fingerprint ${sha256}\n`,
    /^4 h: no port/,
  ],
  [
    'a port that is none',
    'mpop',
    `account a\nhost a.example\nport 99999\ntls_fingerprint ${sha256}\n`,
    /^4 99999 is not a port/,
  ],
  [
    'a host that Python computes',
    'offlineimap',
    `[Repository r]\nremotehosteval = x()\ncert_fingerprint = ${sha256}\n`,
    /^3 \[Repository r\]: host and port/,
  ],
  ['SHA-1', 'offlineimap', `[Repository r]\nremotehost = h\ncert_fingerprint = ${sha1}\n`, /^3 h:993: SHA-1/],
  [
    'a retriever without TLS',
    'getmail',
    `[retriever]\ntype = SimplePOP3Retriever\nserver = h\nssl_fingerprints = ('${sha256}',)\n`,
    /^4 "SimplePOP3Retriever"/,
  ],
  ['a poll without a port', 'fetchmail', `poll h user u sslfingerprint "${md5}"\n`, /^1 h: neither protocol/],
  ['certificates of nobody', 'mbsync', 'CertificateFile x\n', /^1 no Host/],
  ['nothing in it', 'pem', 'hello\n', /^1 certificates do not say/],
  [
    'a host whose port mutt does not write',
    'mutt',
    '#H a.example 00FF 00FF 00FF 00FF 00FF 00FF 00FF 00FF\n',
    /^1 a.example: the port/,
  ],
  ['no backup', 'json', '{"format":"else"}', /^1 this is no backup/],
  [
    'a backup of a later version',
    'json',
    '{"format":"letterlock-pins","version":2,"records":[]}',
    /^1 .*version 2/,
  ],
  [
    'a record that is none',
    'json',
    '{"format":"letterlock-pins","version":1,"records":[{"endpoint":"A:1"}]}',
    /^1 records\.0\.endpoint/,
  ],
];

describe('what is wrong', () => {
  it.each(wrong)('%s in %s: nothing of it is taken, and the line is named', (_, format, text, pattern) => {
    const read = reading(format, text);
    expect(problems(read)[0] ?? '').toMatch(pattern);
    expect([...read.entries, ...read.files]).toEqual([]);
  });

  it('an end that has passed leaves the line out', () => {
    expect(reading('gnutls', endingAt(now / 1000)).skipped).toMatchObject([{ line: 1 }]);
    expect(found(reading('gnutls', endingAt(now / 1000)))).toEqual([]);
    expect(found(reading('gnutls', endingAt(now / 1000 + 1)))).toEqual([
      `1 a.example:993 ${key} until ${now + 1000}`,
    ]);
  });
});

describe('certificates', () => {
  let own: string;
  let foreign: string;
  const endpoints = [parseEndpoint('mail.test:993')];
  beforeAll(async () => {
    [own, foreign] = [(await selfSigned()).cert, (await selfSigned()).cert];
  });

  it('one alone is taken whatever its name, and for each endpoint named', () => {
    const two = [parseEndpoint('a.example:993'), parseEndpoint('a.example:587')];
    expect(found(reading('pem', `\n\nsubject=x\n${own}`, { endpoints: two }))).toEqual([
      `4 a.example:993 ${keyOf(own)}`,
      `4 a.example:587 ${keyOf(own)}`,
    ]);
  });

  it('of several those for this name count, and when there is none nothing does', () => {
    const read = reading('pem', `${own}\n${foreign}`, { endpoints });
    expect(found(read)).toHaveLength(2);
    const none = reading('pem', `${own}\n${foreign}`, { endpoints: [parseEndpoint('a.example:993')] });
    expect(found(none)).toEqual([]);
    expect(none.skipped).toHaveLength(2);
    expect(problems(none)).toEqual([expect.stringMatching(/none of the certificates is for this server/)]);
  });

  it('a public key counts, a private key is left out, a broken one is a problem', () => {
    const spki = new X509Certificate(own).publicKey.export({ type: 'spki', format: 'pem' });
    expect(found(reading('pem', String(spki), { endpoints }))).toEqual([`1 mail.test:993 ${keyOf(own)}`]);
    const secret = reading('pem', `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${own}`, {
      endpoints,
    });
    expect(found(secret)).toEqual([`4 mail.test:993 ${keyOf(own)}`]);
    expect(secret.skipped).toMatchObject([{ line: 1 }]);
    const broken = reading('pem', `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, {
      endpoints,
    });
    expect(problems(broken)).toEqual([expect.stringMatching(/^1 .*cannot be read/)]);
  });

  it('of mutt come with marks of hosts, which count for the host they name', () => {
    const fingerprint = 'AB12 CD34 AB12 CD34 AB12 CD34 AB12 CD34';
    const text = `#H mail.test ${fingerprint}\n#H b.example ${fingerprint}\n${own}`;
    const read = reading('mutt', text, { endpoints, weak: true });
    expect(found(read)).toEqual([
      `1 mail.test:993 certificate md5 ${'ab12cd34'.repeat(4)}`,
      `3 mail.test:993 ${keyOf(own)}`,
    ]);
    expect(read.skipped).toMatchObject([{ line: 2 }]);
    expect(problems(reading('mutt', text, { endpoints }))).toEqual([expect.stringMatching(/^1 .*MD5/)]);
  });

  it('and GnuTLS keys: the octets of the key in the file are what counts', () => {
    const der = createPublicKey(own).export({ type: 'spki', format: 'der' });
    const line = `|g0|mail.test|993|0|${der.toString('base64')}`;
    expect(found(reading('gnutls', line))).toEqual([`1 mail.test:993 ${keyOf(own)}`]);
    expect(keyOf(own)).toBe(`sha256//${createHash('sha256').update(der).digest('base64')}`);
    expect(
      problems(
        reading('gnutls', `|g0|mail.test|993|0|${Buffer.concat([der, Buffer.of(0)]).toString('base64')}`),
      ),
    ).toHaveLength(1);
  });
});

describe('any text at all', () => {
  const scraps = fc.constantFrom(
    'defaults',
    'account a : b',
    'host',
    'a.example',
    'port',
    '993',
    'tls_fingerprint',
    'poll',
    'user',
    'ssl',
    'sslfingerprint',
    '"',
    "'",
    '\\',
    '#H ',
    '|g0|',
    '|c0|',
    '|',
    '[retriever]',
    '[Repository x]',
    'type',
    '=',
    'cert_fingerprint',
    'ssl_fingerprints',
    '(',
    ')',
    ',',
    ';',
    ':',
    '\t',
    ' ',
    '\n',
    '\r\n',
    'url',
    'imaps://',
    'pinnedpubkey',
    'next',
    key,
    sha256,
    md5,
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    'MIIB',
    '{"format":"letterlock-pins","version":1,"records":[',
    '{}',
    ']}',
    'CertificateFile',
    'Host',
    '\0',
    '\ufeff',
    '%',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(scraps, { maxLength: 60 }).map((parts) => parts.join('')),
  );

  it.each(formats)('read as %s throws nothing, and all it finds is canonical and has a line', (format) => {
    fc.assert(
      fc.property(texts, fc.boolean(), (text, weak) => {
        const read = reading(format, text, { weak, endpoints: [parseEndpoint('mail.test:993')] });
        const lines = text.split(/\r\n|\n|\r/).length;
        for (const { line } of [...read.entries, ...read.files, ...read.skipped, ...read.problems])
          expect(line >= 1 && line <= lines).toBe(true);
        for (const { endpoint, entry } of read.entries) {
          expect(parseEndpoint(endpoint).name).toBe(endpoint);
          if (!weak && entry.kind === 'expectation') expect(['md5', 'sha1']).not.toContain(entry.algorithm);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each(formats)(
    'read as %s takes time that grows with its length and no faster',
    { timeout: 120_000 },
    (format) => {
      // Of the processor: how busy the machine is says nothing of the reader.
      const before = process.cpuUsage();
      for (const part of [
        '-----BEGIN A-----',
        '"',
        "'\\",
        '[x]\n y',
        ' ',
        '|',
        'a:',
        '# ',
        'account a : a\n',
        'user u ',
      ])
        reading(format, part.repeat(100_000), { endpoints: [parseEndpoint('mail.test:993')] });
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(15_000);
    },
  );
});

describe('the format of a file', () => {
  it.each<[string, string, string | null]>([
    ['.msmtprc', '', 'msmtp'],
    ['cert_override.txt', '', 'thunderbird'],
    ['known_hosts', '|g0|a|993|0|AAAA', 'gnutls'],
    ['x', '{"format":1}', 'json'],
    ['x', `a:1 ${key}`, 'list'],
    ['x', 'Host x', null],
    ['certificates', '#H a.example 00\n-----BEGIN CERTIFICATE-----', 'mutt'],
    ['known_hosts', 'github.com ssh-ed25519 AAAA', null],
  ])('%s with %j is %s', (name, text, wanted) => {
    expect(formatOf(name, text)).toBe(wanted);
  });
});
