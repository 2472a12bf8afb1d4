// Moving in and out: each program goes to a server whose key letterlock pinned with nothing but the lines letterlock
// printed for it, stops when the server has another key, and what the program read or wrote itself comes back in.

import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { parseEndpoint } from '../../src/endpoint.ts';
import { loadAnchors } from '../../src/net/anchors.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { Tofu } from '../../src/tofu.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import {
  acceptInGnutls,
  acceptInMutt,
  goPinned,
  mbsyncConfiguration,
  pinnedPrograms,
  type PinnedProgram,
  type Service,
} from '../lab/clients/pinned.ts';
import { acceptInThunderbird, readByOverride } from '../lab/clients/thunderbird.ts';
import { msmtp } from '../lab/clients/senders.ts';
import { serverHost } from '../lab/dovecot.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { openForward, type Forward } from '../lab/forward.ts';
import { letterlock, startLetterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { until } from '../lab/wait.ts';

const rows = z.array(
  z.object({
    endpoint: z.string(),
    state: z.string(),
    pins: z.array(z.object({ spki: z.string(), origin: z.string(), live: z.boolean() })),
    expected: z.array(z.object({ algorithm: z.string(), digest: z.string() })),
  }),
);

const binaries = [
  'dovecot',
  'postfix',
  'openssl',
  'tmux',
  'thunderbird',
  ...pinnedPrograms.map(({ program }) => program),
];

const to = (port: number): Promise<Forward> => openForward({ host: serverHost, port });

describeWith(binaries, { root: true })('a server with a self-signed certificate', () => {
  let lab: MailLab;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let forwards: Readonly<Record<Service, Forward>>;
  let state: string;
  let fresh = 0;

  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: true, postfix: true });
    folder = await temporaryFolder();
    const { imaps, pop3s } = lab.dovecot.ports;
    forwards = {
      imaps: await to(imaps),
      pop3s: await to(pop3s),
      submissions: await to(lab.postfix.ports.submissions),
    };
    state = join(folder.path, 'pinned');
    await remember(state, await readFile(join(lab.certificates, 'self1.crt')));
  });
  beforeEach(() => lab.swap('self1'));
  afterAll(async () => {
    for (const forward of Object.values(forwards)) await forward.close();
    await lab.stop();
    await folder.remove();
  });

  const endpointOf = (service: Service): string => `localhost:${forwards[service].port}`;

  /** A store in which every service was pinned at its first use. */
  async function remember(directory: string, pem: Buffer): Promise<void> {
    const { raw } = new X509Certificate(pem);
    const store = await openLevelStore({ directory, create: true, now: Date.now });
    const tofu = await Tofu.open({
      store,
      secret: randomBytes(32),
      now: Date.now,
      builtAt: 0,
      on: () => undefined,
    });
    for (const forward of Object.values(forwards)) {
      const judged = tofu.judge({
        endpoint: parseEndpoint(`localhost:${forward.port}`),
        settings: { policy: 'tofu', firstUse: 'accept', configPins: [] },
        anchors: await loadAnchors([]),
        peer: {
          chain: [new Uint8Array(raw)],
          spki: spkiOfCertificate(new Uint8Array(raw)),
          resumed: false,
          chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
          tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', profile: 'modern' },
        },
      });
      expect((await tofu.settle(judged)).accept).toBe(true);
    }
    await tofu.close();
    await store.close();
  }

  async function exported({ tool, service, flags }: PinnedProgram): Promise<string> {
    const ran = await letterlock(
      'pins',
      'export',
      '--for',
      tool,
      ...flags,
      endpointOf(service),
      '--state',
      state,
    );
    expect(ran.exit, ran.shown).toBe(0);
    return ran.stdout.toString('utf8');
  }

  /** Imports into a store of its own; its rows. */
  async function imported(file: string, ...flags: readonly string[]) {
    fresh += 1;
    const own = join(folder.path, `fresh${fresh}`);
    const ran = await letterlock('pins', 'import', file, ...flags, '--state', own);
    expect(ran.exit, ran.shown).toBe(0);
    const { stdout } = await letterlock('pins', 'list', '--json', '--state', own);
    return rows.parse(JSON.parse(stdout.toString('utf8')));
  }

  async function written(text: string): Promise<string> {
    fresh += 1;
    const file = join(folder.path, `file${fresh}`);
    await writeFile(file, text);
    return file;
  }

  const keyOf = async (variant: 'self1' | 'self2'): Promise<string> => {
    const { raw } = new X509Certificate(await readFile(join(lab.certificates, `${variant}.crt`)));
    return spkiOfCertificate(new Uint8Array(raw)) ?? '';
  };

  const cases = pinnedPrograms.map((program) => [program.tool, program] as const);

  test.each(cases)(
    '%s goes there with the lines printed for it, and not to another key',
    async (_, program) => {
      const lines = await exported(program);
      const { port } = forwards[program.service];
      const good = await goPinned(program, { lines, port });
      expect(good.exit, `${good.written}\n${good.shown}`).toBe(0);
      await lab.swap('self2');
      const bad = await goPinned(program, { lines, port });
      expect(bad.exit, bad.shown).not.toBe(0);
    },
  );

  test.each([
    ['curl', 'key', []],
    ['fetchmail', 'md5', ['--weak']],
    ['getmail', 'sha256', []],
    ['gnutls', 'key', []],
    ['mpop', 'sha256', []],
    ['msmtp', 'sha256', []],
    ['offlineimap', 'sha256', []],
  ] as const)('the file that %s reads comes in again as %s', async (tool, kind, flags) => {
    const program = pinnedPrograms.find((one) => one.tool === tool);
    if (program === undefined) throw new Error('no such program');
    const file = await written(program.text(await exported(program), forwards[program.service].port));
    const [row] = await imported(file, '--format', tool, ...flags);
    expect(row).toMatchObject({ endpoint: endpointOf(program.service), state: 'pinned' });
    if (kind === 'key') expect(row?.pins).toMatchObject([{ spki: await keyOf('self1'), origin: 'imported' }]);
    else expect(row?.expected).toMatchObject([{ algorithm: kind }]);
  });

  test('mbsync comes in with the file it names', async () => {
    const { port } = forwards.imaps;
    await writeFile(join(folder.path, 'server.pem'), await readFile(join(lab.certificates, 'self1.crt')));
    const rc = await written(mbsyncConfiguration(port, folder.path));
    const [row] = await imported(rc, '--format', 'mbsync');
    expect(row).toMatchObject({ endpoint: endpointOf('imaps'), pins: [{ spki: await keyOf('self1') }] });
  });

  test('Thunderbird goes there with the line printed for it, and not to another key', async () => {
    const { port } = forwards.imaps;
    const ran = await letterlock(
      'pins',
      'export',
      '--for',
      'thunderbird',
      endpointOf('imaps'),
      '--state',
      state,
    );
    const lines = ran.stdout.toString('utf8');
    // What decides is its handshake: a slow machine shows the messages later.
    const good = await readByOverride({ host: 'localhost', port }, lines);
    expect(good.shown).toMatch(/^status 0$/m);
    await lab.swap('self2');
    const bad = await readByOverride({ host: 'localhost', port }, lines);
    expect(bad.shown).toMatch(/trusted source|^certificate: /m);
    expect(bad.messages).toEqual([]);
  });

  test('what Thunderbird wrote when its user accepted for good comes in', async () => {
    const { port } = forwards.imaps;
    const text = await acceptInThunderbird({ host: 'localhost', port }, join(lab.certificates, 'self1.crt'));
    const { fingerprint256 } = new X509Certificate(await readFile(join(lab.certificates, 'self1.crt')));
    const digest = fingerprint256.replaceAll(':', '').toLowerCase();
    expect(await imported(await written(text), '--format', 'thunderbird'), text).toMatchObject([
      {
        endpoint: endpointOf('imaps'),
        state: 'pinned',
        pins: [],
        expected: [{ algorithm: 'sha256', digest }],
      },
    ]);
  });

  test('what msmtp knew becomes a pin with the first mail through a running letterlock, and holds', async () => {
    const program = pinnedPrograms.find(({ tool }) => tool === 'msmtp');
    if (program === undefined) throw new Error('no such program');
    const { port } = forwards.submissions;
    const file = await written(program.text(await exported(program), port));
    const [listen = 0] = await freePorts('127.0.0.1', 1);
    const upstream = `submissions://localhost:${port}`;
    const proxy = await startLetterlock([{ name: 'out', listen, upstream, address: `127.0.0.1:${port}` }]);
    const send = () =>
      msmtp.send(
        { host: '127.0.0.1', port: listen, tls: 'none', caFile: '' },
        Buffer.from('Subject: x\n\nhi\n'),
      );
    try {
      await lab.swap('self2');
      const order = await proxy.command('pins', 'import', file, '--format', 'msmtp');
      expect(order.exit, order.shown).toBe(0);
      // A first use of another key was never possible.
      expect((await send()).shown).toContain('its key changed');
      await lab.swap('self1');
      const sent = await until('the hold to pass', async () => {
        const seen = await send();
        return seen.exit === 0 ? seen : null;
      });
      expect(sent?.exit).toBe(0);
      const list = await proxy.command('pins', 'list', '--json');
      expect(rows.parse(JSON.parse(list.stdout.toString('utf8')))).toMatchObject([
        { expected: [], pins: [{ spki: await keyOf('self1'), origin: 'imported', live: true }] },
      ]);
      const history = await proxy.command('pins', 'history', '--json');
      const events = z
        .array(z.object({ event: z.string(), origin: z.string(), spki: z.string().nullable() }))
        .parse(JSON.parse(history.stdout.toString('utf8')));
      expect(events).toEqual([
        { event: 'imported', origin: 'cli', spki: null },
        { event: 'candidate', origin: 'proxy', spki: await keyOf('self2') },
        { event: 'matched', origin: 'proxy', spki: await keyOf('self1') },
      ]);
    } finally {
      await proxy.stop();
    }
  });

  test('what gnutls-cli wrote when its user said yes comes in', async () => {
    const file = await written(await acceptInGnutls(forwards.imaps.port));
    expect(await imported(file)).toMatchObject([
      { endpoint: endpointOf('imaps'), pins: [{ spki: await keyOf('self1'), origin: 'imported' }] },
    ]);
  });

  test('what mutt wrote when its user accepted for good comes in', async () => {
    const file = await written(await acceptInMutt(forwards.imaps.port));
    expect(await imported(file, '--format', 'mutt', '--endpoint', endpointOf('imaps'))).toMatchObject([
      { endpoint: endpointOf('imaps'), pins: [{ spki: await keyOf('self1'), origin: 'imported' }] },
    ]);
  });
});
