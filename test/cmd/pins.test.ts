// The life of a pin on the command line, on the store alone and through a running daemon: the same answers.

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { portOf, selfSigned, tlsServer } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { Home, parsed } from './program.ts';
import type { Ended } from './program.ts';

const key = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const keyOf = ({ cert }: Identity): string => spkiOfCertificate(new X509Certificate(cert).raw) ?? '';

describe('on the store alone', () => {
  let home: Home;
  beforeAll(async () => {
    home = await Home.make();
  });
  afterAll(() => home.remove());
  const pins = (...words: readonly string[]): Promise<Ended> => home.say(['pins', ...words, '--state', 'st']);

  it('a pin is added, shown, rejected, undone, forgotten, and all of it is history', async () => {
    const endpoint = 'imap.example.org:993';
    expect(await pins('list')).toMatchObject({ exit: 6, stdout: '' });
    expect(await pins('add', 'IMAP.example.org.:993', key(1), '--for', '7d')).toMatchObject({
      exit: 0,
      stderr: '',
    });
    const list = await pins('list', '--json');
    expect(parsed(list.stdout)).toMatchObject([
      {
        endpoint,
        state: 'pinned',
        basis: 'pinned',
        lastCa: null,
        pins: [{ spki: key(1), kind: 'leaf', origin: 'added', firstSeen: date, lastSeen: null, until: date }],
        candidates: [],
        rejected: [],
      },
    ]);
    expect((await pins('list')).stdout).toMatch(
      /^ENDPOINT +STATE +KEYS +LAST SEEN +WAITING +REJECTED\nimap\.example\.org:993 +pinned +1 +never +- +-\n$/,
    );
    expect((await pins('show', endpoint)).stdout).toMatch(
      /^imap\.example\.org:993: pinned \(1 key\)\n\nPins\n {2}sha256\/\/.*\n {4}added beforehand, trusted until /,
    );

    expect((await pins('reject', endpoint, '--expect', key(1))).exit).toBe(0);
    expect(parsed((await pins('show', endpoint, '--json')).stdout)).toMatchObject({
      state: 'emptied',
      rejected: [key(1)],
    });
    expect(await pins('add', endpoint, key(1))).toMatchObject({ exit: 2, stdout: '' });
    expect((await pins('undo', endpoint)).exit).toBe(0);
    expect(await pins('undo', endpoint)).toMatchObject({ exit: 7, stdout: '' });
    expect((await pins('forget', endpoint, '--expect', key(1))).exit).toBe(0);

    const history = await pins('history', endpoint, '--json');
    expect(parsed(history.stdout)).toMatchObject([
      { endpoint, event: 'added', origin: 'cli', spki: key(1), at: date },
      { event: 'rejected' },
      { event: 'undone' },
      { event: 'forgotten' },
    ]);
    expect(await pins('verify')).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/^the pin store is good: /),
    });
    expect(await pins('repair')).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('there is nothing to repair'),
    });
    expect(await pins('show', 'other.example:993')).toMatchObject({ exit: 7, stdout: '' });
  });

  it('start-over empties the store, keeps it whole, and says where the old one is', async () => {
    const { stdout, exit } = await pins('repair', '--start-over', '--json');
    expect(exit).toBe(0);
    expect(parsed(stdout)).toMatchObject({ outcome: 'done', aside: expect.any(String) });
    expect((await pins('verify')).exit).toBe(0);
  });
});

