// Every way in which files of the store can be lost or altered. Each must end in `damaged`: a store that
// came up empty and good would trust the next key it sees.

import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encode } from '../../src/store/codec.ts';
import { decodeSeal, encodeSeal, type Seal } from '../../src/store/seal.ts';
import {
  changeOf,
  committed,
  endpoint,
  historyOf,
  loaded,
  noon,
  opened,
  other,
  pinOf,
  recordOf,
  spkiOf,
  temporaryDirectory,
  withDatabase,
  withStore,
} from './fixtures.ts';

const rejected = spkiOf('rejected-key');
const retiring = spkiOf('retiring-key');
const fillers = Array.from(
  { length: 40 },
  (_, index) => `filler-${String(index).padStart(2, '0')}.example:993`,
);

/** Incompressible text, so that it stands in the files as it is. */
const unlike = (seed: string): string => createHash('sha512').update(seed).digest('base64url');

/** A store of 42 records in 42 generations; copies of its seal and database on the way. */
async function filledStore(): Promise<string> {
  const directory = temporaryDirectory();
  await withStore(directory, async (store) => {
    await committed(store, [changeOf(endpoint, 0)]);
    const ends = recordOf(other, {
      pins: [pinOf('retiring-key', { until: noon + 1000 })],
      rejected: [{ spki: rejected, at: noon }],
    });
    await committed(store, [changeOf(other, 0, { record: ends })]);
    for (const name of fillers) {
      await committed(store, [
        changeOf(name, 0, { record: recordOf(name, { pins: [pinOf(unlike(name))] }) }),
      ]);
    }
  });
  return directory;
}

const pinsIn = (directory: string, ending: string): string => {
  const files = readdirSync(join(directory, 'pins')).filter(
    (name) => name.endsWith(ending) || name.startsWith(ending),
  );
  const sized = files.map((name) => join(directory, 'pins', name)).toSorted((a, b) => sizeOf(b) - sizeOf(a));
  const largest = sized[0];
  if (largest === undefined || sizeOf(largest) === 0)
    throw new Error(`no ${ending} with content in ${directory}`);
  return largest;
};

const sizeOf = (path: string): number => readFileSync(path).length;

function flip(path: string, where: (content: Buffer) => number): void {
  const content = readFileSync(path);
  const at = where(content);
  if (at < 0 || at >= content.length) throw new Error(`nothing to flip in ${path}`);
  content.writeUInt8(content.readUInt8(at) ^ 0x01, at);
  writeFileSync(path, content);
}

/** Reopened once, so that the records stand in a table file. */
const settled = (directory: string): Promise<void> => withStore(directory, async () => undefined);

/** Puts the state of `generations` before back in place of the present one. */
async function setBack(directory: string, part: 'pins' | 'seal', generations: number): Promise<void> {
  const copy = join(directory, 'copy');
  cpSync(join(directory, part), copy, { recursive: true });
  await withStore(directory, async (store) => {
    for (let index = 0; index < generations; index += 1) {
      await committed(store, [changeOf(`later-${index}.example:993`, 0)]);
    }
  });
  rmSync(join(directory, part), { recursive: true });
  cpSync(copy, join(directory, part), { recursive: true });
}

async function rewriteSeal(directory: string, change: (seal: Seal) => Seal): Promise<void> {
  const seal = await decodeSeal(readFileSync(join(directory, 'seal'), 'utf8'));
  if (seal === null) throw new Error('there is no seal to rewrite');
  writeFileSync(join(directory, 'seal'), encodeSeal(change(seal)));
}

const manifest = (index: number): string => `MANIFEST-${String(index).padStart(6, '0')}`;

interface Damage {
  readonly name: string;
  readonly work: (directory: string) => Promise<void> | void;
  readonly detail: RegExp;
  /** The seal can still be read. */
  readonly sealed: boolean;
}

