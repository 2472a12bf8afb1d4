// Octets where a certificate belongs: describing them never throws, is bounded, and prints nothing that acts; a frame that is
// no strict DER is malformed; a mutant is CA-valid under no anchor; and the names it is said to have are those that a
// look at its octets finds.

import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { demand, demandPlain, onlyThrows } from './engine/broken.mjs';
import { forgedCertificates, isStrictFrame } from './engine/der.mjs';

const now = Date.parse('2026-06-01T00:00:00Z');
const mostText = 100_000;

/** Every text in a value. */
function* textsIn(value) {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* textsIn(part);
}

const pem = (der) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;

export const target = {
  name: 'certificate',
  files: [
    'certificate',
    'parsed-certificate',
    'frame',
    'extensions',
    'general-name',
    'distinguished-name',
    'bound-name',
    'name-constraints',
    'algorithm',
    'profile',
    'single-faults',
    'der',
    'path',
    'path-faults',
  ].map((file) => `src/trust/${file}`),
  dictionary: [
    '\x55\x1d\x11',
    '\x55\x1d\x13',
    '\x55\x1d\x1e',
    '\x55\x1d\x0f',
    '\x55\x1d\x23',
    '\x55\x1d\x25',
    '\x82',
    '\x87\x04',
    '\xa0',
    '\x0c',
    '\x1e',
    '\x1c',
    '\x1b]0;x\x07',
    '\xe2\x80\xae',
    '\xe2\x81\xa7',
    '\0',
    '-----BEGIN CERTIFICATE-----\n',
    '\n-----END CERTIFICATE-----\n',
    '\x81\x7f',
    '\x82\x00\xff',
  ],
  longest: 4096,
  prepare: async (from) => {
    const { describeParsed, readCertificates } = await from('src/trust/certificate');
    const { escapeText } = await from('src/trust/escape');
    const { Examiner } = await from('src/trust/examine');
    const { isFault } = await from('src/trust/fault');
    const { parseCertificate } = await from('src/trust/parsed-certificate');
    await Promise.all(target.files.map(from));
    const { forge, root, leaf, alone, old } = await forgedCertificates(from);
    const anchors = { digest: 'root', certificates: [root.certificate] };
    const endpoint = forge.endpointOf('mail.example.org');
    const circumstances = { anchors, endpoint, chainError: null, now, clockSuspect: false };
    const examine = (chain) => new Examiner({ chains: 2, octets: 100_000 }).examine(chain, circumstances);
    demand(
      examine([leaf.certificate]).caValid,
      'the certificate that was forged is CA-valid',
      examine([leaf.certificate]).faults,
    );
    const run = (bytes) => {
      const parsed = parseCertificate(bytes);
      const description = describeParsed(parsed);
      const shown = { ...description, pem: '' };
      demand(
        JSON.stringify(shown).length <= mostText,
        'a description is bounded',
        () => JSON.stringify(shown).length,
      );
      for (const text of textsIn(shown)) demandPlain(escapeText(text), 'a description on a terminal');
      demand(description.faults.every(isFault), 'a fault is one of the list', description.faults);
      demand(
        parsed.malformed || isStrictFrame(bytes),
        'a frame that is no strict DER is malformed',
        bytes.toString('hex'),
      );
      demand(
        parsed.malformed === description.faults.includes('malformed'),
        'who describes and who parses agree on malformed',
      );
      for (const { type, value } of parsed.extensions.names)
        if (type === 'dns')
          demand(bytes.includes(Buffer.from(value, 'latin1')), 'a name stands in the certificate', value);
      onlyThrows(['RangeError'], () => readCertificates(bytes));
      if (bytes.length > 2500 || (bytes.at(-1) ?? 0) % 4 !== 0) return;
      const { caValid, faults } = examine([bytes, root.certificate]);
      demand(!caValid || bytes.equals(leaf.certificate), 'no mutant is CA-valid');
      demand(
        faults.every(isFault) && examine([leaf.certificate, bytes]).faults.every(isFault),
        'a fault of a chain is one of the list',
      );
    };
    const forged = [leaf, alone, root, old].map(({ certificate }) => certificate);
    const real = rootCertificates.slice(0, 40).map((text) => new X509Certificate(text).raw);
    const seeds = [
      ...forged,
      ...real.toSorted((one, other) => one.length - other.length).slice(0, 4),
      real[0],
    ];
    return { seeds: [...seeds, pem(alone.certificate), pem(root.certificate) + pem(leaf.certificate)], run };
  },
};
