import { describe, expect, test } from 'vitest';
import { readCrls } from '../../src/trust/crl.ts';
import { type Circumstances, Examiner } from '../../src/trust/examine.ts';
import { type Fault, faults as allFaults } from '../../src/trust/fault.ts';
import { keyEvidenceOf } from '../../src/trust/seen.ts';
import {
  anchorsOf,
  anyUsage,
  authorityIssuer,
  basicConstraints,
  clientAuth,
  cn,
  dns,
  ecKeys,
  endpointOf,
  extendedKeyUsage,
  extension,
  type Forged,
  forgeCa,
  forgeLeaf,
  ip,
  issuerSource,
  keyUsage,
  name,
  nameConstraints,
  rsaKeys,
  san,
  serverAuth,
  type Wish,
} from './forge.ts';
import { forgeCrl, listIssuer } from './forge-crl.ts';

const mail = san(dns('mail.example.org'));
const elsewhere = san(dns('other.example.org'));
const server = extendedKeyUsage(serverAuth);
const unknown = extension('1.2.3.4.5', Buffer.of(5, 0), true);
const garbled = extension('2.5.29.19', Buffer.of(4, 0));

const root = forgeCa('Example Root');
const middle = forgeCa('Example Intermediate', { issuer: root });
const lower = forgeCa('Example Lower', { issuer: middle });
const narrow = forgeCa('Example Narrow', { issuer: root, extensions: [basicConstraints(true, 0)] });
const belowNarrow = forgeCa('Example Below', { issuer: narrow });
const rolled = forgeCa('Example Narrow', { issuer: narrow });
const rsaRoot = forgeCa('RSA Root', { keys: rsaKeys(2048), algorithm: 'rsa-sha256' });
const weakRoot = forgeCa('Weak Root', { keys: rsaKeys(1024), algorithm: 'rsa-sha256' });
const oldRoot = forgeCa('Old Root', { version: 1, extensions: [] });
const sha1Root = forgeCa('SHA-1 Root', { algorithm: 'ec-sha1', serial: Buffer.of(0) });
const spentRoot = forgeCa('Spent Root', { to: '2026-02-01T00:00:00Z' });
const scanner = forgeCa('Avast Web/Mail Shield Root');
const confined = forgeCa('Example Confined', {
  issuer: root,
  extensions: [
    basicConstraints(true),
    keyUsage('keyCertSign'),
    nameConstraints({ permitted: [dns('example.net')] }),
  ],
});
const stranger = forgeCa('Unknown Root');
const strangeMiddle = forgeCa('Unknown Intermediate', { issuer: stranger });
const impostor = forgeCa('Example Root', { serial: Buffer.of(0x22) });
const selfSigned = forgeLeaf();
const selfSignedCa = forgeLeaf({ extensions: [mail, server, basicConstraints(true)] });

const leafOf = (issuer: Forged, wish: Wish = {}): Forged => forgeLeaf({ issuer, ...wish });
const rsaLeaf = (wish: Wish): Forged => forgeLeaf({ issuer: rsaRoot, algorithm: 'rsa-sha256', ...wish });

const now = Date.parse('2026-06-01T00:00:00Z');
const anchors = anchorsOf(root, rsaRoot, weakRoot, oldRoot, sha1Root, spentRoot, scanner);
const usual: Circumstances = {
  anchors,
  endpoint: endpointOf('mail.example.org'),
  chainError: null,
  now,
  clockSuspect: false,
};
type Changes = Partial<Circumstances>;
const bytes = (chain: readonly Forged[]): readonly Buffer[] => chain.map(({ certificate }) => certificate);
const examine = (chain: readonly Forged[], changes: Changes = {}) =>
  new Examiner().examine(bytes(chain), { ...usual, ...changes });

