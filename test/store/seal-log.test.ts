// The seal of a store that is too large to be written whole at every change: what is appended, what a crash leaves, and
// what is damage.

import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskIo, type StoreIo } from '../../src/store/io.ts';
import type { EmbeddedStore } from '../../src/store/level.ts';
import { StoreError } from '../../src/store/store-error.ts';
import {
  changeOf,
  committed,
  endpoint,
  loaded,
  noon,
  opened,
  other,
  pinOf,
  recordOf,
  spkiOf,
  temporaryDirectory,
  withDatabase,
} from './fixtures.ts';

/** No seal is small. */
const large = { smallSealBytes: 0 };
const many = Array.from({ length: 40 }, (_, at) => `mail-${at}.example.org:993`);
const next = (name: string) => recordOf(endpoint, { pins: [pinOf(name)] });
const rejecting = (name: string) => recordOf(endpoint, { rejected: [{ spki: spkiOf(name), at: noon }] });
const logOf = (directory: string): string => readFileSync(join(directory, 'seal-changes'), 'utf8');
const linesOf = (directory: string): readonly string[] => logOf(directory).split('\n').slice(0, -1);

/** Its seal was written whole in turn 1; each of `names` is a turn after that. */
async function grown(directory: string, names: readonly string[], io?: StoreIo): Promise<EmbeddedStore> {
  const store = await opened(directory, { ...large, ...(io === undefined ? {} : { io }) });
  await committed(store, [changeOf(endpoint, 0), ...many.map((name) => changeOf(name, 0))]);
  for (const [at, name] of names.entries())
    await committed(store, [changeOf(endpoint, at + 1, { record: next(name) })]);
  return store;
}

async function closedAfter(names: readonly string[]): Promise<string> {
  const directory = temporaryDirectory();
  await (await grown(directory, names)).close();
  return directory;
}

const stateOf = async (directory: string) => {
  const store = await opened(directory, large);
  const seen = { found: store.found, state: store.health().state, generation: store.health().generation };
  await store.close();
  return seen;
};

describe('a seal that is long', () => {
  it('is left alone by a change, which is a line of its log', async () => {
    const directory = temporaryDirectory();
    const store = await grown(directory, []);
    const whole = readFileSync(join(directory, 'seal'));
    await committed(store, [changeOf(endpoint, 1, { record: next('second') })]);
    await committed(store, [changeOf(endpoint, 2, { record: next('third') })]);
    expect(readFileSync(join(directory, 'seal'))).toEqual(whole);
    const lines = linesOf(directory);
    expect(lines.map((line) => line.includes(endpoint) && !line.includes(other))).toEqual([true, true]);
    await store.close();
    expect(await stateOf(directory)).toEqual({ found: 'good', state: 'good', generation: 3 });
  });

  it('goes on with its log at the next start', async () => {
    const directory = await closedAfter(['second']);
    const store = await opened(directory, large);
    await committed(store, [changeOf(endpoint, 2, { record: next('third') })]);
    expect(linesOf(directory)).toHaveLength(2);
    await store.close();
    expect(await stateOf(directory)).toEqual({ found: 'good', state: 'good', generation: 3 });
  });

  it('is written whole once its log is as long as it is', async () => {
    const directory = temporaryDirectory();
    const store = await grown(directory, []);
    const whole = readFileSync(join(directory, 'seal'));
    let turns = 0;
    while (readFileSync(join(directory, 'seal')).equals(whole) && turns < 100) {
      turns += 1;
      await committed(store, [changeOf(endpoint, turns, { record: next(`key ${turns}`) })]);
    }
    expect(turns).toBeGreaterThan(3);
    expect(turns).toBeLessThan(100);
    expect(existsSync(join(directory, 'seal-changes'))).toBe(false);
    await store.close();
    expect(await stateOf(directory)).toMatchObject({ found: 'good', generation: turns + 1 });
  });

  it('is written whole while it is small', async () => {
    const directory = temporaryDirectory();
    const store = await opened(directory);
    await committed(store, [changeOf(endpoint, 0)]);
    await committed(store, [changeOf(endpoint, 1, { record: next('second') })]);
    expect(existsSync(join(directory, 'seal-changes'))).toBe(false);
  });

  it('keeps a rejection that only its log has, when the record is lost', async () => {
    const directory = temporaryDirectory();
    const store = await grown(directory, []);
    await committed(store, [changeOf(endpoint, 1, { record: rejecting('x') })]);
    expect(linesOf(directory)).toHaveLength(1);
    await store.close();
    await withDatabase(directory, (database) => database.del(`record!${endpoint}`));
    const again = await opened(directory, large);
    expect(again.health().state).toBe('damaged');
    expect(again.sealed(endpoint).rejected).toEqual(new Set([spkiOf('x')]));
    expect((await loaded(again)).get(endpoint)).toMatchObject({ record: null, verified: false });
  });
});

