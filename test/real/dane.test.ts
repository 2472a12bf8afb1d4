// DANE against a validating resolver and signed zones: Unbound and ldns on one side, Dovecot on the other, and the built
// program between them.

import { createHash, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { portOf, tlsServer, type Identity } from '../net/peers.ts';
import { dns, ecKeys, extendedKeyUsage, forgeCa, forgeLeaf, san, serverAuth } from '../trust/forge.ts';
import type { Variant } from '../lab/certificates.ts';
import { serverHost } from '../lab/dovecot.ts';
import { temporaryFolder, type Folder } from '../lab/folder.ts';
import { letterlock, startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { startUnbound, unboundPrograms, type Unbound, type Zone } from '../lab/unbound.ts';
import { visit } from '../lab/visit.ts';

const inspection = z.object({
  caValid: z.boolean(),
  dane: z.object({ state: z.string(), detail: z.string() }),
  verdicts: z.object({
    dane: z.object({ accept: z.boolean(), basis: z.string().optional(), reason: z.string().optional() }),
  }),
});

const digest = (hash: string, bytes: Uint8Array): string => createHash(hash).update(bytes).digest('hex');
const spkiOf = (certificate: X509Certificate): Buffer =>
  certificate.publicKey.export({ type: 'spki', format: 'der' });

/** A server that sends its CA along. */
const dates = { from: stamp(-1), to: stamp(30) };
const chainRoot = forgeCa('Chain Root', dates);
const chainLeaf = forgeLeaf({
  ...dates,
  issuer: chainRoot,
  keys: ecKeys(),
  extensions: [san(dns('mail.lab.test')), extendedKeyUsage(serverAuth)],
});
const root = new X509Certificate(chainRoot.certificate);
const chained: Identity = {
  cert: `${new X509Certificate(chainLeaf.certificate).toString()}${root.toString()}`,
  key: chainLeaf.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

function stamp(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 19)}Z`;
}

async function zonesFor(lab: MailLab): Promise<readonly Zone[]> {
  const read = async (file: string): Promise<X509Certificate> =>
    new X509Certificate(await readFile(join(lab.certificates, file)));
  const [k1, ca] = [await read('self1.crt'), await read('ca.crt')];
  const spki = spkiOf(k1);
  const key = `TLSA 3 1 1 ${digest('sha256', spki)}`;
  return [
    {
      name: 'lab.test',
      kind: 'signed',
      records: [
        'mail A 127.0.0.3',
        'alias CNAME mail',
        'none A 127.0.0.3',
        `_993._tcp.mail ${key}`,
        `_993._tcp.sha512 TLSA 3 1 2 ${digest('sha512', spki)}`,
        `_993._tcp.whole TLSA 3 0 0 ${k1.raw.toString('hex')}`,
        `_995._tcp.mail TLSA 2 0 0 ${ca.raw.toString('hex')}`,
        `_994._tcp.mail TLSA 2 1 1 ${digest('sha256', spkiOf(root))}`,
        `_465._tcp.mail TLSA 1 1 1 ${digest('sha256', spki)}`,
        '_993._tcp.pointed CNAME _993._tcp.mail',
      ],
    },
    { name: 'plain.test', kind: 'plain', records: ['mail A 127.0.0.3', `_993._tcp.mail ${key}`] },
    { name: 'bad.test', kind: 'tampered', records: ['mail A 127.0.0.3', `_993._tcp.mail ${key}`] },
  ];
}

interface Row {
  readonly what: string;
  readonly endpoint: string;
  readonly variant: Variant;
  readonly state: string;
  readonly verdict: string;
}

/** `self1` and `ca1` show the key that is published, `self2` and `ca2` another. */
const rows: readonly Row[] = [
  {
    what: 'usage 3, the key',
    endpoint: 'mail.lab.test:993',
    variant: 'self1',
    state: 'match',
    verdict: 'dane',
  },
  {
    what: 'usage 3, the key of an expired certificate',
    endpoint: 'mail.lab.test:993',
    variant: 'selfexpired',
    state: 'match',
    verdict: 'dane',
  },
  {
    what: 'usage 3, the key of a certificate for another name',
    endpoint: 'mail.lab.test:993',
    variant: 'wronghost',
    state: 'match',
    verdict: 'dane',
  },
  { what: 'SHA-512', endpoint: 'sha512.lab.test:993', variant: 'self1', state: 'match', verdict: 'dane' },
  {
    what: 'the certificate',
    endpoint: 'whole.lab.test:993',
    variant: 'self1',
    state: 'match',
    verdict: 'dane',
  },
  {
    what: 'another certificate of the key, where the certificate is published',
    endpoint: 'whole.lab.test:993',
    variant: 'self1r',
    state: 'mismatch',
    verdict: 'dane-mismatch',
  },
  {
    what: 'another key',
    endpoint: 'mail.lab.test:993',
    variant: 'self2',
    state: 'mismatch',
    verdict: 'dane-mismatch',
  },
  { what: 'usage 2', endpoint: 'mail.lab.test:995', variant: 'ca2', state: 'match', verdict: 'dane' },
  {
    what: 'usage 2 and an expired certificate',
    endpoint: 'mail.lab.test:995',
    variant: 'expired',
    state: 'mismatch',
    verdict: 'dane-mismatch',
  },
  {
    what: 'usage 2 and a certificate for another name',
    endpoint: 'mail.lab.test:995',
    variant: 'wronghost',
    state: 'mismatch',
    verdict: 'dane-mismatch',
  },
  {
    what: 'usage 2 and a certificate nobody signed',
    endpoint: 'mail.lab.test:995',
    variant: 'self1',
    state: 'mismatch',
    verdict: 'dane-mismatch',
  },
  {
    what: 'usage 1',
    endpoint: 'mail.lab.test:465',
    variant: 'ca1',
    state: 'unusable',
    verdict: 'dane-unproven',
  },
  { what: 'an alias', endpoint: 'alias.lab.test:993', variant: 'self1', state: 'match', verdict: 'dane' },
  {
    what: 'an alias of the record',
    endpoint: 'pointed.lab.test:993',
    variant: 'self1',
    state: 'match',
    verdict: 'dane',
  },
  {
    what: 'no record, proven',
    endpoint: 'none.lab.test:993',
    variant: 'self1',
    state: 'absent',
    verdict: 'dane-unproven',
  },
  {
    what: 'no name, proven',
    endpoint: 'nowhere.lab.test:993',
    variant: 'self1',
    state: 'absent',
    verdict: 'dane-unproven',
  },
  {
    what: 'a zone that is not signed',
    endpoint: 'mail.plain.test:993',
    variant: 'self1',
    state: 'insecure',
    verdict: 'dane-unproven',
  },
  {
    what: 'a zone that was tampered with',
    endpoint: 'mail.bad.test:993',
    variant: 'self1',
    state: 'bogus',
    verdict: 'dane-unproven',
  },
];

describeWith(['dovecot', 'openssl', ...unboundPrograms], { root: false })('DANE', () => {
  let lab: MailLab;
  let unbound: Unbound;
  let folder: Folder;

  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: false, postfix: false });
    const identity = {
      certificate: join(lab.certificates, 'ca1.crt'),
      key: join(lab.certificates, 'ca1.key'),
    };
    unbound = await startUnbound(await zonesFor(lab), identity);
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await unbound.stop();
    await lab.stop();
    await folder.remove();
  });

  const inspect = (endpoint: string, ...more: readonly string[]) =>
    letterlock(
      'inspect',
      `imaps://${endpoint}`,
      '--json',
      ...(more.includes('--address') ? [] : ['--address', `${serverHost}:${lab.dovecot.ports.imaps}`]),
      ...more,
    );
  const found = async (endpoint: string, ...more: readonly string[]) => {
    const ran = await inspect(endpoint, ...more);
    return inspection.parse(JSON.parse(ran.stdout.toString('utf8')));
  };
  async function withConfig(settings: object) {
    const file = join(folder.path, 'letterlock.yaml');
    const place = { address: `${unbound.host}:${unbound.tlsPort}`, ...settings };
    await writeFile(file, JSON.stringify({ resolver: place, routes: [{ upstream: 'imaps://a.example' }] }));
    return (await found('mail.lab.test:993', '-c', file)).dane;
  }
  const pinOf = async (file: string): Promise<string> => {
    const certificate = new X509Certificate(await readFile(join(lab.certificates, file)));
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    return `sha256//${createHash('sha256').update(spki).digest('base64')}`;
  };

  const resolver = (): readonly string[] => ['--resolver', `${unbound.host}:${unbound.port}`];

  test.each(rows.map((row) => [row.what, row.verdict, row] as const))(
    'of %s: %s',
    async (_, verdict, { endpoint, variant, state }) => {
      await lab.swap(variant);
      const { dane, verdicts } = await found(endpoint, ...resolver());
      expect(dane.state, dane.detail).toBe(state);
      expect(verdicts.dane.accept ? verdicts.dane.basis : verdicts.dane.reason).toBe(verdict);
    },
  );

  test('of usage 2 and a server that sends its CA: dane', async () => {
    const server = await tlsServer(chained, {}, (socket) => socket.on('error', () => undefined));
    try {
      const address = ['--address', `127.0.0.1:${portOf(server)}`];
      const { dane } = await found('mail.lab.test:994', ...address, ...resolver());
      expect(dane).toEqual({ state: 'match', detail: expect.stringMatching(/^2 1 1 /) });
      const other = await found('mail.lab.test:993', ...address, ...resolver());
      expect(other.dane.state).toBe('mismatch');
    } finally {
      server.close();
    }
  });

  test('a resolver that is away is no proof', async () => {
    await lab.swap('self1');
    const [port = 0] = await freePorts('127.0.0.1', 1);
    const { dane, verdicts } = await found('mail.lab.test:993', '--resolver', `127.0.0.1:${port}`);
    expect(dane).toEqual({ state: 'failed', detail: 'ECONNREFUSED' });
    expect(verdicts.dane.reason).toBe('dane-unproven');
  });

  test('nobody is asked where no resolver is configured', async () => {
    const { dane, verdicts } = await found('mail.lab.test:993');
    expect(dane.state).toBe('none');
    expect(verdicts.dane.reason).toBe('dane-unproven');
  });

  test('a resolver on another machine is taken only over TLS', async () => {
    const ran = await inspect('mail.lab.test:993', '--resolver', '192.0.2.53');
    expect(ran.exit).toBe(3);
    expect(ran.shown).toMatch(/192\.0\.2\.53\S* is not on this machine/);
  });

  describe('over TLS', () => {
    test('a resolver is believed by its name or its pin', async () => {
      const caFile = lab.caFile;
      expect(await withConfig({ serverName: 'mail.lab.test', caFile })).toMatchObject({ state: 'match' });
      expect(await withConfig({ pins: [await pinOf('ca1.crt')] })).toMatchObject({ state: 'match' });
    });

    test('and not by another name, another CA or another pin', async () => {
      const caFile = lab.caFile;
      expect(await withConfig({ serverName: 'else.lab.test', caFile })).toMatchObject({ state: 'failed' });
      expect(await withConfig({ serverName: 'mail.lab.test' })).toMatchObject({ state: 'failed' });
      expect(await withConfig({ pins: [await pinOf('ca2.crt')] })).toMatchObject({ state: 'failed' });
    });
  });

  describe('in sessions', () => {
    let proxy: Letterlock;
    let ports: readonly number[];

    beforeAll(async () => {
      ports = await freePorts('127.0.0.1', 3);
      const address = `${serverHost}:${lab.dovecot.ports.imaps}`;
      const names = ['mail.lab.test', 'mail.plain.test', 'alias.lab.test'];
      const settings = [{ trust: 'dane' }, { trust: 'dane' }, { dane: 'prefer' }];
      const routes = names.map((name, at) => ({
        name: `route-${at}`,
        listen: ports[at] ?? 0,
        upstream: `imaps://${name}`,
        address,
        settings: settings[at] ?? {},
      }));
      proxy = await startLetterlock(routes, { resolver: `${unbound.host}:${unbound.port}` });
    });
    afterAll(() => proxy.stop());

    test('a proven key is relayed, another refused, by the record that is published', async () => {
      const [byDane = 0, unsigned = 0, preferring = 0] = ports;
      await lab.swap('self1');
      expect(await visit(byDane)).toMatch(/^\* OK /);
      expect(await visit(preferring)).toMatch(/^\* OK /);
      expect(await visit(unsigned)).toContain(
        'letterlock refused mail.plain.test: DANE does not prove its key now',
      );
      await lab.swap('self2');
      expect(await visit(byDane)).toContain(
        'letterlock refused mail.lab.test: its key is not the one named by DANE',
      );
      expect(await visit(preferring)).toContain('its key is not the one named by DANE');
      await lab.swap('self1r');
    });

    test('what DANE vouched for alone is not taken without it', async () => {
      const list = await proxy.command('pins', 'list');
      expect(list.shown).toMatch(/alias\.lab\.test:993 +known by DANE alone/);
      const shown = await proxy.command('explain', 'alias.lab.test:993');
      expect(shown.shown).toContain('without a proven TLSA record no key counts');
    });
  });
});
