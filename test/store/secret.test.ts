import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSecret } from '../../src/store/secret.ts';
import { changeOf, committed, endpoint, opened, temporaryDirectory, withStore } from './fixtures.ts';

describe('the store secret', () => {
  it('is 32 bytes, made with the store, and the same ever after', async () => {
    const directory = temporaryDirectory();
    const store = await opened(directory);
    expect(store.secret).toHaveLength(32);
    expect(Buffer.from(store.secret).equals(readFileSync(join(directory, 'secret')))).toBe(true);
    expect(await loadSecret(directory, { create: false })).toEqual(store.secret);
    await store.close();
    expect((await opened(directory)).secret).toEqual(store.secret);
  });

  it('differs from store to store', async () => {
    const [one, two] = [await opened(temporaryDirectory()), await opened(temporaryDirectory())];
    expect(Buffer.from(one.secret).equals(two.secret)).toBe(false);
  });

  it('may be made just before the store, which then takes it', async () => {
    const directory = temporaryDirectory();
    const secret = await loadSecret(directory, { create: true });
    const store = await opened(directory);
    expect([store.found, Buffer.from(store.secret).equals(secret)]).toEqual(['created', true]);
  });

  it('replaces half a secret that a crash left before there was a store', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'secret'), 'half');
    expect((await opened(directory)).secret).toHaveLength(32);
    expect((await opened(temporaryDirectory())).found).toBe('created');
  });

  it('is one for all who start at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const directory = temporaryDirectory();
      const all = await Promise.all(
        Array.from({ length: 12 }, () => loadSecret(directory, { create: true })),
      );
      const [first] = all;
      for (const one of all) expect(one).toEqual(first);
      expect(await loadSecret(directory, { create: true })).toEqual(first);
      expect(readdirSync(directory)).toEqual(['secret']);
    }
  });

  it('is not made again for a store that lost it, not even when asked', async () => {
    const directory = temporaryDirectory();
    await withStore(directory, (store) => committed(store, [changeOf(endpoint, 0)]));
    rmSync(join(directory, 'secret'));
    const [one, two] = [
      await loadSecret(directory, { create: true }),
      await loadSecret(directory, { create: true }),
    ];
    expect(Buffer.from(one).equals(two)).toBe(false);
    expect(existsSync(join(directory, 'secret'))).toBe(false);
    expect((await opened(directory)).health()).toMatchObject({
      state: 'damaged',
      detail: 'the store secret is missing or short',
    });
  });
});
