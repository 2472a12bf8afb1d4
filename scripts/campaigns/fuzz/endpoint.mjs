// Names of servers and fingerprints as people write them (src/endpoint.ts, src/punycode.ts, src/trust/fingerprint.ts):
// nothing but a RangeError, one canonical spelling that reads back as itself, and the page reads a fingerprint as the
// daemon does.

import { demand, demandPlain, demandSame, onlyThrows } from './engine/broken.mjs';

export const target = {
  name: 'endpoint',
  files: ['src/endpoint', 'src/punycode', 'src/trust/fingerprint', 'src/admin/dashboard/words/fingerprint'],
  dictionary: [
    'imap.example.org',
    ':993',
    '[2001:db8::1]',
    '[::ffff:1.2.3.4]',
    '%eth0',
    '%41',
    '%',
    '.',
    '..',
    'xn--',
    'xn--bcher-kva',
    'b\xc3\xbccher',
    '\xc3\x9f',
    '\xef\xbc\xa1',
    '0x7f',
    '127.1',
    '192.0.2.1',
    '\xe3\x80\x82',
    '_',
    '-',
    'sha256//',
    'SHA256 Fingerprint=',
    'sha256:',
    'AB:',
    '=',
  ],
  longest: 1200,
  prepare: async (from) => {
    const { canonicalHost, parseEndpoint, parsePort } = await from('src/endpoint');
    const { decodePunycode, encodePunycode } = await from('src/punycode');
    const { matchesFingerprint, normalizeReference, parseFingerprint } = await from('src/trust/fingerprint');
    const { readTyped } = await from('src/admin/dashboard/words/fingerprint');
    const checkEndpoint = (text) => {
      const endpoint = onlyThrows(['RangeError'], () => parseEndpoint(text));
      onlyThrows(['RangeError'], () => parsePort(text));
      const host = onlyThrows(['RangeError'], () => canonicalHost(text));
      if (host !== undefined) {
        demandSame(canonicalHost(host.host), host, 'a canonical host is canonical');
        demand(/^[a-z0-9_.:-]+$/.test(host.host), 'a canonical host is plain', host.host);
        demand(
          host.kind === 'ip' || !/^[\d.]+$/.test(host.host),
          'what looks like an address is one',
          host.host,
        );
      }
      if (endpoint === undefined) return;
      demandSame(parseEndpoint(endpoint.name), endpoint, 'the name of an endpoint reads back as it');
      demandPlain(endpoint.name, 'the name of an endpoint');
      demand(
        endpoint.host.length <= 253 && endpoint.port >= 1 && endpoint.port <= 65_535,
        'an endpoint is within bounds',
      );
    };
    const checkPunycode = (text) => {
      const decoded = onlyThrows(['RangeError'], () => decodePunycode(text));
      if (typeof decoded === 'string') onlyThrows(['RangeError'], () => encodePunycode(decoded));
      const encoded = onlyThrows(['RangeError'], () => encodePunycode(text));
      if (typeof encoded === 'string' && encoded !== '')
        demandSame(
          onlyThrows(['RangeError'], () => decodePunycode(encoded)) ?? text,
          text,
          'what was encoded decodes to itself',
        );
    };
    const checkFingerprint = (text) => {
      const read = parseFingerprint(text);
      const typed = readTyped(text);
      normalizeReference(text);
      const digest =
        read === null
          ? null
          : Buffer.from(
              read.kind === 'spki' ? read.value.slice(8) : read.value.replaceAll(':', ''),
              read.kind === 'spki' ? 'base64' : 'hex',
            ).toString('hex');
      demandSame(typed.digest ?? null, digest, 'the page reads a fingerprint as the daemon does');
      if (read === null) return;
      demandSame(parseFingerprint(read.value), read, 'a fingerprint reads back as itself');
      demand(digest.length === 64, 'a fingerprint is whole', digest);
      const other = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;
      demand(
        !matchesFingerprint(text, { spki: other, sha256: null }) ||
          read.value === other ||
          digest === '07'.repeat(32),
        'a fingerprint matches its own key alone',
        text,
      );
    };
    const run = (bytes) => {
      for (const text of [bytes.toString('utf8'), bytes.toString('latin1')]) {
        checkEndpoint(text);
        checkFingerprint(text);
        if (text.length < 80) checkPunycode(text);
      }
    };
    const key = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
    const seeds = [
      'imap.example.org:993',
      'IMAP.Example.org.:993',
      '[2001:DB8::1]:993',
      '192.0.2.1:143',
      'b\xc3\xbccher.example:993',
      'xn--bcher-kva.example:1',
      '127.1:1',
      '[fe80::1%eth0]:1',
      '%69map.example.org:993',
      'example.0x7f:1',
      key,
      `${key} `,
      key.slice(0, -1),
      '01:'.repeat(31) + '01',
      'SHA256 Fingerprint=' + '01'.repeat(32),
      '7F3AK2QM',
      'xn--',
      'xn--a-ecp.ru:1',
      '\xe3\x80\x82:1',
    ];
    return { seeds, run };
  },
};