describe('a sound chain is CA valid', () => {
  test.each<[string, readonly Forged[], Changes]>([
    ['below the anchor', [leafOf(root)], {}],
    ['over an intermediate', [leafOf(middle), middle], {}],
    ['over two', [leafOf(lower), lower, middle], {}],
    ['with the anchor sent along', [leafOf(middle), middle, root], {}],
    ['in any order and with others between', [leafOf(lower), root, stranger, middle, lower], {}],
    ['without usages, which then are free', [leafOf(root, { extensions: [mail] })], {}],
    [
      'with several usages',
      [leafOf(root, { extensions: [mail, extendedKeyUsage(clientAuth, serverAuth)] })],
      {},
    ],
    [
      'with the key usage of signatures',
      [leafOf(root, { extensions: [mail, keyUsage('digitalSignature')] })],
      {},
    ],
    [
      'with the key usage of key agreement',
      [leafOf(root, { extensions: [mail, keyUsage('keyAgreement')] })],
      {},
    ],
    [
      'with a critical extension that is known',
      [leafOf(root, { extensions: [mail, basicConstraints(false)] })],
      {},
    ],
    [
      'with an unknown extension that is not critical',
      [leafOf(root, { extensions: [mail, extension('1.2.3.4.5', Buffer.of(5, 0))] })],
      {},
    ],
    [
      'with a serial number of 20 octets',
      [leafOf(root, { serial: Buffer.concat([Buffer.of(0), Buffer.alloc(20, 0xff)]) })],
      {},
    ],
    ['with a P-224 key', [leafOf(root, { keys: ecKeys('secp224r1') })], {}],
    ['with RSA 2048', [rsaLeaf({ keys: rsaKeys(2048) })], {}],
    ['below an anchor of version 1', [leafOf(oldRoot)], {}],
    ['below an anchor that signed itself with SHA-1 and has serial number 0', [leafOf(sha1Root)], {}],
    ['that is the anchor itself', [selfSigned], { anchors: anchorsOf(selfSigned) }],
    ['that is the anchor itself, though it is a CA', [selfSignedCa], { anchors: anchorsOf(selfSignedCa) }],
    [
      'whose issuer is spelt in other letters and another string type',
      [leafOf(root, { issuer: { ...root, subject: name(['2.5.4.3', ' EXAMPLE  root', 0x13]) } })],
      {},
    ],
    ['within the path length', [leafOf(narrow), narrow], {}],
    [
      'over a CA that signed its own new key, which no path length counts',
      [leafOf(rolled), rolled, narrow],
      {},
    ],
    [
      'for an address',
      [leafOf(root, { extensions: [san(ip(192, 0, 2, 1))] })],
      { endpoint: endpointOf('192.0.2.1', 'ip') },
    ],
    ['in its first second', [leafOf(root)], { now: Date.parse('2026-01-01T00:00:00Z') }],
    ['in its last second', [leafOf(root)], { now: Date.parse('2027-01-01T00:00:00.999Z') }],
    ['offline', [leafOf(root)], { chainError: undefined }],
  ])('%s', (_, chain, changes) => {
    expect(examine(chain, changes)).toMatchObject({ caValid: true, faults: [], chainsToAnchor: true });
  });
});

const past = { from: '2024-01-01T00:00:00Z', to: '2025-01-01T00:00:00Z' };
const future = { from: '2028-01-01T00:00:00Z', to: '2029-01-01T00:00:00Z' };

/** Does the chain reach an anchor all the same? */
const reaches = true;
const reachesNone = false;

const stapling = [mail, extension('1.3.6.1.5.5.7.1.24', Buffer.from('3003020105', 'hex'))];
const revoking = { ...anchorsOf(listIssuer), crls: { lists: readCrls(forgeCrl()) } };

