// Whose certificate it is (src/trust/identity.ts, src/trust/general-name.ts): where the strict matcher says yes, a second
// one says yes as well that knows only whole names, one star and octets of addresses, and reads the SAN by itself.

import { demand, onlyThrows } from './engine/broken.mjs';
import { elementsIn, forgedCertificates } from './engine/der.mjs';

const hosts = [
  'mail.example.org',
  'a.mail.example.org',
  'example.org',
  'org',
  'xn--bcher-kva.example',
  '192.0.2.1',
  '2001:db8::1',
  '127.0.0.1',
  '*.example.org',
];

/** Lower case of ASCII alone. */
const lower = (text) =>
  [...text]
    .map((char) => (char >= 'A' && char <= 'Z' ? String.fromCharCode(char.charCodeAt(0) + 32) : char))
    .join('');

function simplyMatches(name, host) {
  const [labels, wanted] = [lower(name).split('.'), host.split('.')];
  if (labels.length !== wanted.length) return false;
  const [first, ...others] = labels;
  if (others.some((label, at) => label !== wanted[at + 1] || label === '')) return false;
  if (first === wanted[0] && first !== '' && !first.includes('*')) return true;
  return (
    first === '*' && labels.length >= 3 && wanted[0] !== '' && others.every((label) => !label.includes('*'))
  );
}

/** A host, and names that must not be taken for it. */
const misuses = [
  ['example.org', '*.org', '*', '**.org', 'e*.org'],
  [
    'mail.example.org',
    '*.org',
    'm*.example.org',
    '*l.example.org',
    'mail.*.org',
    'mail.example.*',
    '*.*.org',
  ],
  ['a.mail.example.org', '*.example.org', 'a.*.example.org', '*.*.example.org'],
  ['org', '*', '.', 'org.'],
  [
    'mail.example.org',
    'mail.example.org.',
    '.mail.example.org',
    'mail..org',
    'mail.example.org\0.evil.example',
  ],
];

/** Octets of the hosts above that are addresses. */
const octetsOf = {
  '192.0.2.1': [192, 0, 2, 1],
  '127.0.0.1': [127, 0, 0, 1],
  '2001:db8::1': [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
};

/** Whether a SAN, read here, names this host. */
function simplyNames(san, { host, kind }) {
  const outer = elementsIn(san, 0, san.length);
  if (outer === null || outer.length !== 1 || outer[0].tag !== 0x30) return false;
  const names = elementsIn(san, outer[0].from, outer[0].to) ?? [];
  return names.some(({ tag, from, to }) => {
    const value = san.subarray(from, to);
    if (kind === 'ip') return tag === 0x87 && value.join() === octetsOf[host]?.join();
    return tag === 0x82 && simplyMatches(value.toString('latin1'), host);
  });
}

const values = (fc) => {
  const label = fc.constantFrom(
    'mail',
    'MAIL',
    'example',
    'org',
    '*',
    'm*',
    '*l',
    'm*l',
    '',
    'xn--*',
    'a',
    'maıl',
    'ＭＡＩＬ',
    'mail\0',
    ' mail',
    '127',
    '0',
    '1',
  );
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
  const host = fc.oneof(
    fc.constantFrom('mail.example.org', 'example.org', 'a.b.example.org', 'org'),
    fc
      .array(fc.constantFrom('mail', 'example', 'org', 'a'), { minLength: 1, maxLength: 5 })
      .map((labels) => labels.join('.')),
  );
  return fc.record({
    host,
    names: fc.array(name, { maxLength: 4 }),
    common: fc.array(name, { maxLength: 2 }),
  });
};

const isTexts = (list) => Array.isArray(list) && list.every((one) => typeof one === 'string');

/** JSON of `{host, names}` made by fast-check, or a SAN behind a byte that chooses the host. */
export const target = {
  name: 'names',
  files: ['src/trust/identity', 'src/trust/general-name', 'src/trust/der'],
  dictionary: [
    '\x82',
    '\x87\x04',
    '\x87\x10',
    '\xa0',
    '*.',
    '*',
    '.',
    'mail',
    'example',
    'org',
    'mail.example.org',
    '*.example.org',
    'xn--',
    '\xc0\0\x02\x01',
    '\0',
    '\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x07',
    '\x81\x7f',
  ],
  longest: 2000,
  prepare: async (from) => {
    const { matchIdentity } = await from('src/trust/identity');
    const { readGeneralNames } = await from('src/trust/general-name');
    const { isFault } = await from('src/trust/fault');
    const { forge } = await forgedCertificates(from);
    const endpointOf = (host) => forge.endpointOf(host, /^[\d.]+$|:/.test(host) ? 'ip' : 'dns');
    const checkFaults = ({ match, faults }) => {
      demand(
        faults.every(isFault) && match === (faults.length === 0),
        'a match has no fault, and no match has one',
        faults,
      );
      const which = faults.filter((fault) => fault === 'name-mismatch' || fault === 'name-only-in-cn');
      demand(match || which.length === 1, 'it is one of two faults where nothing matches', faults);
    };
    const checkText = ({ host, names, common }) => {
      const alternative = names.map((value) => ({ type: 'dns', value }));
      const outcome = matchIdentity(
        { alternative, common },
        { name: `${host}:993`, host, port: 993, kind: 'dns' },
      );
      checkFaults(outcome);
      const simple = names.some((name) => simplyMatches(name, host));
      demand(
        !outcome.match || simple,
        'what the strict matcher accepts the simple one accepts',
        JSON.stringify({ host, names }),
      );
      const exact = names.some((name) => name === host && !host.includes('*'));
      demand(outcome.match || !exact, 'the very name matches', host);
    };
    const run = (bytes) => {
      if (bytes[0] === 0x7b) {
        const given = parsed(bytes);
        if (given !== null) checkText(given);
        return;
      }
      const host = hosts[(bytes[0] ?? 0) % hosts.length];
      const san = bytes.subarray(1);
      const read = onlyThrows(['DerError'], () => readGeneralNames(san));
      if (read === undefined) return;
      const endpoint = endpointOf(host);
      const outcome = matchIdentity({ alternative: read.names, common: [host] }, endpoint);
      checkFaults(outcome);
      demand(
        !outcome.match || simplyNames(san, endpoint),
        'what the strict matcher accepts the simple one finds in the octets',
        san.toString('hex'),
      );
    };
    const sanOf = (...names) => Buffer.concat([Buffer.of(0), forge.sequence(...names)]);
    const seeds = [
      ...misuses.map(([host, ...names]) => JSON.stringify({ host, names, common: [host] })),
      sanOf(forge.dns('mail.example.org')),
      sanOf(forge.dns('*.example.org'), forge.ip(192, 0, 2, 1)),
      sanOf(forge.srv('_imaps.example.org'), forge.email('a@b'), forge.uri('x://y')),
      ...hosts.map((_, at) =>
        Buffer.concat([
          Buffer.of(at),
          sanOf(
            forge.dns('*.mail.example.org'),
            forge.ip(127, 0, 0, 1),
            forge.ip(...octetsOf['2001:db8::1']),
          ).subarray(1),
        ]),
      ),
    ];
    return { seeds, run, values };
  },
};

function parsed(bytes) {
  try {
    const { host, names, common } = JSON.parse(bytes.toString('utf8'));
    return typeof host === 'string' &&
      isTexts(names) &&
      isTexts(common) &&
      /^[a-z0-9.-]+$/.test(host) &&
      host !== ''
      ? { host, names, common }
      : null;
  } catch {
    return null;
  }
}
