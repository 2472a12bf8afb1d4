// Real clients that trust the local CA: they take what letterlock shows, and take nothing else that this CA's
// key, stolen, could sign. Four TLS stacks: OpenSSL by three programs, GnuTLS, and old ones as far as they can
// still be had.

import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerCredentials } from '../../src/net/local-handshake.ts';
import { readFrame } from '../../src/trust/frame.ts';
import { serve, serving, tlsRoute, World } from '../local-ca/world.ts';
import { atHome } from '../lab/clients/client.ts';
import { describeWith } from '../lab/needs.ts';
import { words, type Ran } from '../lab/run.ts';
import {
  cn,
  dns,
  ecKeys,
  extendedKeyUsage,
  forge,
  forgeCa,
  ip,
  san,
  serverAuth,
  type Forged,
} from '../trust/forge.ts';

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host);

interface Asked {
  readonly port: number;
  /** The name or address it believes to be connected to. */
  readonly host: string;
  readonly ca: string;
}
type Client = (asked: Asked) => Promise<Ran>;

const openssl: Client = ({ port, host, ca }) =>
  atHome(async (home) => {
    const file = await home.write('ca.pem', ca);
    const verify = [isAddress(host) ? '-verify_ip' : '-verify_hostname', host];
    return home.run([
      ...words(`openssl s_client -connect 127.0.0.1:${port} -brief -verify_return_error -CAfile`),
      file,
      ...verify,
    ]);
  });

const curl: Client = ({ port, host, ca }) =>
  atHome(async (home) => {
    const file = await home.write('ca.pem', ca);
    const to = `${host}:${port}:127.0.0.1:${port}`;
    return home.run([
      ...words('curl -sS --max-time 20 --cacert'),
      file,
      '--connect-to',
      to,
      `https://${host}:${port}/`,
    ]);
  });

const script = `
import socket, ssl, sys
port, host, ca, newest = sys.argv[1:5]
context = ssl.create_default_context(cafile=ca)
if newest == 'TLSv1':
    context.set_ciphers('DEFAULT:@SECLEVEL=0')
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
with context.wrap_socket(socket.create_connection(('127.0.0.1', int(port)), 20), server_hostname=host) as tls:
    print(tls.version())
`;

const pythonUpTo =
  (newest: string): Client =>
  ({ port, host, ca }) =>
    atHome(async (home) => {
      const file = await home.write('ca.pem', ca);
      return home.run(['python3', '-I', '-W', 'ignore', '-c', script, String(port), host, file, newest]);
    });
const python = pythonUpTo('any');

/** GnuTLS, which trusts nothing but the file. */
const msmtp: Client = ({ port, host, ca }) =>
  atHome(async (home) => {
    const file = await home.write('ca.pem', ca);
    const rc = await home.write(
      'rc',
      `account default
host 127.0.0.1
port ${port}
timeout 20
tls on
tls_starttls off
tls_host_override ${host}
tls_trust_file ${file}
`,
    );
    return home.run(['msmtp', '-C', rc, '--serverinfo']);
  });

const limited =
  (options: string): Client =>
  ({ port, host, ca: trusted }) =>
    atHome(async (home) => {
      const file = await home.write('ca.pem', trusted);
      return home.run([
        ...words(`openssl s_client -connect 127.0.0.1:${port} -verify_return_error -verify_hostname`),
        host,
        '-CAfile',
        file,
        ...words(options),
      ]);
    });

type Name = 'openssl' | 'curl' | 'python' | 'msmtp';
const clients: Readonly<Record<Name, Client>> = { openssl, curl, python, msmtp };
const names: readonly Name[] = ['openssl', 'curl', 'python', 'msmtp'];

/** Enough for curl to have fetched something and for msmtp to have heard a server. */
function talk(tls: TLSSocket): void {
  tls.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1');
    if (text.startsWith('GET')) tls.end('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n');
    else if (text.startsWith('QUIT')) tls.end('221 bye\r\n');
    else tls.write('250 localhost\r\n');
  });
}
const talkFor =
  (name: string) =>
  (tls: TLSSocket): void => {
    if (name === 'msmtp') tls.write('220 localhost ESMTP\r\n');
    talk(tls);
  };

/** What somebody has who read the folder of the CA. */
async function thiefOf(world: World): Promise<Thief> {
  const privateKey = createPrivateKey(await world.text('ca.key'));
  const { der, extensions } = await world.certificate('ca.crt');
  return {
    subject: Buffer.from(readFrame(der).subject.whole),
    keys: { privateKey, publicKey: createPublicKey(privateKey) },
    keyId: Buffer.from(extensions.subjectKeyId ?? '', 'hex'),
  };
}

