// `pins import` and `pins export` as a user types them: what is said, what is stored, and that it is all or nothing.

import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { selfSigned } from '../net/peers.ts';
import { Home, parsed, type Ended } from './program.ts';

const key = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const [one, two, three] = [key(1), key(2), key(3)];
const sha256 = 'AB:'.repeat(32).slice(0, -1);

let home: Home;
beforeEach(async () => {
  home = await Home.make();
});
afterEach(() => home.remove());
const pins = (...words: readonly string[]): Promise<Ended> => home.say(['pins', ...words, '--state', 'st']);
const states = async (): Promise<unknown> => {
  const { exit, stdout } = await pins('list', '--json');
  return exit === 0 ? parsed(stdout) : exit;
};

describe('import', () => {
  it('shows without storing, not even a store, then stores the same', async () => {
    await home.file('keys', `a.example:993 ${one};${two}\n# c\nb.example:587 ${three}\n`);
    const dry = await pins('import', 'keys', '--dry-run');
    expect(dry).toMatchObject({ exit: 0, stderr: '' });
    const items = `keys:1: a.example:993: pins ${one} without an end\nkeys:1: a.example:993: pins ${two} without an end\nkeys:3: b.example:587: pins ${three} without an end\n`;
    expect(dry.stdout).toBe(`${items}This is what would be done; nothing was stored.\n`);
    expect(await states()).toBe(6);
    const done = await pins('import', 'keys');
    expect(done.exit).toBe(0);
    expect(done.stdout).toMatch(
      new RegExp(`^${items.replace(/[/+?.]/g, '\\$&')}a\\.example:993:\nTrusted from now on:\n`),
    );
    expect(await states()).toMatchObject([
      {
        endpoint: 'a.example:993',
        state: 'pinned',
        pins: [{ spki: one, origin: 'imported' }, { spki: two }],
      },
      { endpoint: 'b.example:587', state: 'pinned', pins: [{ spki: three }] },
    ]);
    expect((await pins('import', 'keys')).stdout).toContain('nothing to do:');
    expect((await pins('undo', 'a.example:993')).exit).toBe(0);
    expect(await states()).toMatchObject([{ endpoint: 'a.example:993', state: 'none', pins: [] }, {}]);
    expect((await pins('verify')).exit).toBe(0);
  });

  it('stores nothing at all when one line of the file is wrong', async () => {
    await home.file('keys', `a.example:993 ${one}\nb.example ${two}\n`);
    expect(await pins('import', 'keys')).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^letterlock: nothing was imported:\n {2}keys:2: "b\.example" is not an endpoint/,
      ),
    });
    expect(await states()).toBe(6);
  });

  it('stores nothing at all when one key is in the way, and says which line brought it', async () => {
    await pins('add', 'b.example:993', one);
    await home.file('keys', `a.example:993 ${one}\nb.example:993 ${two}\n`);
    const blocked = await pins('import', 'keys', '--format', 'list');
    expect(blocked).toMatchObject({ exit: 2, stdout: '' });
    expect(blocked.stderr).toBe(
      `letterlock: nothing was imported:\n  keys:2: b.example:993: ${two} would be trusted beside ${one}\nhint: --keep takes the imported keys beside what is trusted already.\n`,
    );
    expect(await states()).toMatchObject([{ endpoint: 'b.example:993', pins: [{ spki: one }] }]);
    const dry = await pins('import', 'keys', '--dry-run');
    expect(dry).toMatchObject({ exit: 0, stdout: expect.stringContaining('IN THE WAY: ') });
    expect(dry.stdout).toContain('Nothing would be stored: 1 of these');
    expect((await pins('import', 'keys', '--keep')).exit).toBe(0);
    expect(await states()).toMatchObject([
      { endpoint: 'a.example:993' },
      { pins: [{ spki: one }, { spki: two }] },
    ]);
  });

  it('takes a rejected key only when it is named', async () => {
    await pins('add', 'a.example:993', two);
    await pins('reject', 'a.example:993', '--expect', one);
    await home.file('keys', `a.example:993 ${one}\n`);
    const blocked = await pins('import', 'keys', '--keep');
    expect(blocked).toMatchObject({ exit: 2, stderr: expect.stringContaining(`--unreject ${one}`) });
    expect((await pins('import', 'keys', '--keep', '--unreject', two)).exit).toBe(2);
    expect((await pins('import', 'keys', '--keep', '--unreject', 'abc')).exit).toBe(2);
    expect((await pins('import', 'keys', '--keep', '--unreject', one)).exit).toBe(0);
    expect(await states()).toMatchObject([
      { rejected: [], pins: [{ spki: two }, { spki: one, live: true }] },
    ]);
  });

  it('of a fingerprint is an expected certificate, shown as one', async () => {
    await home.file('.msmtprc', `account a\nhost a.example\npassword hunter2\ntls_fingerprint ${sha256}\n`);
    const done = await pins('import', '.msmtprc', '--json');
    expect(parsed(done.stdout)).toMatchObject({
      applied: true,
      format: 'msmtp',
      items: [{ file: '.msmtprc', line: 4, endpoint: 'a.example:25', does: 'expect' }],
    });
    expect(await states()).toMatchObject([
      { state: 'pinned', pins: [], expected: [{ of: 'certificate', algorithm: 'sha256', until: null }] },
    ]);
    expect((await pins('show', 'a.example:25')).stdout).toContain(`the certificate with SHA-256 ${sha256}`);
    expect((await home.say(['explain', 'a.example:25', '--state', 'st'])).stdout).toContain(sha256);
  });

  it('reads standard input, and a format that is named', async () => {
    const words = [
      'pins',
      'import',
      '-',
      '--endpoint',
      'a.example:993',
      '--endpoint',
      'a.example:587',
      '--state',
      'st',
    ];
    expect((await home.say(words, { input: `${one};${two}\n` })).exit).toBe(0);
    expect(await states()).toMatchObject([{ endpoint: 'a.example:587' }, { endpoint: 'a.example:993' }]);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ['a file that is not there', ['import', 'none'], 7, /none cannot be read \(ENOENT\)/],
    ['a file of nobody', ['import', 'odd'], 2, /does not show which program it is of/],
    ['a format nobody knows', ['import', 'odd', '--format', 'x'], 2, /--format x is not known/],
    ['an endpoint without a port', ['import', 'odd', '--endpoint', 'a'], 2, /not an endpoint/],
    [
      'a file with nothing in it',
      ['import', 'odd', '--format', 'msmtp'],
      7,
      /holds nothing to import as msmtp/,
    ],
    ['a folder', ['import', '.'], 2, /is not a file/],
    ['a certificate without its octets in text', ['import', 'bytes'], 2, /not a text file/],
    ['two kinds of export', ['export', '--format', 'list', '--for', 'msmtp'], 2, /--format and --for/],
    ['a program nobody knows', ['export', '--for', 'pine'], 2, /--for pine is not known/],
    ['no store', ['export'], 6, /store/],
  ])('%s is said', async (_, words, exit, pattern) => {
    await home.file('odd', 'hello\n');
    await home.file('bytes', Buffer.from([0x30, 0x82, 0, 1]));
    expect(await pins(...words)).toMatchObject({ exit, stdout: '', stderr: expect.stringMatching(pattern) });
  });

  it('takes mbsync with the files it names, and names a file that is not there by the line', async () => {
    const { cert } = await selfSigned();
    await home.file('server.pem', cert);
    await home.file('mbsyncrc', 'IMAPAccount a\nHost a.example\nSSLType IMAPS\nCertificateFile server.pem\n');
    const done = await pins('import', 'mbsyncrc', '--json');
    const spki = spkiOfCertificate(new Uint8Array(new X509Certificate(cert).raw));
    expect(done.exit, done.stderr).toBe(0);
    expect(parsed(done.stdout)).toMatchObject({
      items: [{ endpoint: 'a.example:993', text: `${spki} without an end` }],
    });
    await home.file('mbsyncrc', 'IMAPAccount a\nHost a.example\nCertificateFile none.pem\n');
    const missing = await pins('import', 'mbsyncrc');
    expect(missing).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/mbsyncrc:3: .*none\.pem cannot be read/),
    });
  });
});

