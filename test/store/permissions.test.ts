import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSecret } from '../../src/store/secret.ts';
import { verifyStore } from '../../src/store/verify.ts';
import { changeOf, committed, endpoint, loaded, opened, temporaryDirectory, withStore } from './fixtures.ts';

const stranger = 65_534;
const isRoot = process.getuid?.() === 0;

async function madeStore(): Promise<string> {
  const directory = join(temporaryDirectory(), 'state');
  await withStore(directory, (store) => committed(store, [changeOf(endpoint, 0)]));
  return directory;
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('the state directory', () => {
  it('is closed to everybody else, with all that is in it, whatever the umask was', async () => {
    const umask = process.umask(0);
    const directory = await madeStore();
    const after = process.umask(umask);
    expect(after).toBe(0o077);
    expect(modeOf(directory)).toBe(0o700);
    expect(modeOf(join(directory, 'pins'))).toBe(0o700);
    const files = [
      'seal',
      'secret',
      ...readdirSync(join(directory, 'pins')).map((name) => join('pins', name)),
    ];
    expect(files.length).toBeGreaterThan(5);
    for (const name of files) expect([name, modeOf(join(directory, name))]).toEqual([name, 0o600]);
  });

  it('is closed when it was only readable by others', async () => {
    const directory = await madeStore();
    chmodSync(directory, 0o755);
    chmodSync(join(directory, 'secret'), 0o644);
    expect((await opened(directory)).health().state).toBe('good');
    expect([modeOf(directory), modeOf(join(directory, 'secret'))]).toEqual([0o700, 0o600]);
  });

  it.each([
    { name: '.', mode: 0o770, mend: /^chmod 700 / },
    { name: '.', mode: 0o702, mend: /^chmod 700 / },
    { name: 'pins', mode: 0o770, mend: /^chmod 700 .*pins$/ },
    { name: 'seal', mode: 0o620, mend: /^chmod 600 .*seal$/ },
    { name: 'secret', mode: 0o602, mend: /^chmod 600 .*secret$/ },
  ])(
    'is refused when others can write to $name (mode $mode), and the message mends it',
    async ({ name, mode, mend }) => {
      const directory = await madeStore();
      const path = join(directory, name);
      chmodSync(path, mode);
      const refused = opened(directory);
      await expect(refused).rejects.toMatchObject({
        code: 'store-permissions',
        hint: expect.stringMatching(mend) as unknown,
      });
      await expect(loadSecret(directory, { create: false })).rejects.toMatchObject({
        code: 'store-permissions',
      });
      await expect(verifyStore(directory)).rejects.toMatchObject({ code: 'store-permissions' });
      expect(modeOf(path)).toBe(mode);
      chmodSync(path, name === 'pins' || name === '.' ? 0o700 : 0o600);
      expect((await loaded(await opened(directory))).has(endpoint)).toBe(true);
    },
  );

  it.runIf(isRoot).each(['.', 'pins', 'seal', 'secret'])(
    'is refused when %s belongs to somebody else',
    async (name) => {
      const directory = await madeStore();
      chownSync(join(directory, name), stranger, stranger);
      await expect(opened(directory)).rejects.toMatchObject({
        code: 'store-permissions',
        hint: expect.stringContaining('chown') as unknown,
      });
      chownSync(join(directory, name), process.getuid?.() ?? 0, 0);
      expect((await opened(directory)).health().state).toBe('good');
    },
  );

  it('may be a symbolic link of ours to a directory of ours', async () => {
    const directory = await madeStore();
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(directory, link);
    expect((await loaded(await opened(link))).has(endpoint)).toBe(true);
  });

  it.runIf(isRoot)('is refused as a symbolic link that somebody else made', async () => {
    const directory = await madeStore();
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(directory, link);
    lchownSync(link, stranger, stranger);
    await expect(opened(link)).rejects.toMatchObject({ code: 'store-permissions' });
    lchownSync(link, 0, 0);
    expect((await opened(link)).health().state).toBe('good');
  });

  it.runIf(isRoot)('is refused as a symbolic link to a directory of somebody else', async () => {
    const [foreign, link] = [join(temporaryDirectory(), 'foreign'), join(temporaryDirectory(), 'link')];
    mkdirSync(foreign, { mode: 0o700 });
    chownSync(foreign, stranger, stranger);
    symlinkSync(foreign, link);
    await expect(opened(link)).rejects.toMatchObject({ code: 'store-permissions' });
    expect(readdirSync(foreign)).toEqual([]);
  });

  it('is refused as a symbolic link that points to nothing', async () => {
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(join(link, '..', 'nowhere'), link);
    await expect(opened(link)).rejects.toMatchObject({ code: 'store-permissions' });
  });

  it.each(['pins', 'seal', 'secret'])('is refused when %s was replaced by a symbolic link', async (name) => {
    const directory = await madeStore();
    const target = join(temporaryDirectory(), 'target');
    if (name === 'pins') mkdirSync(target, { mode: 0o700 });
    else writeFileSync(target, 'x'.repeat(32), { mode: 0o600 });
    rmSync(join(directory, name), { recursive: true });
    symlinkSync(target, join(directory, name));
    await expect(opened(directory)).rejects.toMatchObject({ code: 'store-permissions' });
  });

  it('is refused when a file stands in its place', async () => {
    const path = join(temporaryDirectory(), 'state');
    writeFileSync(path, '');
    await expect(opened(path)).rejects.toMatchObject({ code: 'store-permissions' });
  });
});

const above = (): { readonly base: string; readonly parent: string; readonly directory: string } => {
  const base = join(temporaryDirectory(), 'base');
  const parent = join(base, 'above');
  mkdirSync(parent, { recursive: true });
  return { base, parent, directory: join(parent, 'state') };
};
const refused = (directory: string, { why, mend }: { why: string; mend: string }): Promise<void> =>
  expect(opened(directory)).rejects.toMatchObject({
    code: 'store-permissions',
    message: expect.stringContaining(why) as unknown,
    hint: expect.stringContaining(mend) as unknown,
  });

describe('a folder above the state directory', () => {
  it('may be sticky and for everybody, as the folder for temporary files is', async () => {
    const { parent, directory } = above();
    chmodSync(parent, 0o1777);
    expect((await opened(directory)).health().state).toBe('good');
  });

  it.each(['base', 'parent'] as const)(
    'is refused, before anything is made in it, when everybody may write to the %s',
    async (which) => {
      const { [which]: open, parent, directory } = above();
      chmodSync(open, 0o777);
      await refused(directory, { why: 'could be replaced by everybody', mend: `chmod o-w ${open}` });
      await expect(loadSecret(directory, { create: true })).rejects.toMatchObject({
        code: 'store-permissions',
      });
      expect(readdirSync(parent)).toEqual([]);
      chmodSync(open, 0o755);
      expect((await opened(directory)).health().state).toBe('good');
    },
  );

  it('is refused for a store that was good, also where it is only looked at', async () => {
    const { parent, directory } = above();
    await withStore(directory, (store) => committed(store, [changeOf(endpoint, 0)]));
    chmodSync(parent, 0o777);
    await refused(directory, { why: 'could be replaced by everybody', mend: `chmod o-w ${parent}` });
    await expect(verifyStore(directory)).rejects.toMatchObject({ code: 'store-permissions' });
  });

  it('counts where a link of ours leads, too', async () => {
    const { base, parent, directory } = above();
    const real = join(base, 'open', 'real');
    mkdirSync(real, { recursive: true, mode: 0o700 });
    chmodSync(join(base, 'open'), 0o777);
    symlinkSync(real, directory);
    await refused(directory, { why: 'could be replaced by everybody', mend: `chmod o-w ${base}/open` });
    chmodSync(join(base, 'open'), 0o755);
    expect((await opened(directory)).health().state).toBe('good');
    expect(readdirSync(parent)).toEqual(['state']);
  });

  it.runIf(isRoot)('is refused when it belongs to somebody else', async () => {
    const { base, directory } = above();
    chownSync(base, stranger, stranger);
    await refused(directory, { why: `could be replaced by user ${stranger}`, mend: `chown 0 ${base}` });
    chownSync(base, 0, 0);
    expect((await opened(directory)).health().state).toBe('good');
  });

  it.runIf(isRoot)('is refused when a link on the way belongs to somebody else', async () => {
    const { base, parent } = above();
    const way = join(base, 'way');
    symlinkSync(parent, way);
    lchownSync(way, stranger, stranger);
    await refused(join(way, 'state'), { why: `whose link ${way} is`, mend: `chown -h 0 ${way}` });
    lchownSync(way, 0, 0);
    expect((await opened(join(way, 'state'))).health().state).toBe('good');
  });

  it.runIf(isRoot)('is refused when a group that is not ours may write to it', async () => {
    const { parent, directory } = above();
    chownSync(parent, 0, stranger);
    chmodSync(parent, 0o775);
    await refused(directory, { why: `could be replaced by group ${stranger}`, mend: `chmod g-w ${parent}` });
    chownSync(parent, 0, process.getegid?.() ?? 0);
    expect((await opened(directory)).health().state).toBe('good');
  });
});

describe('opening without leave to create', () => {
  it('makes nothing where nothing is', async () => {
    const directory = join(temporaryDirectory(), 'state');
    await expect(opened(directory, { create: false })).rejects.toMatchObject({ code: 'store-missing' });
    await expect(loadSecret(directory, { create: false })).rejects.toMatchObject({ code: 'store-missing' });
    await expect(verifyStore(directory)).rejects.toMatchObject({ code: 'store-missing' });
    expect(() => statSync(directory)).toThrow('ENOENT');
  });

  it('makes nothing in an empty directory', async () => {
    const directory = temporaryDirectory();
    await expect(opened(directory, { create: false })).rejects.toMatchObject({ code: 'store-missing' });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('opens a store that exists', async () => {
    const directory = await madeStore();
    expect((await loaded(await opened(directory, { create: false }))).has(endpoint)).toBe(true);
  });
});
