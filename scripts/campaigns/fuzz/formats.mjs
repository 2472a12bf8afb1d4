// Files of other programs (src/formats/), in every format that is imported: the first byte chooses. Readers never throw, every
// finding has a line of the file and canonical names, and a pin or a fingerprint is only ever one that stands in the file.

import { createHash } from 'node:crypto';
import { demand, demandPlain, demandSame } from './engine/broken.mjs';
import { forgedCertificates } from './engine/der.mjs';

const hex = 'ab'.repeat(32);
const key = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;

/** Every key a text may mean: as it is written, in base64 or hexadecimal, or by hashing what stands there. */
function keysIn(text) {
  const squeezed = text.replace(/[\s:-]/g, '');
  return { text, squeezed: squeezed.toLowerCase() };
}

export const target = {
  name: 'formats',
  files: [
    'by-name',
    'curl',
    'fetchmail',
    'getmail',
    'gnutls',
    'hash-text',
    'ini',
    'key-list',
    'mbsync',
    'msmtp',
    'mutt',
    'octets',
    'offlineimap',
    'own-json',
    'pem',
    'reading',
    'thunderbird',
    'record-schema',
  ].map((file) => `src/formats/${file}`),
  dictionary: [
    '\n',
    '\r\n',
    '\t',
    '|',
    '|g0|',
    '|c0|',
    '#H ',
    'poll ',
    'defaults',
    'user ',
    'ssl ',
    'sslfingerprint ',
    'account ',
    'host ',
    'port ',
    'tls_fingerprint ',
    'tls on',
    'url = ',
    'pinnedpubkey = ',
    'next',
    '[retriever]',
    '[Repository x]',
    'cert_fingerprint = ',
    'ssl_fingerprints = ',
    'remotehost = ',
    'Host ',
    'CertificateFile ',
    'OID.2.16.840.1.101.3.4.2.1',
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    '-----BEGIN PUBLIC KEY-----',
    key,
    hex,
    'AB:'.repeat(31) + 'AB',
    'constructor',
    '__proto__',
    '"records":[',
    '{"format":"letterlock-pins","version":1,',
    'imap.example.org:993',
    "'",
    '"',
    ';',
    ',',
    '= ',
  ],
  longest: 6000,
  prepare: async (from) => {
    const { formatOf, isImportFormat, readers } = await from('src/formats/by-name');
    const { parseEndpoint } = await from('src/endpoint');
    const { hashOctets } = await from('src/trust/record');
    const { parseFingerprint } = await from('src/trust/fingerprint');
    await Promise.all(target.files.map(from));
    const names = Object.keys(readers);
    const endpoints = [parseEndpoint('mail.example.org:993')];
    const now = Date.parse('2026-06-01T00:00:00Z');
    const run = (bytes) => {
      const choice = bytes[0] ?? 0;
      const name = names[choice % names.length];
      const text = bytes.subarray(1).toString('utf8');
      const named = formatOf('x', text);
      demand(named === null || isImportFormat(named), 'a format that is guessed is one', named);
      const read = readers[name]({
        text,
        endpoints: choice >= 128 ? endpoints : [],
        weak: choice >= 64,
        now,
      });
      const lines = text.split(/\r\n|\n|\r/).length;
      for (const { line } of [...read.entries, ...read.files, ...read.skipped, ...read.problems])
        demand(line >= 1 && line <= lines, 'a finding has a line of the file', { line, lines });
      for (const { text: said } of [...read.problems, ...read.skipped])
        demand(said.length < 2000, 'what is said is bounded', said.length);
      const stands = keysIn(text);
      for (const { endpoint, entry } of read.entries) {
        demandSame(parseEndpoint(endpoint).name, endpoint, 'an endpoint is canonical');
        demandPlain(endpoint, 'an endpoint');
        if (entry.kind === 'expectation') {
          demand(entry.digest.length === hashOctets[entry.algorithm] * 2, 'a fingerprint is whole', entry);
          demand(stands.squeezed.includes(entry.digest), 'a fingerprint stands in the file', entry.digest);
          demand(
            choice >= 64 || !['md5', 'sha1'].includes(entry.algorithm),
            'a weak fingerprint is not taken',
            entry.algorithm,
          );
        } else if (entry.kind === 'pin') {
          demandSame(parseFingerprint(entry.spki)?.value, entry.spki, 'a pin is canonical');
          demand(standsIn(stands, entry.spki, name), 'a pin stands in the file', entry.spki);
        } else demandSame(entry.record.endpoint, endpoint, 'a record is of its endpoint');
      }
    };
    const { alone } = await forgedCertificates(from);
    const pem = `-----BEGIN CERTIFICATE-----\n${alone.certificate.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const spki = alone.keys.publicKey.export({ type: 'spki', format: 'pem' });
    const der = alone.keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const { emptyRecord } = await from('src/trust/record');
    const record = {
      ...emptyRecord('imap.example.org:993'),
      basis: 'pinned',
      pins: [
        {
          spki: key,
          kind: 'leaf',
          origin: 'added',
          firstSeen: 1,
          lastSeen: null,
          until: null,
          endedAt: null,
          evidence: null,
        },
      ],
    };
    const texts = {
      json: [JSON.stringify({ format: 'letterlock-pins', version: 1, madeAt: 'x', records: [record] })],
      list: [`# c\nimap.example.org:993 ${key};${key}\n${key}\n`],
      pem: [pem, pem + spki, spki],
      curl: [
        `url = "imaps://me:pw@imap.example.org/"\npinnedpubkey = "${key}"\nnext\nurl=https://x:8443\n--pinnedpubkey ${key}\n`,
      ],
      fetchmail: [
        `defaults protocol pop3\npoll a.example user "x" password "y" ssl sslfingerprint '${'0F:'.repeat(15)}0F'\nskip b.example\n`,
      ],
      getmail: [
        `[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = imap.example.org\nssl_fingerprints = ('${hex}',\n    "${hex}")\n`,
      ],
      gnutls: [
        `|g0|imap.example.org|imaps|0|${der}\n|c0|a.example|587|1900000000|6|${hex}\n|c0|a.example|25|0|7|${'cd'.repeat(48)}\n`,
      ],
      mbsync: [
        `IMAPAccount x\nHost imap.example.org\nSSLType IMAPS\nCertificateFile "~/x.pem"\n\nIMAPStore y\n`,
      ],
      mpop: [`account a\nhost a.example\ntls on\ntls_fingerprint ${hex}\n`],
      msmtp: [
        `defaults\ntls on\naccount a\nhost a.example\ntls_fingerprint ${'AB:'.repeat(31)}AB\naccount b : a\ntls_starttls off\n`,
      ],
      mutt: [`#H mail.example.org ${'AB'.repeat(16)}\n${pem}`],
      offlineimap: [
        `[Repository far]\nremotehost = imap.example.org\ncert_fingerprint = ${hex},\n  ${hex}\n`,
      ],
      thunderbird: [`# PSM\nimap.example.org:993:\tOID.2.16.840.1.101.3.4.2.1\t${'AB:'.repeat(31)}AB\t\n`],
    };
    const seeds = Object.entries(texts).flatMap(([name, list]) =>
      list.flatMap((text) =>
        [0, 64, 128].map((least) =>
          Buffer.concat([Buffer.of(choiceOf(names, name, least)), Buffer.from(text)]),
        ),
      ),
    );
    return { seeds, run };
  },
};

const choiceOf = (names, name, least) =>
  Array.from({ length: 256 }, (_, at) => at).find(
    (at) => at >= least && at % names.length === names.indexOf(name),
  );

/** Written out, or the hash of something in base64 that stands there. */
function standsIn({ text, squeezed }, spki, format) {
  const digest = Buffer.from(spki.slice(8), 'base64');
  if (text.includes(spki.slice(8, 50)) || squeezed.includes(digest.toString('hex'))) return true;
  if (['list', 'curl'].includes(format)) return false;
  // A certificate or a key in base64: of certificates it is enough that there are some.
  const pieces = [...text.matchAll(/[A-Za-z0-9+/_-]{40,}={0,2}/g)].map(([piece]) =>
    createHash('sha256').update(Buffer.from(piece, 'base64')).digest(),
  );
  return pieces.some((one) => one.equals(digest)) || text.includes('-----BEGIN ');
}