const appending = (
  fail: (path: string, bytes: Uint8Array) => Promise<void>,
): StoreIo & { armed: boolean } => {
  const io = {
    ...diskIo,
    armed: false,
    appendFile: (path: string, bytes: Uint8Array) =>
      io.armed ? fail(path, bytes) : diskIo.appendFile(path, bytes),
  };
  return io;
};

describe('a crash or fault while a line is appended', () => {
  it.each([
    ['nothing', 0],
    ['half of it', 0.5],
    ['all of it', 1],
  ])('acknowledges nothing and bricks nothing when %s was written', async (_, part) => {
    const directory = temporaryDirectory();
    const io = appending(async (path, bytes) => {
      await diskIo.appendFile(path, bytes.subarray(0, Math.floor(bytes.length * part)));
      throw new Error('no space left');
    });
    const store = await grown(directory, ['second'], io);
    io.armed = true;
    const failed = store.commit([changeOf(endpoint, 2, { record: next('third') })]);
    await expect(failed).rejects.toBeInstanceOf(StoreError);
    io.armed = false;
    expect((await loaded(store)).get(endpoint)).toMatchObject({ revision: 3, record: next('third') });
    await committed(store, [changeOf(endpoint, 3, { record: next('fourth') })]);
    // A line whose sync failed is not built upon.
    const log = existsSync(join(directory, 'seal-changes')) ? logOf(directory) : '';
    expect(log).not.toContain('{"generation":3,');
    await store.close();
    expect(await stateOf(directory)).toEqual({ found: 'good', state: 'good', generation: 4 });
  });

  it('is healed at the next start, when its last line is torn', async () => {
    const directory = await closedAfter(['second', 'third']);
    truncateSync(join(directory, 'seal-changes'), logOf(directory).length - 5);
    expect(await stateOf(directory)).toEqual({ found: 'healed', state: 'good', generation: 3 });
    expect(await stateOf(directory)).toEqual({ found: 'good', state: 'good', generation: 3 });
  });

  it('leaves a log that says nothing new, when the seal was just written whole', async () => {
    const directory = temporaryDirectory();
    const store = await grown(directory, ['second', 'third']);
    const old = logOf(directory);
    await store.close();
    truncateSync(join(directory, 'seal-changes'), old.length - 5);
    await stateOf(directory);
    expect(existsSync(join(directory, 'seal-changes'))).toBe(false);
    writeFileSync(join(directory, 'seal-changes'), old);
    expect(await stateOf(directory)).toEqual({ found: 'good', state: 'good', generation: 3 });
  });
});

const rewritten = (work: (lines: string[]) => readonly string[]) => (directory: string) =>
  writeFileSync(
    join(directory, 'seal-changes'),
    work([...linesOf(directory)])
      .map((line) => `${line}\n`)
      .join(''),
  );

describe('a log of the seal that does not fit', () => {
  const turns = ['second', 'third', 'fourth'];
  it.each([
    ['lost its first line', rewritten(([, ...rest]) => rest)],
    ['lost one in the middle', rewritten(([first = '', , last = '']) => [first, last])],
    [
      'has two in another order',
      rewritten(([first = '', second = '', third = '']) => [second, first, third]),
    ],
    [
      'was altered in the middle',
      rewritten(([first = '', second = '', third = '']) => [
        first,
        second.replace(/,3,\[\],\[\]\]/, ',4,[],[]]'),
        third,
      ]),
    ],
    ['lost more than the last line', rewritten(([first = '']) => [first])],
    ['is gone', (directory: string) => rmSync(join(directory, 'seal-changes'))],
    ['is alone', (directory: string) => rmSync(join(directory, 'seal'))],
  ])('is damage when it %s', async (_, work) => {
    const directory = await closedAfter(turns);
    expect((await stateOf(directory)).state).toBe('good');
    work(directory);
    expect(await stateOf(directory)).toMatchObject({ found: 'damaged', state: 'damaged' });
  });

  it('is damage behind an older seal', async () => {
    const directory = temporaryDirectory();
    const store = await grown(directory, []);
    copyFileSync(join(directory, 'seal'), join(directory, 'old'));
    let turn = 0;
    do {
      turn += 1;
      await committed(store, [changeOf(endpoint, turn, { record: next(`key ${turn}`) })]);
    } while (turn < 3 || existsSync(join(directory, 'seal-changes')));
    for (let more = 1; more <= 3; more += 1)
      await committed(store, [changeOf(endpoint, turn + more, { record: next(`more ${more}`) })]);
    await store.close();
    expect((await stateOf(directory)).state).toBe('good');
    copyFileSync(join(directory, 'old'), join(directory, 'seal'));
    expect((await stateOf(directory)).state).toBe('damaged');
  });

  it('alone with the secret is no first start', async () => {
    const directory = await closedAfter(turns);
    rmSync(join(directory, 'seal'));
    rmSync(join(directory, 'pins'), { recursive: true });
    expect((await stateOf(directory)).state).toBe('damaged');
  });
});