describe('export', () => {
  it('is a backup that puts everything back elsewhere, rejections included', async () => {
    await pins('add', 'a.example:993', one, '--for', '7d');
    await pins('add', 'a.example:993', two);
    await pins('reject', 'a.example:993', '--expect', three);
    await pins('reject', 'b.example:993', '--expect', one);
    await home.file('.msmtprc', `account a\nhost c.example\ntls_fingerprint ${sha256}\n`);
    await pins('import', '.msmtprc');
    const backup = await pins('export');
    expect(backup).toMatchObject({ exit: 0, stderr: '' });
    await home.file('backup.json', backup.stdout);
    const elsewhere = (...words: readonly string[]) => home.say(['pins', ...words, '--state', 'new']);
    const done = await elsewhere('import', 'backup.json');
    expect(done.exit, done.stderr).toBe(0);
    expect(parsed((await elsewhere('list', '--json')).stdout)).toEqual(await states());
    expect((await elsewhere('import', 'backup.json')).stdout).toMatch(/nothing to do/);
    expect((await elsewhere('verify')).exit).toBe(0);
    const history = await elsewhere('history', 'a.example:993', '--json');
    expect(parsed(history.stdout)).toMatchObject([{ event: 'imported' }, { event: 'rejected', spki: three }]);
  });

  it('a backup that was cut or changed is refused whole', async () => {
    await pins('add', 'a.example:993', one);
    const { stdout } = await pins('export');
    await home.file('cut.json', stdout.slice(0, -10));
    await home.file('changed.json', stdout.replace('"basis": "pinned"', '"basis": "trusted"'));
    await home.file('more.json', stdout.replace('"epoch"', '"else": 1, "epoch"'));
    for (const file of ['cut.json', 'changed.json', 'more.json'])
      expect(await home.say(['pins', 'import', file, '--state', 'new']), file).toMatchObject({
        exit: 2,
        stdout: '',
      });
  });

  it('of one endpoint, and never of one nobody knows', async () => {
    await pins('add', 'a.example:993', one);
    await pins('add', 'b.example:993', two);
    expect(parsed((await pins('export', 'B.example:993')).stdout)).toMatchObject({
      records: [{ endpoint: 'b.example:993' }],
    });
    expect(await pins('export', 'c.example:993')).toMatchObject({ exit: 7, stdout: '' });
    expect(await pins('export', '--for', 'curl', 'c.example:993')).toMatchObject({ exit: 7, stdout: '' });
  });

  it('prints lines by key, says which endpoints it cannot print, and nothing of a key that does not count', async () => {
    await pins('add', 'a.example:993', one);
    await pins('add', 'a.example:993', two);
    await pins('reject', 'a.example:993', '--expect', two);
    await home.file('.msmtprc', `account a\nhost c.example\ntls_fingerprint ${sha256}\n`);
    await pins('import', '.msmtprc');
    const hex = '01'.repeat(32);
    const lines = async (...words: readonly string[]) => (await pins('export', ...words)).stdout;
    expect(await lines('--format', 'list')).toBe(`a.example:993 ${one}\n`);
    expect(await lines('--for', 'gnutls')).toBe(`|c0|a.example|993|0|6|${hex}\n`);
    expect(await lines('--for', 'curl')).toMatch(
      new RegExp(`^# a.example:993;.*\ninsecure\npinnedpubkey = "${one.replace(/[/+]/g, '\\$&')}"\n$`),
    );
    expect(await lines('--for', 'openssl')).toContain(
      `-dane_tlsa_rrdata "3 1 1 ${hex}" -verify_return_error`,
    );
    expect(parsed(await lines('--format', 'list', '--json'))).toEqual([
      { endpoint: 'a.example:993', lines: [`a.example:993 ${one}`] },
    ]);
    expect(await pins('export', '--for', 'mutt')).toMatchObject({
      exit: 7,
      stdout: '',
      stderr: expect.stringContaining('no pinned key was seen with one yet'),
    });
    expect(await pins('export', '--for', 'fetchmail')).toMatchObject({
      exit: 7,
      stderr: expect.stringContaining('--weak'),
    });
  });
});
