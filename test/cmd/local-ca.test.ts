// `letterlock local-ca`: what is shown of the CA, what is written, and what it says where there is none.

import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guideNames } from '../../cmd/local-ca-guides.ts';
import { deniedError } from '../../cmd/local-ca-place.ts';
import { CommandError } from '../../src/errors.ts';
import { describeLocalCa } from '../../src/local-ca/description.ts';
import { LocalTls } from '../../src/local-ca/local-tls.ts';
import { serving, tlsRoute } from '../local-ca/world.ts';
import { Home, parsed } from './program.ts';

let home: Home;
let ca: X509Certificate;
beforeAll(async () => {
  home = await Home.make();
  await start('st', []);
  ca = new X509Certificate(await readFile(home.path('st/local-ca/ca.crt')));
});
afterAll(() => home.remove());

/** As a daemon with this state does. */
async function start(state: string, names: readonly string[]): Promise<void> {
  await mkdir(home.path(state), { recursive: true, mode: 0o700 });
  const tls = new LocalTls({ state: home.path(state), now: Date.now, on: () => undefined });
  const prepared = await tls.prepare(serving([tlsRoute({ minVersion: 'TLSv1' })], names));
  await prepared.save();
  await prepared.drop();
}

describe('show', () => {
  it('tells names, limits, dates, fingerprints and files', async () => {
    const { stdout, stderr, exit } = await home.say(['local-ca', 'show', '--state', 'st']);
    expect([stderr, exit]).toEqual(['', 0]);
    expect(stdout).toMatch(/^Local CA\n {2}subject +OU=/);
    expect(stdout).toContain(ca.fingerprint256);
    expect(stdout).toMatch(/^ {2}may vouch for +localhost and names below it, 127\.0\.0\.0\/8, ::1\/128$/m);
    expect(stdout).toMatch(/^ {2} +and for no other name or address$/m);
    expect(stdout).toMatch(/^ {2}file +.*\/st\/local-ca\/ca\.crt$/m);
    expect(stdout).toMatch(/^Shown to clients\n {2}names +localhost, 127\.0\.0\.1, ::1$/m);
    expect(stdout).toMatch(/^Shown to clients that know RSA only\n/m);
  });

  it('as JSON', async () => {
    const { stdout } = await home.say(['local-ca', 'show', '--state', 'st', '--json']);
    expect(parsed(stdout)).toMatchObject({
      subject: expect.stringContaining('letterlock local CA'),
      spki: expect.stringMatching(/^sha256\/\//),
      sha256: ca.fingerprint256,
      notBefore: expect.stringMatching(/Z$/),
      notAfter: expect.stringMatching(/Z$/),
      permitted: { dns: ['localhost'], networks: ['127.0.0.0/8', '::1/128'] },
      leaf: { names: ['localhost', '127.0.0.1', '::1'], file: home.path('st/local-ca/leaf.crt') },
      rsaLeaf: { file: home.path('st/local-ca/leaf-rsa.crt') },
      file: home.path('st/local-ca/ca.crt'),
      kept: [],
      pem: ca.toString(),
    });
  });

  it('names the CAs that were replaced, which clients may still trust', async () => {
    await start('moved', []);
    await start('moved', ['mail.box']);
    const { stdout } = await home.say(['local-ca', 'show', '--state', 'moved']);
    expect(stdout).toMatch(/^ {2}replaced +.*\/moved\/local-ca\/ca-\d{4}-\d\d-\d\d\.crt$/m);
    expect(stdout).toMatch(/may vouch for +localhost and names below it, mail\.box and names below it, /);
  });

  it('finds the CA of the daemon that answers, where the usual state has none', async () => {
    const path = home.path('daemon.sock');
    const asked = ['local-ca', 'show', '--json', '--socket', path];
    expect((await home.say(asked)).exit).toBe(7);
    const daemon = home.start(['run', '127.0.0.1:0=imaps://127.0.0.1', '--state', 'st', '--socket', path]);
    await daemon.writes('stderr', /is ready/);
    expect(parsed((await home.say(asked)).stdout)).toMatchObject({ sha256: ca.fingerprint256 });
    daemon.child.kill('SIGTERM');
    await daemon.ended;
  });
});

describe('where there is no CA', () => {
  it.each(['show', 'export', 'install --print'])('%s is 7 and says how it comes to be', async (words) => {
    const { stdout, stderr, exit } = await home.say(['local-ca', ...words.split(' '), '--state', 'none']);
    expect([stdout, exit]).toEqual(['', 7]);
    expect(stderr).toMatch(/^letterlock: there is no local CA in .*\/none\nhint: It is made when letterlock/);
  });
});

describe('a CA that cannot be read', () => {
  it('is 6 and named', async () => {
    await mkdir(home.path('bad/local-ca/ca.crt'), { recursive: true });
    const { stderr, exit } = await home.say(['local-ca', 'show', '--state', 'bad', '--json']);
    expect(exit).toBe(6);
    expect(parsed(stderr)).toMatchObject({
      error: {
        code: 'local-ca-damaged',
        message: expect.stringMatching(/ca\.crt cannot be read \(EISDIR\)$/),
      },
    });
  });

  it('for lack of permission is told apart', async () => {
    await start('closed', []);
    await chmod(home.folder, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) await chmod(home.path('closed/local-ca'), 0o000);
    // Root may read everything, so the question is asked as somebody else.
    if (isRoot) process.seteuid?.(65_534);
    try {
      await expect(describeLocalCa(home.path('closed'))).rejects.toMatchObject({
        exit: 'store',
        code: 'local-ca-denied',
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
      else await chmod(home.path('closed/local-ca'), 0o700);
    }
  });

  it.each([
    [['local-ca', 'show'], 'local-ca show --state /var/lib/letterlock'],
    [['local-ca', 'export', 'my ca.crt', '--state=/x'], "local-ca export 'my ca.crt' --state=/x"],
    [['local-ca', 'export', '-c', 'a.yaml'], 'local-ca export -c a.yaml'],
  ])('and the line that works is given: %s', (words, line) => {
    const cause = new CommandError('store', 'it cannot be read', { code: 'local-ca-denied' });
    const told = deniedError(cause, { state: '/var/lib/letterlock', words });
    expect([told.code, told.hint]).toEqual(['local-ca-denied', `Run: sudo letterlock ${line}`]);
  });
});

describe('export', () => {
  it.each([
    ['without a file', []],
    ['to -', ['-']],
  ])('%s prints the certificate', async (_, words) => {
    const { stdout, stderr, exit } = await home.run(['local-ca', 'export', ...words, '--state', 'st']);
    expect([stdout, stderr, exit]).toEqual([ca.toString(), '', 0]);
  });

  it('writes a file everybody may read, and its fingerprint to stderr', async () => {
    const words = ['local-ca', 'export', 'out.crt', '--state', 'st'];
    const { stdout, stderr, exit } = await home.say(words);
    expect([stdout, exit]).toEqual(['', 0]);
    expect(stderr).toContain(`sha256 ${ca.fingerprint256}`);
    expect(await readFile(home.path('out.crt'), 'utf8')).toBe(ca.toString());
    expect((await stat(home.path('out.crt'))).mode & 0o777).toBe(0o644);
    expect((await home.say(words)).exit).toBe(0);
  });

  it('writes DER when asked to', async () => {
    expect((await home.say(['local-ca', 'export', '--der', 'out.cer', '--state', 'st'])).exit).toBe(0);
    expect((await readFile(home.path('out.cer'))).equals(ca.raw)).toBe(true);
    expect(await home.say(['local-ca', 'export', '--der', '--state', 'st'])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('DER is not for a terminal'),
    });
  });

  it('never writes over anything else', async () => {
    await home.file('mine.crt', 'mine');
    const { stderr, exit } = await home.say(['local-ca', 'export', 'mine.crt', '--state', 'st']);
    expect([exit, await readFile(home.path('mine.crt'), 'utf8')]).toEqual([2, 'mine']);
    expect(stderr).toContain('exists already, and is something else');
    const nowhere = await home.say(['local-ca', 'export', 'no/such/folder.crt', '--state', 'st']);
    expect([nowhere.exit, nowhere.stderr]).toEqual([
      2,
      expect.stringContaining('cannot be written (ENOENT)'),
    ]);
  });

  it('never shows a key', async () => {
    const said = await Promise.all(
      [['show'], ['show', '--json'], ['export'], ['export', '--json'], ['install', '--print']].map((words) =>
        home.say(['local-ca', ...words, '--state', 'st']),
      ),
    );
    for (const { stdout, exit } of said) {
      expect(exit).toBe(0);
      expect(stdout).not.toContain('PRIVATE');
    }
  });
});

describe('install', () => {
  it('changes nothing by itself, and says why', async () => {
    expect(await home.say(['local-ca', 'install', '--state', 'st'])).toEqual({
      exit: 2,
      stdout: '',
      stderr: expect.stringMatching(/^letterlock: letterlock installs no CA by itself: .*\nhint: .* --print/),
    });
  });

  it('prints a guide for each program, with the fingerprint to compare', async () => {
    const { stdout } = await home.say(['local-ca', 'install', '--print', '--state', 'st']);
    expect(stdout).toContain(`SHA-256 ${ca.fingerprint256}`);
    expect(stdout).toContain('  letterlock local-ca export ~/letterlock-ca.crt --state st\n');
    for (const name of guideNames) expect(stdout).toMatch(new RegExp(` \\(--for ${name}\\)$`, 'm'));
  });

  it.each([
    ['debian', /update-ca-certificates/],
    ['fedora', /update-ca-trust/],
    ['macos', /security add-trusted-cert/],
    ['windows', /Import-Certificate/],
    ['ios', /Certificate Trust Settings/],
    ['android', /CA certificate/],
    ['thunderbird', /Authorities > Import/],
    ['firefox', /Authorities > Import/],
    ['java', /keytool -importcert/],
    ['mutt', /ssl_ca_certificates_file/],
    ['neomutt', /certificate_file/],
    ['mbsync', /CertificateFile/],
    ['msmtp', /tls_trust_file/],
    ['fetchmail', /sslcertfile/],
    ['curl', /--cacert/],
    ['openssl', /-CAfile/],
    ['python', /cafile=/],
  ])('for %s prints that one alone', async (name, line) => {
    const { stdout, exit } = await home.say([
      'local-ca',
      'install',
      '--print',
      '--for',
      name,
      '--state',
      'st',
    ]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(line);
    expect(stdout.match(/\(--for /g)).toHaveLength(1);
  });

  it('does not know every program', async () => {
    expect(
      await home.say(['local-ca', 'install', '--print', '--for', 'thunderbrid', '--state', 'st']),
    ).toMatchObject({ exit: 2, stderr: expect.stringContaining('did you mean thunderbird?') });
  });
});

const yaml = (names: string): string =>
  `state: checked\nlocalCa: {names: [${names}]}\nroutes:\n  - upstream: imaps://imap.example.org\n    clientTls: implicit\n`;

describe('check', () => {
  it('tells of a new CA before the start that makes it', async () => {
    await start('checked', []);
    await home.file('same.yaml', yaml(''));
    await home.file('more.yaml', yaml('mail.box'));
    expect(await home.say(['check', '-c', 'same.yaml'])).toMatchObject({ exit: 0, stderr: '' });
    const { exit, stdout, stderr } = await home.say(['check', '-c', 'more.yaml']);
    expect([exit, stdout]).toEqual([0, 'more.yaml: the configuration is good (1 route)\n']);
    expect(stderr).toMatch(
      /^warning: .*ca\.crt: the next start makes a NEW LOCAL CA: .* must not vouch for mail\.box\n {4}hint: every client must import it again/,
    );
    expect(parsed((await home.say(['check', '-c', 'more.yaml', '--json'])).stdout)).toMatchObject({
      ok: true,
      warnings: [{ source: home.path('checked/local-ca/ca.crt') }],
    });
  });
});