describe('through a daemon', () => {
  it('starts from a file, answers, reloads or keeps the old, and stops with 0', async () => {
    const home = await Home.make();
    const identity = await selfSigned();
    const server = await tlsServer(identity, {}, (socket) =>
      socket.on('error', () => undefined).end('* OK hi\r\n'),
    );
    try {
      const upstream = `imaps://mail.test:${portOf(server)}`;
      const good = (more = ''): string =>
        `state: st\nmetrics: null\nlog: {format: json}\nroutes:\n  - upstream: ${upstream}\n    listen: localhost:0\n    name: one\n${more}`;
      await home.file('l.yaml', good());
      const daemon = home.start(['run', '-c', 'l.yaml']);
      await daemon.writes('stderr', /"event":"ready"/);
      const ask = (...words: readonly string[]): Promise<Ended> => home.say([...words, '-c', 'l.yaml']);

      expect(parsed((await ask('status', '--json')).stdout)).toMatchObject({
        version: expect.any(String),
        routes: [
          {
            name: 'one',
            listen: expect.stringMatching(/127\.0\.0\.1:\d+/),
            upstream,
            protocol: 'imap',
            sessions: 0,
            state: expect.any(String),
          },
        ],
        store: { state: 'good' },
      });
      expect((await ask('status')).stdout).toMatch(/\nROUTE +LISTEN +UPSTREAM +SESSIONS +STATE\none +/);
      const endpoint = `mail.test:${portOf(server)}`;
      expect((await ask('pins', 'add', endpoint, keyOf(identity))).exit).toBe(0);
      expect(parsed((await ask('pins', 'list', '--json')).stdout)).toMatchObject([
        { endpoint, state: 'pinned' },
      ]);
      const inspected = await ask('inspect', upstream, '--address', `127.0.0.1:${portOf(server)}`, '--json');
      expect(inspected.exit).toBe(0);
      expect(parsed(inspected.stdout)).toMatchObject({ store: 'used', verdicts: { auto: { basis: 'pin' } } });
      expect((await ask('explain', endpoint)).exit).toBe(0);

      await home.file(
        'l.yaml',
        good('  - upstream: pop3s://mail.test\n    listen: localhost:0\n    name: two\n'),
      );
      expect(await ask('reload')).toMatchObject({ exit: 0, stderr: '' });
      expect(parsed((await ask('status', '--json')).stdout)).toMatchObject({
        routes: [{ name: 'one' }, { name: 'two' }],
      });
      await home.file('l.yaml', good('    trusst: ca\n'));
      const socket = home.path('st/admin.sock');
      const kept = await home.say(['reload', '--socket', socket]);
      expect(kept).toMatchObject({
        exit: 3,
        stdout: '',
        stderr: expect.stringMatching(
          /^l\.yaml:8:5: unknown key "trusst" in routes\[0\]\n[^]*The daemon keeps its old configuration/,
        ),
      });
      expect(parsed((await home.say(['status', '--json', '--socket', socket])).stdout)).toMatchObject({
        routes: [{ name: 'one' }, { name: 'two' }],
      });

      daemon.child.kill('SIGTERM');
      expect(await daemon.ended).toMatchObject({ exit: 0 });
      expect((await home.say(['status', '--socket', socket])).exit).toBe(8);
    } finally {
      server.close();
      await home.remove();
    }
  });
});

describe('run', () => {
  let home: Home;
  beforeAll(async () => {
    home = await Home.make();
  });
  afterAll(() => home.remove());

  it('listens for commands on the socket that was named', async () => {
    const daemon = home.start([
      'run',
      '0=imaps://imap.example.org',
      '--state',
      'own',
      '--socket',
      'own.sock',
    ]);
    await daemon.writes('stderr', /"event":"ready"/);
    const { stdout, exit } = await home.say(['status', '--json', '--socket', home.path('own.sock')]);
    daemon.child.kill('SIGTERM');
    expect(exit).toBe(0);
    expect(parsed(stdout)).toMatchObject({ pid: daemon.child.pid });
    expect((await daemon.ended).exit).toBe(0);
  });

  it('from URLs prints what to enter in the mail client, with the ports really bound', async () => {
    const daemon = home.start([
      'run',
      '0=imaps://imap.example.org',
      '127.0.0.1:0=submission://mail.example.org',
      '--state',
      'st',
    ]);
    await daemon.writes('stdout', /mail\.example\.org[^]*password.*\n\n/);
    daemon.child.kill('SIGTERM');
    const { stdout, exit } = await daemon.ended;
    expect(stdout).toMatch(
      /^Enter these settings in the mail client:\n\nincoming mail \(IMAP\), for imaps:\/\/imap\.example\.org\n {2}server +localhost\n {2}port +[1-9]\d+\n {2}security +none .*\n {2}user name +as with the provider\n/,
    );
    expect(stdout).toMatch(
      /\noutgoing mail \(SMTP\), for submission:\/\/mail\.example\.org\n {2}server +127\.0\.0\.1\n {2}port +[1-9]\d+\n/,
    );
    expect(exit).toBe(0);
  });

  it.each([
    ['--openssl-config in NODE_OPTIONS', { env: { NODE_OPTIONS: '--openssl-config=/dev/null' } }],
    ['--tls-keylog as an argument', { node: ['--tls-keylog=/dev/null'] }],
  ])('refuses %s with exit 3', async (_, given) => {
    const { exit, stdout, stderr } = await home.run(
      ['run', '0=imaps://imap.example.org', '--state', 'st'],
      given,
    );
    expect([exit, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/Node was started with --(?:openssl-config|tls-keylog)\nhint: /);
  });

  it('notes once, and only for run, that Node 20 gets no fixes any more', async () => {
    const isOld = Number(process.versions.node.split('.')[0]) <= 20;
    const run = await home.run(['run', '-c', 'missing.yaml']);
    expect(run.stderr.includes('gets no security fixes')).toBe(isOld);
    expect((await home.run(['status'])).stderr).not.toContain('gets no security fixes');
  });
});