type Thief = Pick<Forged, 'subject' | 'keys' | 'keyId'>;

const pem = ({ certificate }: Forged): string => new X509Certificate(certificate).toString();

const showing = (leaf: Forged): ServerCredentials => {
  const key = leaf.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const context = createSecureContext({ cert: pem(leaf), key });
  return { context: () => context };
};

describeWith(['openssl', 'curl', 'python3', 'msmtp'], { root: false })('the local CA', () => {
  let world: World;
  let ca: string;
  let modern: ServerCredentials;
  let thief: Thief;
  beforeAll(async () => {
    world = await World.make();
    modern = (await world.start(serving([tlsRoute()]))).credentials;
    ca = await world.text('ca.crt');
    thief = await thiefOf(world);
  });
  afterAll(() => world.close());

  async function ask(
    name: Name,
    credentials: ServerCredentials,
    asked: { readonly host: string; readonly ca?: string; readonly client?: Client },
  ): Promise<Ran> {
    const server = await serve(credentials, talkFor(name));
    try {
      const client = asked.client ?? clients[name];
      return await client({ port: server.port, host: asked.host, ca: asked.ca ?? ca });
    } finally {
      server.close();
    }
  }

  describe.each(names)('%s', (name) => {
    test.each(['localhost', '127.0.0.1'])('accepts letterlock as %s', async (host) => {
      const { exit, shown } = await ask(name, modern, { host });
      expect(shown).not.toMatch(/verif\w* (?:error|failed)/i);
      expect(exit).toBe(0);
    });

    test('refuses letterlock as anybody else', async () => {
      expect((await ask(name, modern, { host: 'mail.example.org' })).exit).not.toBe(0);
    });

    test('refuses it where another CA is trusted', async () => {
      const other = pem(forgeCa('Another'));
      expect((await ask(name, modern, { host: 'localhost', ca: other })).exit).not.toBe(0);
    });

    const impostors: readonly (readonly [string, string, () => Parameters<typeof forge>[0]])[] = [
      ['mail.example.org', 'mail.example.org', () => ({ extensions: [san(dns('mail.example.org'))] })],
      [
        'a name beside a local one',
        'mail.example.org',
        () => ({
          extensions: [san(dns('localhost'), dns('mail.example.org'))],
        }),
      ],
      ['every name of a domain', 'mail.example.org', () => ({ extensions: [san(dns('*.example.org'))] })],
      ['an address of the network', '192.0.2.7', () => ({ extensions: [san(ip(192, 0, 2, 7))] })],
    ];
    test.each(impostors)('refuses what its key signs for %s, which another CA may', async (_, host, wish) => {
      const dated = { keys: ecKeys(), from: iso(-1), to: iso(30), subject: cn('x') };
      const { extensions = [] } = wish() ?? {};
      const signed = { ...dated, extensions: [...extensions, extendedKeyUsage(serverAuth)] };
      const stolen = await ask(name, showing(forge({ ...signed, issuer: thief })), { host });
      expect(stolen.exit).not.toBe(0);
      expect(stolen.shown).toMatch(constraintWords[name]);
      const free = forgeCa('Free');
      const twin = await ask(name, showing(forge({ ...signed, issuer: free })), { host, ca: pem(free) });
      expect([twin.exit, twin.shown]).toEqual([0, expect.anything()]);
    });
  });

  // Of the four these two take a common name for a host name where there is no other.
  test.each(['openssl', 'msmtp'] as const)(
    '%s refuses what its key signs for a common name',
    async (name) => {
      const wish = {
        subject: cn('mail.example.org'),
        keys: ecKeys(),
        from: iso(-1),
        to: iso(30),
        extensions: [extendedKeyUsage(serverAuth)],
      };
      const host = 'mail.example.org';
      expect((await ask(name, showing(forge({ ...wish, issuer: thief })), { host })).exit).not.toBe(0);
      const free = forgeCa('Free');
      const twin = await ask(name, showing(forge({ ...wish, issuer: free })), { host, ca: pem(free) });
      expect([twin.exit, twin.shown]).toEqual([0, expect.anything()]);
    },
  );

  describe('an old device', () => {
    let legacy: ServerCredentials;
    let each: World;
    let legacyCa: string;
    beforeAll(async () => {
      each = await World.make();
      legacy = (await each.start(serving([tlsRoute({ minVersion: 'TLSv1' })]))).credentials;
      legacyCa = await each.text('ca.crt');
    });
    afterAll(() => each.close());

    test.each([
      ['-tls1 -cipher DEFAULT@SECLEVEL=0', 'TLSv1', 'ECDSA'],
      ['-tls1_1 -cipher DEFAULT@SECLEVEL=0', 'TLSv1.1', 'ECDSA'],
      ['-tls1 -cipher ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0', 'TLSv1', 'ECDSA'],
      ['-tls1 -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0', 'TLSv1', 'RSA'],
      ['-tls1 -cipher AES128-SHA:@SECLEVEL=0', 'TLSv1', 'RSA'],
      ['-tls1_2 -cipher AES128-GCM-SHA256', 'TLSv1.2', 'RSA'],
      ['-tls1_3', 'TLSv1.3', 'ECDSA'],
    ])('that offers %s is served with %s by a key of kind %s', async (options, version, kind) => {
      const client = limited(options);
      const { exit, shown } = await ask('openssl', legacy, { host: 'localhost', ca: legacyCa, client });
      expect(shown).toContain('Verify return code: 0 (ok)');
      expect(shown).toMatch(new RegExp(`^(?:New, |    Protocol  : )${version.replace('.', '\\.')}`, 'm'));
      expect(shown).toMatch(
        kind === 'RSA' ? /Server public key is 2048 bit/ : /Server public key is 256 bit/,
      );
      expect(exit).toBe(0);
    });

    test('is refused where the route does not say so, by the version', async () => {
      const { exit, shown } = await ask('openssl', modern, {
        host: 'localhost',
        client: limited('-tls1 -cipher DEFAULT@SECLEVEL=0'),
      });
      expect(shown).toMatch(/alert protocol version/);
      expect(exit).not.toBe(0);
      const client = limited('-tls1_2');
      expect((await ask('openssl', modern, { host: 'localhost', client })).exit).toBe(0);
    });

    test('in Python, limited to TLS 1.0, is served and refused alike', async () => {
      const client = pythonUpTo('TLSv1');
      const served = await ask('python', legacy, { host: 'localhost', ca: legacyCa, client });
      expect([served.exit, served.shown]).toEqual([0, 'TLSv1\n']);
      const refused = await ask('python', modern, { host: 'localhost', client });
      expect(refused.exit).not.toBe(0);
      expect(refused.shown).toMatch(/protocol version/i);
    });
  });
});

