// `letterlock cert` and `letterlock inspect`: what is said of certificates, and with which exit code.

import { createHash, X509Certificate } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordOfRow, configPinsOfRow } from '../../cmd/record-of-row.ts';
import { urlOf } from '../../cmd/inspect-target.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { FakeResolver } from '../net/fake-resolver.ts';
import { listen, portOf, selfSigned, tlsServer } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { cn, ecKeys, forgeCa, forgeLeaf } from '../trust/forge.ts';
import type { Forged } from '../trust/forge.ts';
import { Home, parsed } from './program.ts';

let home: Home;
let identity: Identity;
let other: Identity;
let server: Server;
let url: string;

beforeAll(async () => {
  home = await Home.make();
  identity = await selfSigned();
  other = await selfSigned();
  // The server says nothing and reads nothing: inspect must not need a word of it.
  server = await tlsServer(identity, {}, (socket) => socket.on('error', () => undefined));
  url = `imaps://mail.test:${portOf(server)}`;
  await home.file('server.pem', identity.cert);
  await home.file('both.pem', `${identity.cert}\n${other.cert}`);
});
afterAll(async () => {
  server.close();
  await home.remove();
});

const keyOf = ({ cert }: Identity): string => spkiOfCertificate(new X509Certificate(cert).raw) ?? '';
const hashOf = ({ cert }: Identity): string => new X509Certificate(cert).fingerprint256;
const inspect = (...words: readonly string[]): ReturnType<Home['say']> =>
  home.say(['inspect', url, '--address', `127.0.0.1:${portOf(server)}`, ...words]);

describe('cert', () => {
  it('describes each certificate of a file as JSON', async () => {
    const { stdout, exit } = await home.say(['cert', 'both.pem', '--json']);
    expect(parsed(stdout)).toMatchObject([
      {
        spki: keyOf(identity),
        sha256: hashOf(identity),
        subject: 'CN=mail.test',
        key: 'EC P-256',
        names: [
          { type: 'dns', value: 'mail.test' },
          { type: 'ip', value: '127.0.0.1' },
        ],
      },
      { spki: keyOf(other), sha256: hashOf(other) },
    ]);
    expect(exit).toBe(0);
  });

  it('reads standard input, DER as well as PEM', async () => {
    const pem = await home.say(['cert', '-'], { input: `noise\n${identity.cert}` });
    expect(pem.stderr).toBe('');
    expect(pem.stdout).toContain(`  key pin    ${keyOf(identity)}\n`);
    expect((await home.say(['cert', '-'], { input: new X509Certificate(identity.cert).raw })).stdout).toBe(
      pem.stdout,
    );
    expect(await home.say(['cert', '-'], { input: '' })).toMatchObject({ exit: 7, stdout: '' });
  });

  it('shows what a certificate writes to move a terminal, in both forms', async () => {
    const evil = forgeLeaf({ subject: cn('a\u001b]0;owned\u0007\u202eb\nc') });
    await home.file('evil.der', evil.certificate);
    const text = await home.run(['cert', 'evil.der']);
    // oxlint-disable-next-line no-control-regex
    const moving = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;
    expect(text.stdout).toMatch(/^ {2}subject +CN=a\\x1b\]0\\;owned\\x07\\u202eb\\x0ac$/m);
    expect(text.stdout).not.toMatch(moving);
    const json = await home.run(['cert', 'evil.der', '--json']);
    expect(json.stdout).not.toMatch(moving);
    expect(parsed(json.stdout)).toMatchObject([{ subject: expect.stringContaining('\u202eb') }]);
  });
});

