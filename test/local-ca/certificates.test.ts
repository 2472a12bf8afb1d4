// The certificates by themselves: what the CA may vouch for, what a leaf shows, when each is due.

import { createPrivateKey } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { readAuthority, standingOf } from '../../src/local-ca/authority.ts';
import {
  constraintsFor,
  decodeConstraints,
  encodeConstraints,
  notPermitted,
} from '../../src/local-ca/constraints.ts';
import { makeAuthority, makeLeaf } from '../../src/local-ca/issue.ts';
import { listenEverywhere, localNames } from '../../src/local-ca/names.ts';
import { readPair, UnusablePair, type Pair, type PairText } from '../../src/local-ca/pair.ts';
import { isDue } from '../../src/local-ca/ready.ts';
import { describeCertificate } from '../../src/trust/certificate.ts';
import { selfSigned } from '../net/peers.ts';
import { plainRoute } from '../proxy/route.ts';
import { day, tlsRoute } from './world.ts';

const pairOf = ({ certificate, key }: PairText): Pair =>
  readPair({ certificate: Buffer.from(certificate), key: Buffer.from(key) });
const owner = { host: 'ada.example', user: 'ada' };
const usual = localNames([], []);
const ip = (hex: string): string => {
  const octets = (hex.length / 2).toString(16).padStart(2, '0');
  const outer = (hex.length / 2 + 2).toString(16).padStart(2, '0');
  return `30${outer}87${octets}${hex}`;
};
const now = Date.UTC(2026, 10, 25, 12, 0, 0, 500);

describe('names', () => {
  it.each([
    ['none but the usual ones', ['127.0.0.1'], [], ['localhost'], ['127.0.0.1', '::1']],
    ['of the listener', ['mail.box'], [], ['localhost', 'mail.box'], ['127.0.0.1', '::1']],
    ['of an address listened on', ['192.0.2.7'], [], ['localhost'], ['127.0.0.1', '::1', '192.0.2.7']],
    ['without those that stand for all', ['0.0.0.0', '::'], [], ['localhost'], ['127.0.0.1', '::1']],
    [
      'of the configuration, each once',
      ['localhost', 'b.box'],
      ['b.box', 'a.box', 'fd00::2', '::1'],
      ['localhost', 'a.box', 'b.box'],
      ['127.0.0.1', '::1', 'fd00::2'],
    ],
  ])('%s', (_, hosts, configured, dns, addresses) => {
    const routes = hosts.map((host) => tlsRoute({}, host));
    expect(localNames(routes, configured)).toEqual({ dns, addresses });
  });

  it('of a route without TLS, with own files, or on a socket file do not count', () => {
    const own = { certificate: '/a.crt', key: '/a.key' };
    const routes = [
      { ...plainRoute, listen: [{ kind: 'tcp', host: 'plain.box', port: 1 } as const] },
      tlsRoute({ files: own }, 'own.box'),
      { ...tlsRoute(), listen: [{ kind: 'unix', path: '/x', mode: 0o600, group: null } as const] },
    ];
    expect(localNames(routes, [])).toEqual(usual);
  });

  it('are unknown of a route that listens everywhere', () => {
    expect(listenEverywhere([tlsRoute({}, '0.0.0.0'), tlsRoute({}, '::'), tlsRoute()])).toHaveLength(2);
  });
});