const rows: readonly [string, readonly Forged[], boolean, readonly Fault[], Changes?][] = [
  ['a self-signed certificate', [selfSigned], reachesNone, ['self-signed']],
  [
    'a self-signed certificate that is a CA, as common tools make them',
    [selfSignedCa],
    reachesNone,
    ['self-signed'],
  ],
  [
    'a self-signed certificate that signed itself with SHA-1',
    [forgeLeaf({ algorithm: 'ec-sha1' })],
    reachesNone,
    ['self-signed'],
  ],
  [
    'a self-signed certificate, expired and for another name',
    [forgeLeaf({ ...past, extensions: [elsewhere, server] })],
    reachesNone,
    ['self-signed', 'expired', 'name-mismatch'],
  ],
  [
    'a self-signed certificate with the name of an anchor',
    [forgeLeaf({ subject: cn('Example Root') })],
    reachesNone,
    ['self-signed'],
  ],
  [
    'a certificate that only names itself as its issuer',
    [forgeLeaf({ issuer: { subject: cn('mail.example.org'), keys: ecKeys() } })],
    reachesNone,
    ['unknown-issuer'],
  ],

  ['an unknown CA', [leafOf(stranger)], reachesNone, ['unknown-issuer']],
  ['an unknown CA that is sent along', [leafOf(stranger), stranger], reachesNone, ['unknown-issuer']],
  [
    'a certificate that its own key signed in the name of another',
    [forgeLeaf({ issuer: { subject: cn('Somebody'), keys: selfSigned.keys } })],
    reachesNone,
    ['unknown-issuer'],
  ],
  [
    'an unknown CA of a name whose certificate was sent with another key',
    [
      leafOf(stranger, { extensions: [mail, issuerSource('http://ca.example/i.crt')] }),
      forgeCa('Unknown Root'),
    ],
    reachesNone,
    ['unknown-issuer'],
  ],
  [
    'an unknown CA with the name of an anchor, that tells where to find it',
    [leafOf(impostor, { extensions: [mail, issuerSource('http://ca.example/i.crt')] })],
    reachesNone,
    ['unknown-issuer'],
  ],
  [
    'an unknown CA beside a certificate that only OpenSSL can read',
    [leafOf(stranger), forgeCa('Another', { extensions: [garbled] })],
    reachesNone,
    ['malformed', 'unknown-issuer'],
  ],
  [
    'an unknown CA that is sent along and signed itself with SHA-1 and serial number 0',
    [leafOf(sha1Root), sha1Root],
    reachesNone,
    ['unknown-issuer'],
    { anchors: anchorsOf() },
  ],
  [
    'an unknown CA over an intermediate',
    [leafOf(strangeMiddle), strangeMiddle],
    reachesNone,
    ['unknown-issuer'],
  ],
  [
    'an unknown CA over an intermediate, both sent',
    [leafOf(strangeMiddle), strangeMiddle, stranger],
    reachesNone,
    ['unknown-issuer'],
  ],
  [
    'an unknown CA, expired and for another name',
    [leafOf(stranger, { ...past, extensions: [elsewhere, server] })],
    reachesNone,
    ['unknown-issuer', 'expired', 'name-mismatch'],
  ],
  ['an unknown CA with the name of an anchor', [leafOf(impostor), impostor], reachesNone, ['unknown-issuer']],
  [
    'an unknown CA with the name of an anchor, and the anchor sent along',
    [leafOf(impostor), root],
    reachesNone,
    ['unknown-issuer'],
  ],
  ['no anchors at all', [leafOf(root), root], reachesNone, ['unknown-issuer'], { anchors: anchorsOf() }],

  [
    'a missing intermediate that the certificate tells where to find',
    [leafOf(middle, { extensions: [mail, issuerSource('http://ca.example/i.crt')] })],
    reachesNone,
    ['incomplete-chain'],
  ],
  [
    'a missing intermediate below an anchor, as the key identifier says',
    [leafOf(middle, { extensions: [mail, authorityIssuer(root.subject)] })],
    reachesNone,
    ['incomplete-chain'],
  ],
  [
    'a missing intermediate in the middle',
    [
      leafOf(lower),
      forgeCa('Example Lower', {
        issuer: middle,
        keys: lower.keys,
        extensions: [basicConstraints(true), authorityIssuer(root.subject)],
      }),
    ],
    reachesNone,
    ['incomplete-chain'],
  ],
  ['a missing intermediate that nothing tells of', [leafOf(middle)], reachesNone, ['unknown-issuer']],
  [
    'an unknown CA whose intermediate tells of its root',
    [
      leafOf(strangeMiddle),
      forgeCa('Unknown Intermediate', {
        issuer: stranger,
        keys: strangeMiddle.keys,
        extensions: [basicConstraints(true), issuerSource('http://ca.example/r.crt')],
      }),
    ],
    reachesNone,
    ['unknown-issuer'],
  ],

  ['an expired certificate', [leafOf(root, past)], reaches, ['expired']],
  [
    'the second after the last',
    [leafOf(root)],
    reaches,
    ['expired'],
    { now: Date.parse('2027-01-01T00:00:01Z') },
  ],
  ['a certificate of the future', [leafOf(root, future)], reaches, ['not-yet-valid']],
  [
    'the last moment before the first',
    [leafOf(root)],
    reaches,
    ['not-yet-valid'],
    { now: Date.parse('2025-12-31T23:59:59.999Z') },
  ],
  [
    'a chain whose intermediate is of the future',
    [leafOf(middle), forgeCa('Example Intermediate', { issuer: root, keys: middle.keys, ...future })],
    reaches,
    ['not-yet-valid'],
  ],
  [
    'an expired intermediate',
    [leafOf(middle), forgeCa('Example Intermediate', { issuer: root, keys: middle.keys, ...past })],
    reaches,
    ['issuer-expired'],
  ],
  ['an expired anchor', [leafOf(spentRoot)], reaches, ['issuer-expired']],
  [
    'an expired intermediate of an unknown CA',
    [
      leafOf(strangeMiddle),
      forgeCa('Unknown Intermediate', { issuer: stranger, keys: strangeMiddle.keys, ...past }),
    ],
    reachesNone,
    ['unknown-issuer', 'issuer-expired'],
  ],
  [
    'all ends together',
    [leafOf(middle, past), forgeCa('Example Intermediate', { issuer: root, keys: middle.keys, ...past })],
    reaches,
    ['expired', 'issuer-expired'],
  ],

  ['another name', [leafOf(root, { extensions: [elsewhere, server] })], reaches, ['name-mismatch']],
  [
    'the name in the common name only',
    [leafOf(root, { extensions: [server] })],
    reaches,
    ['name-only-in-cn'],
  ],
  [
    'a wildcard within a label',
    [leafOf(root, { extensions: [san(dns('m*.example.org')), server], subject: cn('x') })],
    reaches,
    ['name-mismatch', 'wildcard-misused'],
  ],

  [
    'a usage for clients',
    [leafOf(root, { extensions: [mail, extendedKeyUsage(clientAuth)] })],
    reaches,
    ['wrong-purpose'],
  ],
  [
    'a usage for anything',
    [leafOf(root, { extensions: [mail, extendedKeyUsage(anyUsage)] })],
    reaches,
    ['wrong-purpose'],
  ],
  [
    'a key usage for signing certificates only',
    [leafOf(root, { extensions: [mail, keyUsage('keyCertSign')] })],
    reaches,
    ['wrong-purpose', 'off-profile'],
  ],
  [
    'an intermediate for clients',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', {
        issuer: root,
        keys: middle.keys,
        extensions: [basicConstraints(true), extendedKeyUsage(clientAuth)],
      }),
    ],
    reaches,
    ['wrong-purpose'],
  ],

  [
    'an intermediate that is no CA',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', {
        issuer: root,
        keys: middle.keys,
        extensions: [basicConstraints(false)],
      }),
    ],
    reaches,
    ['not-a-ca'],
  ],
  [
    'an intermediate without basic constraints',
    [leafOf(middle), forgeCa('Example Intermediate', { issuer: root, keys: middle.keys, extensions: [] })],
    reaches,
    ['not-a-ca'],
  ],
  [
    'an intermediate of version 1',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', { issuer: root, keys: middle.keys, version: 1, extensions: [] }),
    ],
    reaches,
    ['not-a-ca'],
  ],
  [
    'an intermediate that may not sign certificates',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', {
        issuer: root,
        keys: middle.keys,
        extensions: [basicConstraints(true), keyUsage('cRLSign')],
      }),
    ],
    reaches,
    ['not-a-ca'],
  ],
  [
    'a certificate of another server as issuer',
    [
      leafOf({ ...leafOf(root, { subject: cn('evil.example') }) }),
      leafOf(root, { subject: cn('evil.example') }),
    ],
    reaches,
    ['not-a-ca'],
  ],
  [
    'an anchor that is no CA',
    [leafOf(selfSigned, { subject: cn('b') })],
    reaches,
    ['not-a-ca'],
    { anchors: anchorsOf(selfSigned) },
  ],
  ['a path longer than a CA allows', [leafOf(belowNarrow), belowNarrow, narrow], reaches, ['path-too-long']],

  ['version 1', [leafOf(root, { version: 1, extensions: [mail] })], reaches, ['v1']],
  ['version 2', [leafOf(root, { version: 2, extensions: [mail] })], reaches, ['v1']],
  ['serial number 0', [leafOf(root, { serial: Buffer.of(0) })], reaches, ['bad-serial']],
  ['a negative serial number', [leafOf(root, { serial: Buffer.of(0xfb) })], reaches, ['bad-serial']],
  [
    'a serial number of 21 octets',
    [leafOf(root, { serial: Buffer.alloc(21, 0x11) })],
    reaches,
    ['bad-serial'],
  ],
  [
    'an intermediate with serial number 0',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', { issuer: root, keys: middle.keys, serial: Buffer.of(0) }),
    ],
    reaches,
    ['bad-serial'],
  ],
  [
    'a CA as server',
    [leafOf(root, { extensions: [mail, server, basicConstraints(true)] })],
    reaches,
    ['ca-as-leaf'],
  ],

  ['RSA 1024', [rsaLeaf({ keys: rsaKeys(1024) })], reaches, ['weak-key']],
  ['RSA with exponent 1', [rsaLeaf({ spki: exponentOne() })], reaches, ['weak-key']],
  ['P-192', [leafOf(root, { keys: ecKeys('prime192v1') })], reaches, ['weak-key']],
  [
    'a self-signed RSA 1024',
    [forgeLeaf({ keys: rsaKeys(1024), algorithm: 'rsa-sha256' })],
    reachesNone,
    ['weak-key', 'self-signed'],
  ],
  [
    'an intermediate with RSA 1024',
    [forgeLeaf({ issuer: weakMiddle(), algorithm: 'rsa-sha256' }), weakMiddle()],
    reaches,
    ['weak-key'],
  ],
  [
    'an anchor with RSA 1024',
    [forgeLeaf({ issuer: weakRoot, algorithm: 'rsa-sha256' })],
    reaches,
    ['weak-key'],
  ],
  ['a SHA-1 signature', [leafOf(root, { algorithm: 'ec-sha1' })], reaches, ['weak-signature']],
  ['a SHA-1 signature with RSA', [rsaLeaf({ algorithm: 'rsa-sha1' })], reaches, ['weak-signature']],
  ['an MD5 signature', [rsaLeaf({ algorithm: 'rsa-md5' })], reaches, ['weak-signature']],
  [
    'a SHA-1 signature under an intermediate',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', { issuer: root, keys: middle.keys, algorithm: 'ec-sha1' }),
    ],
    reaches,
    ['weak-signature'],
  ],
  [
    'a SHA-1 signature of an unknown CA',
    [leafOf(stranger, { algorithm: 'ec-sha1' })],
    reachesNone,
    ['weak-signature', 'unknown-issuer'],
  ],
  [
    'a critical extension nobody knows',
    [leafOf(root, { extensions: [mail, unknown] })],
    reaches,
    ['unknown-critical-extension'],
  ],
  [
    'a critical extension nobody knows in an intermediate',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', {
        issuer: root,
        keys: middle.keys,
        extensions: [basicConstraints(true), unknown],
      }),
    ],
    reaches,
    ['unknown-critical-extension'],
  ],
  ['what only OpenSSL can read', [leafOf(root, { extensions: [mail, garbled] })], reaches, ['malformed']],
  [
    'what only OpenSSL can read in an intermediate',
    [
      leafOf(middle),
      forgeCa('Example Intermediate', {
        issuer: root,
        keys: middle.keys,
        extensions: [basicConstraints(true), extension('2.5.29.14', Buffer.of(5, 0))],
      }),
    ],
    reaches,
    ['malformed', 'off-profile'],
  ],
  ['a name that a CA above may not certify', [leafOf(confined), confined], reaches, ['name-constraint']],
  [
    'a certificate that does not say whose key signed it',
    [leafOf(root, { identifiers: 'none' })],
    reaches,
    ['off-profile'],
  ],
  [
    'a certificate an antivirus program made, whose CA is trusted here',
    [leafOf(scanner)],
    reaches,
    ['known-interceptor'],
  ],
  [
    'the placeholder of a server that was told no name',
    [
      forgeLeaf({
        subject: name(
          ['2.5.4.11', 'No SNI provided; please fix your client.'],
          ['2.5.4.3', 'invalid2.invalid'],
        ),
        extensions: [server],
      }),
    ],
    reachesNone,
    ['known-interceptor', 'self-signed', 'name-mismatch'],
  ],
  ['nothing presented', [], reachesNone, ['malformed', 'unknown-issuer', 'name-mismatch']],
  ['a clock that is probably wrong', [leafOf(root)], reaches, ['clock-suspect'], { clockSuspect: true }],
  ['one that its CA revoked', [leafOf(listIssuer)], reaches, ['revoked'], { anchors: revoking }],
  [
    'must-staple without a staple',
    [leafOf(root, { extensions: stapling })],
    reaches,
    ['staple-missing'],
    { staple: null },
  ],
];