describe('inspect of a self-signed server', () => {
  it('is 4, shows the certificate, its faults, and what each policy would say', async () => {
    const { stdout, stderr, exit } = await inspect('--json');
    expect(stderr).toBe('');
    expect(exit).toBe(4);
    expect(parsed(stdout)).toMatchObject({
      endpoint: `mail.test:${portOf(server)}`,
      tls: { version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) },
      leaf: {
        spki: keyOf(identity),
        sha256: hashOf(identity),
        subject: 'CN=mail.test',
        issuer: 'CN=mail.test',
        names: [{ value: 'mail.test' }, { value: '127.0.0.1' }],
        notBefore: expect.stringMatching(/^\d{4}-.*Z$/),
        notAfter: expect.stringMatching(/Z$/),
      },
      chain: [{ sha256: hashOf(identity) }],
      caValid: false,
      faults: ['self-signed'],
      store: 'none',
      record: null,
      expected: null,
      verdicts: {
        auto: { accept: true, basis: 'first-use' },
        ca: { accept: false, reason: 'ca-invalid' },
        tofu: { accept: true, basis: 'first-use' },
        'ca+tofu': { accept: false, reason: 'ca-invalid' },
        pinned: { accept: false, reason: 'not-pinned' },
      },
    });
  });

  it('says the same to people', async () => {
    const { stdout } = await inspect();
    expect(stdout).toMatch(new RegExp(`^mail\\.test:${portOf(server)}  TLSv1\\.3  TLS_`));
    expect(stdout).toMatch(
      /CA-verified: no\nDANE: not asked, no resolver is configured\nFaults\n {2}self-signed +The certificate is signed by its own key\.\nRecord: none\n/,
    );
    expect(stdout).toMatch(/^ {2}ca +refuse +ca-invalid +no trusted CA vouches for its certificate$/m);
    expect(stdout).toMatch(/^ {2}tofu +accept +first-use /m);
  });

  it.each([
    ['the key', (): string => keyOf(identity), 0],
    ['the certificate', (): string => hashOf(identity), 0],
    ['another key', (): string => keyOf(other), 4],
    ['another certificate', (): string => hashOf(other), 4],
  ])('with --expect of %s', async (_, expected, exit) => {
    expect((await inspect('--expect', expected())).exit).toBe(exit);
  });

  it('is 3 when the anchors cannot be read', async () => {
    const { exit, stderr } = await inspect('--ca-file', 'missing.pem');
    expect([exit, stderr]).toEqual([3, expect.stringContaining('cannot read the CA file')]);
  });

  it('takes the record into account, and never writes it', async () => {
    const endpoint = `mail.test:${portOf(server)}`;
    expect((await home.say(['pins', 'add', endpoint, keyOf(identity), '--state', 'st'])).exit).toBe(0);
    const before = (await home.say(['pins', 'history', '--state', 'st', '--json'])).stdout;
    const pinned = await inspect('--state', 'st', '--json');
    expect(pinned.exit).toBe(0);
    expect(parsed(pinned.stdout)).toMatchObject({
      store: 'used',
      record: { state: 'pinned' },
      verdicts: { auto: { accept: true, basis: 'pin' }, pinned: { accept: true, basis: 'pin' } },
    });
    expect(
      (await home.say(['pins', 'reject', endpoint, '--expect', keyOf(identity), '--state', 'st'])).exit,
    ).toBe(0);
    const rejected = await inspect('--state', 'st', '--json', '--expect', keyOf(identity));
    expect(rejected.exit).toBe(4);
    expect(parsed(rejected.stdout)).toMatchObject({
      expected: true,
      verdicts: {
        auto: { accept: false, reason: 'key-rejected' },
        ca: { accept: false, reason: 'key-rejected' },
      },
    });
    const after = (await home.say(['pins', 'history', '--state', 'st', '--json'])).stdout;
    expect(JSON.parse(after)).toHaveLength(JSON.parse(before).length + 1);
  });

  it('leaves no store where there was none', async () => {
    await inspect('--state', 'nowhere');
    expect((await home.say(['pins', 'list', '--state', 'nowhere'])).exit).toBe(6);
  });
});

const pem = (forged: Forged): string => new X509Certificate(forged.certificate).toString();

describe('inspect of a server with a certificate of a CA', () => {
  const dates = { from: '2020-01-01T00:00:00Z', to: '2040-01-01T00:00:00Z' };
  const ca = forgeCa('A CA of this test');
  const leaf = forgeLeaf({ issuer: ca, keys: ecKeys(), ...dates });
  let signed: Server;
  const ask = (host: string, ...words: readonly string[]): ReturnType<Home['say']> =>
    home.say([
      'inspect',
      `tls://${host}:${portOf(signed)}`,
      '--address',
      `127.0.0.1:${portOf(signed)}`,
      ...words,
    ]);

  beforeAll(async () => {
    await home.file('ca.pem', pem(ca));
    const key = leaf.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    signed = await tlsServer({ cert: pem(leaf), key }, {}, (socket) => socket.on('error', () => undefined));
  });
  afterAll(() => void signed.close());

  it('is 0 when the CA is trusted', async () => {
    const { stdout, stderr, exit } = await ask('mail.example.org', '--ca-file', 'ca.pem', '--json');
    expect(stderr).toBe('');
    expect(parsed(stdout)).toMatchObject({
      caValid: true,
      faults: [],
      verdicts: { auto: { accept: true, basis: 'ca' } },
    });
    expect(exit).toBe(0);
  });

  it.each([
    ['of an unknown CA', 'mail.example.org', 'other.pem', ['unknown-issuer']],
    ['for another name', 'mail.example.net', 'ca.pem', ['name-mismatch']],
  ])('is 4 %s', async (_, host, anchors, faults) => {
    await home.file('other.pem', pem(forgeCa('Another CA')));
    const { stdout, exit } = await ask(host, '--ca-file', anchors, '--json');
    expect(parsed(stdout)).toMatchObject({ caValid: false, faults });
    expect(exit).toBe(4);
  });
});