// The library of Thunderbird and Firefox, by its own tool.
describeWith(['certutil'], { root: false })('the local CA in an NSS database', () => {
  test('vouches for letterlock, and for nothing else its key signs', async () => {
    const world = await World.make();
    await world.start(serving([tlsRoute()]));
    const thief = await thiefOf(world);
    const free = forgeCa('Free');
    const wish = {
      keys: ecKeys(),
      from: iso(-1),
      to: iso(30),
      subject: cn('x'),
      extensions: [san(dns('mail.example.org')), extendedKeyUsage(serverAuth)],
    };
    const certificates = {
      local: ['C,,', await world.text('ca.crt')],
      free: ['C,,', pem(free)],
      own: [',,', await world.text('leaf.crt')],
      stolen: [',,', pem(forge({ ...wish, issuer: thief, serial: Buffer.of(2) }))],
      twin: [',,', pem(forge({ ...wish, issuer: free, serial: Buffer.of(3) }))],
    } as const;
    const verdict = await atHome(async (home) => {
      const database = `sql:${await home.folder('nss')}`;
      await home.run(['certutil', '-N', '-d', database, '--empty-password']);
      for (const [name, [trust, text]] of Object.entries(certificates)) {
        const file = await home.write(name, text);
        await home.run(['certutil', '-A', '-n', name, '-t', trust, '-i', file, '-d', database]);
      }
      const verify = async (name: string): Promise<string> =>
        (await home.run(['certutil', '-V', '-u', 'V', '-n', name, '-d', database])).shown;
      return { own: await verify('own'), stolen: await verify('stolen'), twin: await verify('twin') };
    });
    await world.close();
    expect(verdict).toEqual({
      own: 'certutil: certificate is valid\n',
      stolen: expect.stringContaining('not permitted to issue a certificate with this name'),
      twin: 'certutil: certificate is valid\n',
    });
  });
});

/** What each says when a CA signed what it must not. */
const constraintWords = {
  openssl: /permitted subtree violation/,
  curl: /permitted subtree violation/,
  python: /permitted subtree violation/,
  msmtp: /certificate.*(?:not trusted|cannot be verified|constraints)/i,
} as const;

const iso = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+/, '');