function weakMiddle(): Forged {
  const keys = weakRoot.keys;
  return forgeCa('Weak Intermediate', { issuer: root, keys });
}

function exponentOne(): Buffer {
  const usualKey = rsaRoot.keys.publicKey.export({ type: 'spki', format: 'der' });
  const at = usualKey.lastIndexOf(Buffer.from('0203010001', 'hex'));
  const modulus = usualKey.subarray(usualKey.indexOf(Buffer.from('02820101', 'hex')), at);
  const key = Buffer.concat([Buffer.from('0030820108', 'hex'), modulus, Buffer.from('020101', 'hex')]);
  const algorithm = Buffer.from('300d06092a864886f70d0101010500', 'hex');
  const bits = Buffer.concat([Buffer.from('03820' + key.length.toString(16), 'hex'), key]);
  return Buffer.concat([
    Buffer.from('3082' + (algorithm.length + bits.length).toString(16).padStart(4, '0'), 'hex'),
    algorithm,
    bits,
  ]);
}

describe('exactly what is wrong is listed, all of it', () => {
  test.each(rows)('%s', (_, chain, chainsToAnchor, faults, changes = {}) => {
    expect(examine(chain, changes)).toMatchObject({ caValid: false, faults, chainsToAnchor });
  });

  test('every fault there is stands in the table', () => {
    const listed = new Set<string>(rows.flatMap(([, , , faults]) => faults));
    expect(Object.keys(allFaults).filter((fault) => !listed.has(fault))).toEqual([]);
  });
});