describe('inspect when the network fails', () => {
  it('is 5 and names the phase: connecting', async () => {
    const silent = await tlsServer(identity, {}, () => undefined);
    const port = portOf(silent);
    await new Promise((resolve) => silent.close(resolve));
    const { exit, stderr, stdout } = await home.say(['inspect', `tls://127.0.0.1:${port}`]);
    expect([exit, stdout]).toEqual([5, '']);
    expect(stderr).toMatch(
      new RegExp(
        `^letterlock: 127\\.0\\.0\\.1:${port}, connecting: no connection could be made \\(ECONNREFUSED`,
      ),
    );
  });

  it('is 5 and names the phase: the handshake', async () => {
    const plain = await listen(
      createServer((socket) => socket.end('* OK no TLS here\r\n').on('error', () => undefined)),
    );
    const { exit, stderr } = await home.say(['inspect', `tls://127.0.0.1:${portOf(plain)}`, '--json']);
    plain.close();
    expect(exit).toBe(5);
    expect(parsed(stderr)).toMatchObject({
      error: {
        code: 'tls-failed',
        message: expect.stringContaining(', TLS handshake: the TLS handshake failed'),
      },
    });
  });

  it('is 4 when the server has no STARTTLS, before any certificate', async () => {
    const plain = await listen(
      createServer((socket) => {
        socket.on('error', () => undefined).write('* OK [CAPABILITY IMAP4rev1] hi\r\n');
      }),
    );
    plain.on('connection', (socket) =>
      socket.on('data', (line: Buffer) => {
        const [tag = ''] = line.toString('latin1').split(' ');
        socket.write(
          line.includes('CAPABILITY') ? `* CAPABILITY IMAP4rev1\r\n${tag} OK\r\n` : `${tag} BAD\r\n`,
        );
      }),
    );
    const { exit, stderr } = await home.say(['inspect', `imap://127.0.0.1:${portOf(plain)}`]);
    plain.close();
    expect(stderr).toMatch(/, STARTTLS and TLS handshake: it (?:does not offer|refused) STARTTLS/);
    expect(exit).toBe(4);
  });
});

describe('whatever a server sends or a person types', () => {
  it('reaches a terminal escaped, on stdout and on stderr', async () => {
    const evil = forgeLeaf({ subject: cn('\u001b]0;owned\u0007') });
    const sender = await tlsServer({ ...identity, cert: `${identity.cert}\n${pem(evil)}` }, {}, (socket) =>
      socket.on('error', () => undefined),
    );
    const { stdout } = await home.run(['inspect', `tls://127.0.0.1:${portOf(sender)}`]);
    sender.close();
    expect(stdout).toMatch(/^Sent with it\n {2}1\. CN=\\x1b\]0\\;owned\\x07, issued by /m);
    expect(stdout).not.toContain('\u001b');
    const { stderr } = await home.run(['explain', 'a\u001b[31m']);
    expect(stderr).toMatch(/^letterlock: a\\x1b\[31m is no code/);
  });
});

describe('HOST:PORT', () => {
  it.each([
    ['a.example:143', 'imap://a.example:143'],
    ['a.example:110', 'pop3://a.example:110'],
    ['a.example:25', 'submission://a.example:25'],
    ['a.example:24', 'lmtp://a.example:24'],
    ['a.example:587', 'submission://a.example:587'],
    ['a.example:4190', 'sieve://a.example:4190'],
    ['a.example:993', 'imaps://a.example:993'],
    ['[2001:DB8::1]:636', 'tls://[2001:db8::1]:636'],
    ['pop3s://a.example', 'pop3s://a.example'],
  ])('%s is %s', (target, expected) => {
    expect(urlOf(target)).toBe(expected);
  });
});

describe('a record made of a row', () => {
  const pin = {
    spki: 'sha256//A=',
    kind: 'leaf',
    origin: 'approved',
    firstSeen: '2026-01-01T00:00:00.000Z',
    lastSeen: null,
    until: null,
    live: true,
    certificate: null,
  } as const;
  const row = {
    endpoint: 'a.example:993',
    state: 'pinned',
    basis: 'pinned',
    lastCa: null,
    candidates: [],
    rejected: ['sha256//R='],
    expected: [],
  } as const;

  it('keeps what a judgement needs, and a pin that no longer counts has ended', () => {
    const record = recordOfRow({
      ...row,
      pins: [pin, { ...pin, spki: 'sha256//B=', live: false, until: '2030-01-01T00:00:00.000Z' }],
    });
    expect(record).toMatchObject({
      basis: 'pinned',
      pins: [
        { spki: 'sha256//A=', firstSeen: Date.UTC(2026, 0, 1), endedAt: null },
        { spki: 'sha256//B=', until: Date.UTC(2030, 0, 1), endedAt: 0 },
      ],
      rejected: [{ spki: 'sha256//R=' }],
    });
  });

  it('leaves keys of the configuration to the settings', () => {
    const shown = { ...row, pins: [{ ...pin, origin: 'config', firstSeen: null } as const, pin] };
    expect(recordOfRow(shown).pins.map(({ origin }) => origin)).toEqual(['approved']);
    expect(configPinsOfRow(shown)).toEqual(['sha256//A=']);
  });
});