const damages: readonly Damage[] = [
  {
    name: 'one byte of the log flipped at its start',
    work: (directory) => flip(pinsIn(directory, '.log'), () => 40),
    detail: /older than the seal|holds \d+ records|head of the database/,
    sealed: true,
  },
  {
    name: 'one byte of the log flipped in its middle',
    work: (directory) => flip(pinsIn(directory, '.log'), ({ length }) => length >> 1),
    detail: /older than the seal|holds \d+ records/,
    sealed: true,
  },
  {
    name: 'the log cut in half',
    work: (directory) => truncateSync(pinsIn(directory, '.log'), sizeOf(pinsIn(directory, '.log')) >> 1),
    detail: /generations older than the seal/,
    sealed: true,
  },
  {
    name: 'the log deleted',
    work: (directory) => rmSync(pinsIn(directory, '.log')),
    detail: /42 generations older than the seal/,
    sealed: true,
  },
  {
    name: 'CURRENT deleted',
    work: (directory) => rmSync(join(directory, 'pins', 'CURRENT')),
    detail: /does not open/,
    sealed: true,
  },
  {
    name: 'CURRENT garbage',
    work: (directory) => writeFileSync(join(directory, 'pins', 'CURRENT'), 'garbage\n'),
    detail: /does not open/,
    sealed: true,
  },
  {
    name: 'a bit flipped in a value of a table file',
    async work(directory) {
      await settled(directory);
      flip(pinsIn(directory, '.ldb'), (content) =>
        content.indexOf(spkiOf(unlike(fillers[20] ?? '')).slice(40, 52)),
      );
    },
    detail: /altered records: filler-20/,
    sealed: true,
  },
  {
    name: 'a table file deleted',
    async work(directory) {
      await settled(directory);
      rmSync(pinsIn(directory, '.ldb'));
    },
    detail: /does not open/,
    sealed: true,
  },
  {
    name: 'a table file cut short',
    async work(directory) {
      await settled(directory);
      truncateSync(pinsIn(directory, '.ldb'), 500);
    },
    detail: /cannot be read to its end/,
    sealed: true,
  },
  {
    name: 'MANIFEST garbage',
    work: (directory) => writeFileSync(pinsIn(directory, 'MANIFEST'), 'garbage'.repeat(20)),
    detail: /does not open/,
    sealed: true,
  },
  {
    name: 'the database emptied',
    work: (directory) => {
      for (const name of readdirSync(join(directory, 'pins'))) rmSync(join(directory, 'pins', name));
    },
    detail: /does not open/,
    sealed: true,
  },
  {
    name: 'the database deleted while the seal stays',
    work: (directory) => rmSync(join(directory, 'pins'), { recursive: true }),
    detail: /database is missing/,
    sealed: true,
  },
  {
    name: 'the database made anew by another program',
    async work(directory) {
      rmSync(join(directory, 'pins'), { recursive: true });
      const elsewhere = temporaryDirectory();
      await settled(elsewhere);
      cpSync(join(elsewhere, 'pins'), join(directory, 'pins'), { recursive: true });
    },
    detail: /another store/,
    sealed: true,
  },
  {
    name: 'the database rolled back',
    work: (directory) => setBack(directory, 'pins', 2),
    detail: /2 generations older than the seal/,
    sealed: true,
  },
  {
    name: 'the database rolled back by one generation',
    work: (directory) => setBack(directory, 'pins', 1),
    detail: /1 generations older than the seal/,
    sealed: true,
  },
  {
    name: 'the seal rolled back',
    work: (directory) => setBack(directory, 'seal', 2),
    detail: /seal is 2 generations older/,
    sealed: true,
  },
  {
    name: 'the seal of the generation before, but of another past',
    work: (directory) =>
      rewriteSeal(directory, (seal) => ({
        ...seal,
        generation: seal.generation - 1,
        digest: 'a'.repeat(64),
      })),
    detail: /does not follow what was sealed/,
    sealed: true,
  },
  {
    name: 'the seal of the right generation, but of another digest',
    work: (directory) => rewriteSeal(directory, (seal) => ({ ...seal, digest: 'a'.repeat(64) })),
    detail: /not those that were sealed/,
    sealed: true,
  },
  {
    name: 'the seal deleted',
    work: (directory) => rmSync(join(directory, 'seal')),
    detail: /seal is missing/,
    sealed: false,
  },
  {
    name: 'a bit flipped in the seal',
    work: (directory) => flip(join(directory, 'seal'), ({ length }) => length >> 1),
    detail: /seal cannot be read/,
    sealed: false,
  },
  {
    name: 'the seal emptied',
    work: (directory) => truncateSync(join(directory, 'seal'), 0),
    detail: /seal cannot be read/,
    sealed: false,
  },
  {
    name: 'the seal with bytes behind it',
    work: (directory) => appendFileSync(join(directory, 'seal'), ' '),
    detail: /seal cannot be read/,
    sealed: false,
  },
  {
    name: 'the secret deleted',
    work: (directory) => rmSync(join(directory, 'secret')),
    detail: /secret is missing/,
    sealed: true,
  },
  {
    name: 'the secret cut short',
    work: (directory) => truncateSync(join(directory, 'secret'), 31),
    detail: /secret is missing or short/,
    sealed: true,
  },
  {
    name: 'the head deleted',
    work: (directory) => withDatabase(directory, (database) => database.del('head')),
    detail: /head of the database/,
    sealed: true,
  },
  {
    name: 'one record deleted',
    work: (directory) => withDatabase(directory, (database) => database.del(`record!${endpoint}`)),
    detail: /holds 41 records where there were 42.*missing records: imap\.example\.org:993/,
    sealed: true,
  },
  {
    name: 'one record put in the place of another',
    work: (directory) =>
      withDatabase(directory, async (database) => {
        const text = await database.get(`record!${other}`);
        await database.put(`record!${endpoint}`, text ?? '');
      }),
    detail: /altered records: imap\.example\.org:993/,
    sealed: true,
  },
  {
    name: 'one record replaced by another that verifies',
    work: (directory) =>
      withDatabase(directory, async (database) => {
        const row = {
          endpoint,
          revision: 1,
          generation: 1,
          record: recordOf(endpoint, { pins: [pinOf('evil')] }),
        };
        await database.put(`record!${endpoint}`, encode(`record!${endpoint}`, row));
      }),
    detail: /not those the head tells of/,
    sealed: true,
  },
  {
    name: 'one record too many',
    work: (directory) =>
      withDatabase(directory, async (database) => {
        const row = {
          endpoint: 'new.example:993',
          revision: 1,
          generation: 1,
          record: recordOf('new.example:993'),
        };
        await database.put('record!new.example:993', encode('record!new.example:993', row));
      }),
    detail: /holds 43 records where there were 42/,
    sealed: true,
  },
];

