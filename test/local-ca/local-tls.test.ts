// The local CA on disk, through starts, reloads, clocks and crashes.

import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors.ts';
import { diskIo, type StoreIo } from '../../src/store/io.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { selfSigned } from '../net/peers.ts';
import { plainRoute } from '../proxy/route.ts';
import { day, serving, shown, tlsRoute, World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await World.make();
});
afterEach(() => world.close());

const usual = serving([tlsRoute()]);
const legacy = serving([tlsRoute({ minVersion: 'TLSv1' })]);
const named = serving([tlsRoute()], ['mail.box']);

const filesNow = async (): Promise<Readonly<Record<string, string>>> => {
  const names = (await readdir(world.path('.'))).toSorted();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await world.text(name)] as const)),
  );
};

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('the first need', () => {
  it('makes a CA and a leaf, closed to others, and says who must import it', async () => {
    const { credentials } = await world.start(usual);
    expect(Object.keys(await filesNow())).toEqual(['ca.crt', 'ca.key', 'leaf.crt', 'leaf.key']);
    expect(await modeOf(world.path('.'))).toBe(0o700);
    for (const name of ['ca.crt', 'ca.key', 'leaf.crt', 'leaf.key'])
      expect(await modeOf(world.path(name))).toBe(0o600);
    expect(world.told).toEqual([
      expect.objectContaining({
        code: 'local-ca-made',
        message: expect.stringMatching(/^made a local CA, letterlock local CA \(.*install --print$/),
      }),
    ]);
    expect((await shown(credentials)).toString()).toBe(await world.text('leaf.crt'));
  });

  it('is over with the second start, which makes and says nothing', async () => {
    await world.start(legacy);
    const before = await filesNow();
    world.told.length = 0;
    await world.start(legacy);
    expect(await filesNow()).toEqual(before);
    expect(world.told).toEqual([]);
  });

  it.each([
    ['a plaintext route', serving([plainRoute], ['mail.box'])],
    ['no route at all', serving([])],
  ])('does not come with %s', async (_, config) => {
    await world.start(config);
    await expect(readdir(world.path('.'))).rejects.toThrow('ENOENT');
  });

  it('of an old device makes a leaf with an RSA key beside the other', async () => {
    const { credentials } = await world.start(legacy);
    const kinds = await Promise.all(
      ['ECDSA', 'RSA'].map(
        async (kind) =>
          (
            await shown(credentials, null, {
              maxVersion: 'TLSv1.2',
              ciphers: `ECDHE-${kind}-AES128-GCM-SHA256`,
            })
          ).publicKey.asymmetricKeyType,
      ),
    );
    expect(kinds).toEqual(['ec', 'rsa']);
  });
});

describe('a CA that clients imported is not replaced because its files are', () => {
  const rows: readonly (readonly [string, RegExp, () => Promise<void>])[] = [
    ['missing', /ca\.crt is missing$/, () => rm(world.path('ca.crt'))],
    ['without a key', /ca\.key is missing$/, () => rm(world.path('ca.key'))],
    [
      'of another key',
      /ca\.key does not belong to the certificate$/,
      () => copyFile(world.path('leaf.key'), world.path('ca.key')),
    ],
    [
      'cut off',
      /ca\.crt cannot be used: a certificate begins and does not end/,
      async () => writeFile(world.path('ca.crt'), (await world.text('ca.crt')).slice(0, 300)),
    ],
    ['emptied', /ca\.crt cannot be used: no certificate/, () => writeFile(world.path('ca.crt'), '')],
    [
      'with half a key',
      /ca\.key holds no private key/,
      async () => writeFile(world.path('ca.key'), (await world.text('ca.key')).slice(0, 100)),
    ],
    [
      'no CA',
      /ca\.crt is not the certificate of a CA$/,
      async () => {
        const { cert, key } = await selfSigned();
        await writeFile(world.path('ca.crt'), cert);
        await writeFile(world.path('ca.key'), key);
      },
    ],
  ];

  it.each(rows)('%s: nothing starts, and the file is named', async (_, message, damage) => {
    await world.start(usual);
    const sound = await filesNow();
    await damage();
    const found = await filesNow();
    const failing = world.start(usual);
    await expect(failing).rejects.toThrow(CommandError);
    await expect(failing).rejects.toMatchObject({
      exit: 'store',
      code: 'local-ca-damaged',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('Put ca.crt and ca.key back'),
    });
    expect(await filesNow()).toEqual(found);

    await Promise.all(
      ['ca.crt', 'ca.key'].map((file) => writeFile(world.path(file), sound[file] ?? '', { mode: 0o600 })),
    );
    await world.start(usual);
    expect(await filesNow()).toEqual(sound);
  });

  it('moved away by hand: a new one is made', async () => {
    await world.start(usual);
    const before = await world.text('ca.crt');
    await rm(world.path('ca.crt'));
    await rm(world.path('ca.key'));
    await world.start(usual);
    expect(await world.text('ca.crt')).not.toBe(before);
    expect(world.codes).toEqual(['local-ca-made', 'local-ca-made']);
  });

  it('made by somebody else: is told to be no place for it', async () => {
    await mkdir(world.path('.'), { mode: 0o700 });
    execFileSync(
      'openssl',
      [
        ...'req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=other'.split(' '),
        '-addext',
        'basicConstraints=critical,CA:TRUE',
        '-keyout',
        world.path('ca.key'),
        '-out',
        world.path('ca.crt'),
      ],
      { stdio: 'ignore' },
    );
    await expect(world.start(usual)).rejects.toMatchObject({
      exit: 'store',
      code: 'local-ca-foreign',
      hint: expect.stringContaining('clientTls'),
    });
  });
});

describe('a leaf nobody imported', () => {
  it.each([
    ['missing', () => rm(world.path('leaf.crt')), ['local-leaf-remade']],
    ['of another key', () => copyFile(world.path('ca.key'), world.path('leaf.key')), ['local-leaf-remade']],
    [
      'gone altogether',
      async () => {
        await rm(world.path('leaf.crt'));
        await rm(world.path('leaf.key'));
      },
      [],
    ],
    [
      'of another CA',
      async () => {
        const other = await World.make();
        await other.start(usual);
        for (const name of ['leaf.crt', 'leaf.key']) await copyFile(other.path(name), world.path(name));
        await other.close();
      },
      ['local-leaf-renewed'],
    ],
  ])('%s is made anew under the same CA', async (_, damage, codes) => {
    await world.start(usual);
    const before = await filesNow();
    world.told.length = 0;
    await damage();
    const { credentials } = await world.start(usual);
    const after = await filesNow();
    expect([after['ca.crt'], after['ca.key']]).toEqual([before['ca.crt'], before['ca.key']]);
    expect(after['leaf.crt']).not.toBe(before['leaf.crt']);
    expect((await shown(credentials, after['ca.crt'])).subject).toContain('localhost');
    expect(world.codes).toEqual(codes);
  });
});

describe('the folder', () => {
  it.each([
    ['a file others can write', () => chmod(world.path('ca.key'), 0o620), /ca\.key can be written by others/],
    ['a folder others can write', () => chmod(world.path('.'), 0o770), /local-ca can be written by others/],
    [
      'a link in the place of the folder',
      async () => {
        await rename(world.path('.'), `${world.state}/elsewhere`);
        await symlink(`${world.state}/elsewhere`, world.path('.').replace(/\/$/, ''));
      },
      /local-ca is not a directory/,
    ],
    [
      'a link in the place of a file',
      async () => {
        await rename(world.path('ca.key'), world.path('real'));
        await symlink(world.path('real'), world.path('ca.key'));
      },
      /ca\.key is not a file/,
    ],
  ])('is refused for %s', async (_, spoil, message) => {
    await world.start(usual);
    await spoil();
    const failing = world.start(usual);
    await expect(failing).rejects.toThrow(StoreError);
    await expect(failing).rejects.toMatchObject({
      code: 'store-permissions',
      message: expect.stringMatching(message),
    });
  });

  it('that others can only read is closed', async () => {
    await world.start(usual);
    await chmod(world.path('ca.key'), 0o644);
    await world.start(usual);
    expect(await modeOf(world.path('ca.key'))).toBe(0o600);
  });
});

describe('names', () => {
  it('that the CA must not vouch for make a new CA; the old one is kept', async () => {
    await world.start(usual);
    const before = await filesNow();
    world.told.length = 0;
    await world.start(named);
    const after = await filesNow();
    const date = new Date(world.now).toISOString().slice(0, 10);
    expect(Object.keys(after)).toEqual(
      expect.arrayContaining([`ca-${date}.crt`, `ca-${date}.key`, 'ca.crt', 'ca.key']),
    );
    expect([after[`ca-${date}.crt`], after[`ca-${date}.key`]]).toEqual([before['ca.crt'], before['ca.key']]);
    expect(after['ca.crt']).not.toBe(before['ca.crt']);
    expect(await modeOf(world.path(`ca-${date}.key`))).toBe(0o600);
    expect(world.told).toEqual([
      expect.objectContaining({
        code: 'local-ca-replaced',
        message: expect.stringMatching(
          /^A NEW LOCAL CA: .* must not vouch for mail\.box, so .*ca-DATE\.crt$/,
        ),
      }),
    ]);
    await world.start(serving([tlsRoute()], ['mail.box', 'other.box']));
    expect(Object.keys(await filesNow())).toContain(`ca-${date}-2.key`);
  });

  it.each([
    ['below one it permits', ['imap.mail.box']],
    ['that are addresses of loopback', ['127.0.1.1']],
    ['that go away', []],
  ])('%s make a new leaf only', async (_, names) => {
    await world.start(named);
    const before = await filesNow();
    world.told.length = 0;
    await world.start(serving([tlsRoute()], names));
    const after = await filesNow();
    expect(after['ca.crt']).toBe(before['ca.crt']);
    expect((await world.certificate('leaf.crt')).extensions.names.map(({ value }) => value)).toEqual(
      expect.arrayContaining(['localhost', '127.0.0.1', '::1', ...names]),
    );
    expect(after['leaf.crt']).not.toBe(before['leaf.crt']);
    expect(world.codes).toEqual(['local-leaf-renewed']);
  });
});

describe('time', () => {
  it('renews a leaf before its end, without a restart, under the same CA', async () => {
    const { tls, credentials } = await world.start(legacy);
    const ca = await world.text('ca.crt');
    const first = await shown(credentials);
    world.now += 59 * day;
    await tls.look();
    expect((await shown(credentials)).raw.equals(first.raw)).toBe(true);
    world.now += 2 * day;
    await tls.look();
    const second = await shown(credentials);
    expect(second.raw.equals(first.raw)).toBe(false);
    expect(second.toString()).toBe(await world.text('leaf.crt'));
    expect(await world.text('ca.crt')).toBe(ca);
    expect(world.codes).toEqual(['local-ca-made', 'local-leaf-renewed']);
  });

  it.each([
    ['forward, past the end of the leaf', 200 * day],
    ['back, before its beginning', -2 * day],
  ])('that is set %s: the next handshake asks for a new leaf', async (_, by) => {
    const { credentials } = await world.start(usual);
    const first = await shown(credentials);
    world.now += by;
    credentials.context();
    await expect.poll(() => world.text('leaf.crt')).not.toBe(first.toString());
    const second = await shown(credentials);
    expect(second.raw.equals(first.raw)).toBe(false);
    const { dates } = await world.certificate('leaf.crt');
    expect(dates?.notBefore).toBeLessThan(world.now);
    expect(dates?.notAfter).toBeGreaterThan(world.now);
  });

  it('tells once a day that the CA nears its end, and makes a new one when it came', async () => {
    const { tls, credentials } = await world.start(usual);
    const ca = await world.text('ca.crt');
    world.now += (3652 - 30) * day;
    await tls.look();
    await tls.look();
    world.now += day;
    await tls.look();
    expect(world.codes.filter((code) => code === 'local-ca-ending')).toHaveLength(2);
    expect(await world.text('ca.crt')).toBe(ca);
    world.now += 30 * day;
    await tls.look();
    expect(world.told.at(-1)).toMatchObject({
      code: 'local-ca-replaced',
      message: expect.stringMatching(/^A NEW LOCAL CA: .* ended on /),
    });
    const now = await world.text('ca.crt');
    expect(now).not.toBe(ca);
    expect((await shown(credentials)).toString()).toBe(await world.text('leaf.crt'));
    expect((await world.certificate('leaf.crt')).issuer.key).toBe(
      (await world.certificate('ca.crt')).subject.key,
    );
  });

  it('before the CA began is told, and the CA stays', async () => {
    await world.start(usual);
    const ca = await world.text('ca.crt');
    world.now -= 400 * day;
    await world.start(usual);
    expect(world.codes).toContain('local-ca-early');
    expect(await world.text('ca.crt')).toBe(ca);
  });
});

/** Fails for good from the given step on, as when the machine stops there. */
function stoppingAt(step: number): StoreIo & { readonly stopped: () => boolean } {
  let steps = 0;
  const next = (): void => {
    steps += 1;
    if (steps > step) throw Object.assign(new Error('stopped'), { code: 'EIO' });
  };
  return {
    stopped: () => steps > step,
    async writeBatch() {},
    async appendFile() {},
    async writeFile(path, bytes) {
      next();
      await diskIo.writeFile(path, bytes);
    },
    async syncFile(path) {
      next();
      await diskIo.syncFile(path);
    },
    async rename(from, to) {
      next();
      await diskIo.rename(from, to);
    },
    async syncDirectory(path) {
      next();
      await diskIo.syncDirectory(path);
    },
  };
}

describe('a machine that stops while files are written', () => {
  it.each([
    ['the first CA', null, usual],
    ['a new CA in the place of an old one', usual, named],
    ['a leaf of other names', named, usual],
  ])('leaves what the next start goes on with: %s', async (_, before, config) => {
    for (let step = 0; ; step += 1) {
      const each = await World.make();
      try {
        if (before !== null) await each.start(before);
        const old = before === null ? null : await each.text('ca.crt');
        const io = stoppingAt(step);
        const tls = each.tls(io);
        await tls
          .prepare(config)
          .then((prepared) => prepared.save())
          .catch(() => undefined);
        const between = await readFile(each.path('ca.crt'), 'utf8').catch(() => null);
        each.told.length = 0;
        const { credentials } = await each.start(config);
        const ca = await each.text('ca.crt');
        expect((await shown(credentials, ca)).subject).toContain('localhost');
        // Who exported it in between got the old one or the one that holds.
        expect([null, old, ca]).toContain(between);
        const kept = (await readdir(each.path('.'))).filter((name) => /^ca-.*\.crt$/.test(name));
        expect(kept.length).toBe(old === null || ca === old ? 0 : 1);
        if (!io.stopped()) break;
      } finally {
        await each.close();
      }
    }
  });
});

describe('a disk that takes nothing', () => {
  it('keeps the daemon from starting', async () => {
    const failing = world.tls(stoppingAt(0)).prepare(usual);
    await expect(failing).rejects.toThrow(StoreError);
    await expect(failing).rejects.toMatchObject({
      code: 'store-io',
      message: expect.stringContaining('EIO'),
    });
  });

  it('does not keep a running one from a valid leaf, which is written when it can be', async () => {
    await world.start(usual);
    let full = true;
    const io: StoreIo = {
      ...diskIo,
      writeFile: (path, bytes) =>
        full
          ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
          : diskIo.writeFile(path, bytes),
    };
    const tls = world.tls(io);
    const prepared = await tls.prepare(usual);
    prepared.take();
    const credentials = prepared.credentialsFor(tlsRoute());
    const before = await world.text('leaf.crt');
    world.now += 100 * day;
    await tls.look();
    await tls.look();
    const leaf = await shown(credentials);
    expect(leaf.toString()).not.toBe(before);
    expect(await world.text('leaf.crt')).toBe(before);
    expect(world.codes.filter((code) => code === 'local-ca-unsaved')).toHaveLength(1);
    full = false;
    await tls.look();
    expect(await world.text('leaf.crt')).toBe(leaf.toString());
  });

  it('and files that cannot be used any more leave a running daemon its last good leaf', async () => {
    const { tls, credentials } = await world.start(usual);
    const first = await shown(credentials);
    await writeFile(world.path('ca.key'), 'nonsense');
    world.now += 70 * day;
    await tls.look();
    expect((await shown(credentials)).raw.equals(first.raw)).toBe(true);
    expect(world.told.at(-1)).toMatchObject({
      code: 'local-leaf-not-renewed',
      message: expect.stringContaining('ca.key holds no private key'),
    });
  });
});

describe('a reload', () => {
  it('that is given up leaves the files as they were', async () => {
    const { tls, credentials } = await world.start(usual);
    const before = await filesNow();
    const prepared = await tls.prepare(named);
    await prepared.drop();
    expect(await filesNow()).toEqual(before);
    expect((await shown(credentials)).toString()).toBe(before['leaf.crt']);
    world.now += 61 * day;
    await tls.look();
    expect((await shown(credentials)).toString()).not.toBe(before['leaf.crt']);
  });

  it('shows the new certificate at once, and writes it down', async () => {
    const { tls } = await world.start(usual);
    const prepared = await tls.prepare(named);
    const credentials = prepared.credentialsFor(tlsRoute());
    prepared.take();
    expect((await shown(credentials)).subjectAltName).toContain('mail.box');
    await tls.look();
    expect((await shown(credentials)).toString()).toBe(await world.text('leaf.crt'));
  });

  it('leaves sessions of the old configuration the certificate they have', async () => {
    const { tls, credentials } = await world.start(usual);
    const before = await shown(credentials);
    (await tls.prepare(serving([]))).take();
    world.now += 100 * day;
    credentials.context();
    await tls.look();
    expect((await shown(credentials)).raw.equals(before.raw)).toBe(true);
  });
});