describe('name constraints', () => {
  it('are encoded as RFC 5280 section 4.2.1.10 says: an address is followed by its mask', () => {
    const names = { dns: ['localhost'], addresses: ['192.0.2.7', 'fd00::1'] };
    const ones = 'ff'.repeat(16);
    const subtrees = [
      `300b8209${Buffer.from('localhost').toString('hex')}`,
      ip('7f000000ff000000'),
      ip(`${'00'.repeat(15)}01${ones}`),
      ip('c0000207ffffffff'),
      ip(`fd00${'00'.repeat(13)}01${ones}`),
    ].join('');
    const length = subtrees.length / 2;
    const encoded = Buffer.from(encodeConstraints(constraintsFor(names))).toString('hex');
    expect(encoded).toBe(`30${(length + 2).toString(16)}a0${length.toString(16)}${subtrees}`);
  });

  it('read back the same', () => {
    const constraints = constraintsFor({ dns: ['localhost', 'a.box'], addresses: ['127.9.9.9', 'fd00::1'] });
    expect(constraints.networks).toEqual(['127.0.0.0/8', '::1/128', 'fd00::1/128']);
    expect(decodeConstraints(Buffer.from(encodeConstraints(constraints)))).toEqual(constraints);
  });

  const constraints = { dns: ['localhost', 'mail.box'], networks: ['127.0.0.0/8', '::1/128', 'fd00::1/128'] };
  it.each([
    ['a name itself', ['mail.box'], [], []],
    ['a name below', ['imap.mail.box'], [], []],
    ['a name that only ends alike', ['mymail.box', 'box'], [], ['mymail.box', 'box']],
    ['addresses within', [], ['127.200.0.1', '::1', 'fd00::1'], []],
    ['addresses outside', [], ['128.0.0.1', '::2', 'fd00::2'], ['128.0.0.1', '::2', 'fd00::2']],
  ])('permit or not: %s', (_, dns, addresses, refused) => {
    expect(notPermitted(constraints, { dns, addresses })).toEqual(refused);
  });

  it('that are not there refuse nothing', () => {
    expect(notPermitted(null, { dns: ['a.b'], addresses: ['192.0.2.1'] })).toEqual([]);
    expect(notPermitted({ dns: [], networks: [] }, { dns: ['a.b'], addresses: ['192.0.2.1'] })).toEqual([]);
  });
});