describe("OpenSSL's verdict", () => {
  const good = [leafOf(root)];
  test.each<[string, readonly Fault[]]>([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', ['self-signed']],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', ['unknown-issuer']],
    ['SELF_SIGNED_CERT_IN_CHAIN', ['unknown-issuer']],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', ['unknown-issuer']],
    ['CERT_SIGNATURE_FAILURE', ['unknown-issuer']],
    ['CERT_HAS_EXPIRED', ['issuer-expired']],
    ['CERT_NOT_YET_VALID', ['not-yet-valid']],
    ['INVALID_PURPOSE', ['wrong-purpose']],
    ['INVALID_CA', ['not-a-ca']],
    ['PATH_LENGTH_EXCEEDED', ['path-too-long']],
    ['UNSPECIFIED', ['malformed']],
    ['CERT_REVOKED', ['malformed']],
    ['A_CODE_OF_LATER', ['malformed']],
    ['', ['malformed']],
    ['constructor', ['malformed']],
  ])('%j against a chain we find good leaves a fault', (chainError, faults) => {
    expect(examine(good, { chainError })).toMatchObject({ caValid: false, faults });
  });

  test.each<[string, readonly Forged[], readonly Fault[]]>([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', [selfSigned], ['self-signed']],
    ['CERT_HAS_EXPIRED', [forgeLeaf(past)], ['self-signed', 'expired']],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', [leafOf(stranger)], ['unknown-issuer']],
    ['CERT_HAS_EXPIRED', [leafOf(stranger, past)], ['unknown-issuer', 'expired']],
    ['SELF_SIGNED_CERT_IN_CHAIN', [leafOf(stranger), stranger], ['unknown-issuer']],
    ['UNSPECIFIED', [leafOf(root, { algorithm: 'ec-sha1' })], ['weak-signature']],
    [
      'INVALID_PURPOSE',
      [leafOf(root, { extensions: [mail, extendedKeyUsage(clientAuth)] })],
      ['wrong-purpose'],
    ],
  ])('%j adds nothing to what explains it', (chainError, chain, faults) => {
    expect(examine(chain, { chainError }).faults).toEqual(faults);
  });

  test('of another kind than what we found is not hidden by it', () => {
    const chain = [leafOf(root, { extensions: [elsewhere] })];
    expect(examine(chain, { chainError: 'UNSPECIFIED' }).faults).toEqual(['malformed', 'name-mismatch']);
  });

  test('that is good does not make an untrusted chain CA valid', () => {
    expect(examine([selfSigned], { chainError: null }).caValid).toBe(false);
    expect(examine([leafOf(stranger)], { chainError: null }).caValid).toBe(false);
  });
});