describe('inspect by way of a proxy', () => {
  it('says what the proxy said, after the phase, and never its password', async () => {
    const proxy = await listen(
      createServer((socket) =>
        socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 403 Filtered\r\n\r\n')),
      ),
    );
    const through = `http://bob:s3cret@127.0.0.1:${portOf(proxy)}`;
    const { exit, stderr } = await home.say(['inspect', 'imaps://mail.test', '--proxy', through]);
    expect(exit).toBe(5);
    expect(stderr).toContain(
      `mail.test:993, connecting: no connection could be made (http proxy 127.0.0.1:${portOf(proxy)}: 403)`,
    );
    expect(stderr).not.toContain('s3cret');
    proxy.close();
  });

  it('takes no proxy it cannot use, and looks no name of Tor up without one', async () => {
    const bad = await home.say(['inspect', 'imaps://mail.test', '--proxy', 'ftp://bob:s3cret@proxy']);
    expect(bad.exit).toBe(2);
    expect(bad.stderr).toContain('socks5://');
    expect(bad.stderr).not.toContain('s3cret');
    const onion = await home.say(['inspect', 'imaps://abcdefgh.onion']);
    expect(onion.exit).toBe(2);
    expect(onion.stderr).toContain('.onion');
    const tor = await home.say(['inspect', 'imaps://abcdefgh.onion', '--proxy', 'socks5://127.0.0.1:1']);
    expect(tor.exit).toBe(5);
  });
});

const digestOf = ({ cert }: Identity): Buffer =>
  createHash('sha256')
    .update(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

describe('inspect with a resolver', () => {
  let resolver: FakeResolver;
  let published: Identity | null;

  beforeAll(async () => {
    resolver = await FakeResolver.open(({ name, type }) => {
      if (type === 1) return {};
      if (published === null) return { authentic: false };
      const data = Buffer.concat([Buffer.of(3, 1, 1), digestOf(published)]);
      return { answers: [{ name, type: 'TLSA', data, ttl: 0 }] };
    });
  });
  afterAll(() => resolver.close());

  const asking = async (settings: object, ...more: readonly string[]) => {
    const route = { upstream: url, listen: 'localhost:1143', ...settings };
    const config = { resolver: `127.0.0.1:${resolver.port}`, routes: [route], metrics: null };
    await home.file('dane.json', JSON.stringify(config));
    return inspect('-c', 'dane.json', ...more);
  };

  it.each([
    ['a match under trust: dane', 'own', { trust: 'dane' }, 0],
    ['a match under auto with dane: prefer', 'own', { dane: 'prefer' }, 0],
    ['a match that the policy does not ask for', 'own', { trust: 'tofu' }, 4],
    ['a mismatch', 'other', { trust: 'dane' }, 4],
    ['no proof', 'none', { trust: 'dane' }, 4],
  ] as const)('%s ends with its code', async (_, which, settings, exit) => {
    published = { own: identity, other, none: null }[which];
    expect((await asking(settings)).exit).toBe(exit);
  });

  it.each([
    ['a mismatch', 'other'],
    ['no proof', 'none'],
  ] as const)('%s is 4 also for the expected key: every session is refused', async (_, which) => {
    published = { other, none: null }[which];
    expect((await asking({ trust: 'dane' }, '--expect', keyOf(identity))).exit).toBe(4);
    expect((await asking({}, '--expect', keyOf(identity))).exit).toBe(0);
  });

  it('shows what was found, to people and as JSON', async () => {
    published = identity;
    const { stdout } = await asking({ trust: 'dane' }, '--json');
    expect(parsed(stdout)).toMatchObject({
      dane: { state: 'match', detail: expect.stringMatching(/^3 1 1 [0-9a-f]{16}\.\.\.$/) },
      verdicts: { dane: { accept: true, basis: 'dane' }, tofu: { accept: true, basis: 'first-use' } },
    });
    published = other;
    const shown = await asking({ trust: 'dane' });
    expect(shown.stdout).toMatch(
      /^DANE: NO, the TLSA records proven by DNSSEC are of other certificates \(3 1 1 /m,
    );
    expect(shown.stdout).toMatch(/^ {2}dane +refuse +dane-mismatch +its key is not the one named by DANE$/m);
  });
});