describe('a store whose files were damaged', () => {
  it.each(damages)('is damaged, and learns nothing: $name', async ({ work, detail, sealed }) => {
    const directory = await filledStore();
    await work(directory);
    for (const round of ['first', 'second'] as const) {
      const store = await opened(directory);
      expect([round, store.found, store.health().state]).toEqual([round, 'damaged', 'damaged']);
      expect(store.health().detail).toMatch(detail);
      await expect(store.commit([changeOf('fresh.example:993', 0)])).rejects.toMatchObject({
        code: 'store-damaged',
      });
      expect((await loaded(store)).has('fresh.example:993')).toBe(false);
      await store.close();
    }
    const store = await opened(directory);
    if (sealed) {
      expect(store.sealed(other).rejected).toContain(rejected);
      expect(store.sealed(other).until.get(retiring)).toBe(noon + 1000);
    }
    expect((await store.verify()).state).toMatch(/damaged|rolled-back/);
  });

  it('is good when nothing was done to it', async () => {
    const directory = await filledStore();
    await settled(directory);
    const store = await opened(directory);
    expect([store.found, store.health().state, store.health().records]).toEqual(['good', 'good', 42]);
    expect(await store.verify()).toMatchObject({
      state: 'good',
      findings: [],
      audit: { entries: 42, problem: null },
    });
    await committed(store, [changeOf('fresh.example:993', 0)]);
  });

  it('is not called damaged where the disk takes nothing now, and is whole when it does', async () => {
    const directory = await filledStore();
    const full = Array.from({ length: 30 }, (_, index) => join(directory, 'pins', manifest(index)));
    const added = full.filter((path) => !existsSync(path));
    for (const path of added) symlinkSync('/dev/full', path);
    const opening = opened(directory);
    await expect(opening).rejects.toMatchObject({ code: 'store-io' });
    await expect(opening).rejects.toThrow('No space left on device');
    for (const path of added) rmSync(path, { force: true });
    const store = await opened(directory);
    expect([store.health().state, store.health().records]).toEqual(['good', 42]);
  });

  it('still gives the records that verify, and names those that do not', async () => {
    const directory = await filledStore();
    await withDatabase(directory, (database) => database.put(`record!${endpoint}`, 'nonsense'));
    await withDatabase(directory, (database) => database.del(`record!${other}`));
    const records = await loaded(await opened(directory));
    expect(records.get(endpoint)).toEqual({ endpoint, revision: 0, record: null, verified: false });
    expect(records.get(other)).toEqual({ endpoint: other, revision: 0, record: null, verified: false });
    const name = fillers[0] ?? '';
    expect(records.get(name)).toMatchObject({
      revision: 1,
      verified: true,
      record: { pins: [pinOf(unlike(name))] },
    });
    expect(records.size).toBe(42);
  });

  it('still says what the records reject when the seal is gone', async () => {
    const directory = await filledStore();
    rmSync(join(directory, 'seal'));
    expect((await opened(directory)).sealed(other).rejected).toEqual(new Set([rejected]));
  });

  it('keeps no sightings and still tells its history', async () => {
    const directory = await filledStore();
    rmSync(join(directory, 'seal'));
    const store = await opened(directory);
    await store.touch([{ endpoint, spki: spkiOf(endpoint), lastSeen: noon, seenCount: 1 }]);
    expect((await loaded(store)).get(endpoint)?.record?.pins[0]?.lastSeen).toBeNull();
    expect(await historyOf(store, endpoint)).toHaveLength(1);
  });

  it('gives a passing secret in place of a lost one and does not store it', async () => {
    const directory = await filledStore();
    rmSync(join(directory, 'secret'));
    const first = await opened(directory);
    await first.close();
    const again = await opened(directory);
    expect(first.secret).toHaveLength(32);
    expect(Buffer.from(again.secret).equals(first.secret)).toBe(false);
    expect(existsSync(join(directory, 'secret'))).toBe(false);
  });

  it.each([
    [
      'head',
      (directory: string) =>
        withDatabase(directory, (database) => database.put('head', encode('head', { format: 2 }))),
    ],
    [
      'seal',
      async (directory: string) => writeFileSync(join(directory, 'seal'), encode('seal', { format: 2 })),
    ],
  ])('is refused, not called damaged, when its %s has a newer format', async (_, work) => {
    const directory = await filledStore();
    await work(directory);
    await expect(opened(directory)).rejects.toMatchObject({ code: 'store-newer' });
    await expect(opened(directory)).rejects.toMatchObject({ code: 'store-newer' });
  });
});