test('without a name nothing is CA valid, and no name is missed', () => {
  expect(examine([leafOf(root)], { endpoint: null })).toMatchObject({
    caValid: false,
    faults: [],
    chainsToAnchor: true,
  });
});

const crossed = (by: Forged, wish: Wish = {}): Forged =>
  forgeCa('Example Intermediate', { issuer: by, keys: middle.keys, ...wish });

describe('several paths', () => {
  test('an expired cross-signature beside a good path does no harm', () => {
    const chain = [leafOf(middle), crossed(spentRoot, past), middle];
    expect(examine(chain)).toMatchObject({ caValid: true, faults: [] });
  });

  test('the path is chosen anew at each time', () => {
    const examiner = new Examiner();
    const chain = bytes([
      leafOf(middle),
      crossed(root, { to: '2026-03-01T00:00:00Z' }),
      crossed(root, { from: '2026-02-01T00:00:00Z' }),
    ]);
    const at = (time: string) => examiner.examine(chain, { ...usual, now: Date.parse(time) });
    expect(at('2026-01-15T00:00:00Z')).toMatchObject({
      caValid: true,
      pathNotAfter: Date.parse('2026-03-01T00:00:00Z'),
    });
    expect(at('2026-06-15T00:00:00Z')).toMatchObject({
      caValid: true,
      pathNotAfter: Date.parse('2027-01-01T00:00:00Z'),
    });
  });

  test('of several as good as each other the first that was sent is taken', () => {
    const sooner = crossed(root, { to: '2026-09-01T00:00:00Z' });
    const end = (...issuers: readonly Forged[]) => examine([leafOf(middle), ...issuers]).pathNotAfter;
    expect(end(sooner, middle)).toBe(Date.parse('2026-09-01T00:00:00Z'));
    expect(end(middle, sooner)).toBe(Date.parse('2027-01-01T00:00:00Z'));
  });

  test('one with a CA that was taken back is the last to be taken, whatever is wrong with the other', () => {
    const revoked = crossed(listIssuer);
    const worse = crossed(root, { ...past, algorithm: 'ec-sha1', serial: Buffer.of(0) });
    const both = { ...revoking, ...anchorsOf(listIssuer, root) };
    for (const issuers of [
      [revoked, worse],
      [worse, revoked],
    ])
      expect(examine([leafOf(middle), ...issuers], { anchors: both }).faults).toEqual([
        'weak-signature',
        'issuer-expired',
        'bad-serial',
      ]);
    expect(examine([leafOf(middle), revoked], { anchors: both }).faults).toEqual(['revoked']);
  });

  test('a broken certificate that no path needs does no harm', () => {
    expect(
      examine([leafOf(middle), crossed(root, { extensions: [basicConstraints(true), garbled] }), middle]),
    ).toMatchObject({ caValid: true, faults: [] });
  });

  test('CAs that sign each other end nowhere, and are gone through once', () => {
    const [one, two] = [
      { subject: cn('One'), keys: ecKeys() },
      { subject: cn('Two'), keys: ecKeys() },
    ];
    const chain = [
      leafOf({ ...one, certificate: Buffer.alloc(0) }),
      forgeCa('One', { keys: one.keys, issuer: two, extensions: [basicConstraints(true, 1)] }),
      forgeCa('Two', { keys: two.keys, issuer: one, extensions: [basicConstraints(true, 1)] }),
    ];
    expect(examine(chain)).toMatchObject({ faults: ['unknown-issuer'], chainsToAnchor: false });
  });
});