describe('a CA', () => {
  it('vouches for servers with local names, for ten years, and says whose it is', async () => {
    const text = await makeAuthority(localNames([], ['mail.box']), { owner, now });
    const { parsed } = pairOf(text);
    expect(describeCertificate(parsed.der)).toMatchObject({
      subject: expect.stringMatching(
        /^OU=ada@ada\.example, O=letterlock, CN=letterlock local CA \(ada\.example\\, 2026-11-25 [0-9a-f]{4}\)$/,
      ),
      names: [],
      notBefore: '2026-11-24T12:00:00.000Z',
      notAfter: '2036-11-24T12:00:00.000Z',
      key: 'EC P-256',
      signature: 'ecdsa-with-SHA256',
      keyUsage: ['keyCertSign'],
      extendedKeyUsage: ['serverAuth'],
      ca: true,
      faults: ['self-signed'],
    });
    expect(parsed.extensions.basicConstraints).toEqual({ ca: true, pathLength: 0 });
    expect(readAuthority(parsed.der).constraints).toEqual({
      dns: ['localhost', 'mail.box'],
      networks: ['127.0.0.0/8', '::1/128'],
    });
  });

  it('has a sound name whatever the machine and its user are called', async () => {
    const odd = { host: `${'ä'.repeat(300)}, CN=x`, user: '' };
    const { parsed } = pairOf(await makeAuthority(usual, { owner: odd, now }));
    expect(parsed.malformed).toBe(false);
    expect(parsed.subject.commonNames).toEqual([expect.stringMatching(/^letterlock local CA \(-{24}, /)]);
    expect(parsed.subject.commonNames[0]?.length).toBeLessThanOrEqual(64);
  });

  it('is another one each time, by name too', async () => {
    const made = await Promise.all([1, 2].map(() => makeAuthority(usual, { owner, now })));
    const subjects = made.map((text) => pairOf(text).parsed.subject.text);
    expect(new Set(subjects).size).toBe(2);
  });

  it('stands to what is wanted of it', async () => {
    const authority = readAuthority(pairOf(await makeAuthority(usual, { owner, now })).parsed.der);
    const standing = (at: number, names = usual): string => standingOf(authority, { names, now: at }).state;
    expect(standing(now)).toBe('good');
    expect(standing(now, localNames([], ['mail.box']))).toBe('narrow');
    expect(standing(now, localNames([], ['127.3.3.3', 'x.localhost']))).toBe('good');
    expect(standing(authority.notBefore - 1)).toBe('early');
    expect(standing(authority.notAfter - 90 * day)).toBe('good');
    expect(standing(authority.notAfter - 90 * day + 1)).toBe('ending');
    expect(standing(authority.notAfter)).toBe('ended');
  });

  it('is not what merely lies in its place', async () => {
    const { parsed } = pairOf(await selfSigned().then(({ cert, key }) => ({ certificate: cert, key })));
    expect(() => readAuthority(parsed.der)).toThrow('is not the certificate of a CA');
    expect(() => readAuthority(Buffer.from('nonsense'))).toThrow('is not a certificate that can be read');
  });
});

describe('a leaf', () => {
  it.each([
    ['ecdsa', 'EC P-256', ['digitalSignature']],
    ['rsa', 'RSA 2048', ['digitalSignature', 'keyEncipherment']],
  ] as const)('of kind %s shows the names for ninety days, backdated a day', async (kind, key, keyUsage) => {
    const authority = pairOf(await makeAuthority(usual, { owner, now }));
    const leaf = pairOf(await makeLeaf(authority, { names: localNames([], ['127.0.0.9']), kind, now }));
    expect(describeCertificate(leaf.parsed.der)).toMatchObject({
      subject: 'O=letterlock, CN=localhost',
      issuer: authority.parsed.subject.text,
      names: [
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
        { type: 'ip', value: '127.0.0.9' },
      ],
      notBefore: '2026-11-24T12:00:00.000Z',
      notAfter: '2027-02-23T12:00:00.000Z',
      key,
      signature: 'ecdsa-with-SHA256',
      keyUsage,
      extendedKeyUsage: ['serverAuth'],
      ca: false,
      faults: [],
    });
    const { authorityKey, subjectKeyId } = leaf.parsed.extensions;
    expect(authorityKey?.keyId).toBe(authority.parsed.extensions.subjectKeyId);
    expect(subjectKeyId).not.toBe(authorityKey?.keyId);
  });

  it('never outlives its CA', async () => {
    const authority = pairOf(await makeAuthority(usual, { owner, now: now - 3640 * day }));
    const leaf = pairOf(await makeLeaf(authority, { names: usual, kind: 'ecdsa', now }));
    expect(leaf.notAfter).toBe(authority.notAfter);
  });

  it('is not made by a CA that letterlock did not make', async () => {
    const { cert, key } = await selfSigned();
    const foreign = pairOf({ certificate: cert, key });
    await expect(makeLeaf(foreign, { names: usual, kind: 'ecdsa', now })).rejects.toThrow(
      'is not a CA that letterlock made',
    );
  });

  const leaf = { notBefore: 0, notAfter: 90 * day };
  it.each([
    ['fresh', 30 * day, 1000 * day, false],
    ['with more than a third left', 60 * day - 1, 1000 * day, false],
    ['with a third left', 60 * day, 1000 * day, true],
    ['over', 91 * day, 1000 * day, true],
    ['not yet begun, as after a clock was set back', -1, 1000 * day, true],
    ['that ends with its CA', 89 * day, 90 * day, false],
    ['that ended with its CA', 90 * day, 90 * day, true],
  ])('%s is due or not', (_, at, authorityEnds, due) => {
    expect(isDue(leaf, { authorityEnds, now: at })).toBe(due);
  });
});

/** The public part as it was, a bit of the secret one flipped. */
function withAnotherSecret(key: string): string {
  const whole = createPrivateKey(key).export({ type: 'sec1', format: 'der' });
  // SEQUENCE, version, OCTET STRING of 32 bytes (RFC 5915).
  const at = whole.indexOf(Buffer.from('0420', 'hex')) + 10;
  whole[at] = (whole[at] ?? 0) ^ 1;
  return createPrivateKey({ key: whole, type: 'sec1', format: 'der' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

test('a pair must be one', async () => {
  const [one, other] = await Promise.all([selfSigned(), selfSigned()]);
  expect(pairOf({ certificate: one.cert, key: one.key }).notAfter).toBeGreaterThan(Date.now());
  const rows = [
    ['key', 'does not belong to the certificate', one.cert, other.key],
    ['key', 'is damaged: what it signs does not fit the certificate', one.cert, withAnotherSecret(one.key)],
    ['certificate', 'cannot be used: no certificate in it', '', one.key],
    ['certificate', 'cannot be used: a certificate begins and does not end', one.cert.slice(0, 200), one.key],
    ['key', 'holds no private key that can be read', one.cert, one.key.slice(0, 100)],
    [
      'key',
      'is protected by a passphrase',
      one.cert,
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
    ],
  ] as const;
  for (const [part, why, certificate, key] of rows) {
    const wrong = (): Pair => pairOf({ certificate, key });
    expect(wrong).toThrow(UnusablePair);
    expect(wrong).toThrow(expect.objectContaining({ part, message: expect.stringContaining(why) }));
  }
});