test('dates come from the moment, the earliest end of the path from the anchor too', () => {
  const soon = forgeCa('Soon', { to: '2026-07-01T00:00:00Z' });
  expect(examine([leafOf(soon)], { anchors: anchorsOf(soon) }).pathNotAfter).toBe(
    Date.parse('2026-07-01T00:00:00Z'),
  );
  expect(examine([leafOf(stranger)]).pathNotAfter).toBeNull();
  expect(examine([selfSigned], { anchors: anchorsOf(selfSigned) }).pathNotAfter).toBe(
    Date.parse('2027-01-01T00:00:00Z'),
  );
  const undated = forgeLeaf({ from: 'some day' });
  expect(examine([undated], { anchors: anchorsOf(undated) })).toMatchObject({
    chainsToAnchor: true,
    faults: ['malformed'],
    pathNotAfter: null,
  });
});

test('a CA says nothing over a legacy handshake, however good the chain', () => {
  const good = [leafOf(root)];
  expect(examine(good, { profile: 'legacy' })).toMatchObject({ caValid: false, chainsToAnchor: true });
  expect(examine(good, { profile: 'modern' }).caValid).toBe(true);
});

describe('what a record keeps', () => {
  test('is the leaf, with the examination it was seen in', () => {
    const leaf = leafOf(root, { extensions: [san(dns('a.example'), ip(192, 0, 2, 1))] });
    const examined = examine([leaf]);
    expect(keyEvidenceOf({ examined, now, profile: 'modern' })).toEqual({
      seenAt: now,
      caValid: false,
      faults: ['name-mismatch'],
      chainsToAnchor: true,
      sha256: examined.chain[0]?.sha256,
      subject: 'CN=mail.example.org',
      issuer: 'CN=Example Root',
      names: ['a.example', '192.0.2.1'],
      notBefore: Date.parse('2026-01-01T00:00:00Z'),
      notAfter: Date.parse('2027-01-01T00:00:00Z'),
      pem: examined.chain[0]?.pem,
    });
  });

  test('remembers that the handshake was a legacy one', () => {
    const kept = keyEvidenceOf({ examined: examine([leafOf(root)]), now, profile: 'legacy' });
    expect(kept).toMatchObject({ legacy: true });
  });

  test('is bounded', () => {
    const names = Array.from({ length: 400 }, (_, at) => dns(`${'x'.repeat(400)}${at}.example`));
    const kept = keyEvidenceOf({
      examined: examine([leafOf(root, { subject: cn('y'.repeat(9000)), extensions: [san(...names)] })]),
      now,
      profile: 'modern',
    });
    expect(kept?.names).toHaveLength(50);
    expect(Math.max(...(kept?.names ?? []).map(({ length }) => length))).toBe(256);
    expect(kept?.subject).toHaveLength(512);
  });

  test('is nothing when nothing was presented', () => {
    expect(keyEvidenceOf({ examined: examine([]), now, profile: 'modern' })).toBeNull();
  });
});
