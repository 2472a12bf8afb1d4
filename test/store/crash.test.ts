// A process killed in the middle of its writes, and two processes that want one store.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { compiledCommitter, startCommitter, type Committer } from './child.ts';
import type { Acknowledged } from './committer.ts';
import { changeOf, committed, endpoint, historyOf, loaded, opened, temporaryDirectory } from './fixtures.ts';

let compiled = '';
let script = '';

beforeAll(() => {
  compiled = mkdtempSync(join(tmpdir(), 'letterlock-committer-'));
  script = compiledCommitter(compiled);
});

afterAll(() => rmSync(compiled, { recursive: true, force: true }));

function started(directory: string, prefix: string): Committer {
  const committer = startCommitter(script, directory, prefix);
  onTestFinished(async () => {
    await committer.kill();
  });
  return committer;
}

/** The lines after the first, which says that the store is open. A line cut off by the kill was not said. */
const acknowledgedIn = (lines: readonly string[]): readonly Acknowledged[] =>
  lines.slice(1).map((line) => JSON.parse(line) as Acknowledged); // oxlint-disable-line typescript/no-unsafe-type-assertion

const runs = 50;

describe('a process killed in the middle of its writes', () => {
  it(`loses nothing it acknowledged and leaves a store that opens, ${runs} times in a row`, async () => {
    const directory = temporaryDirectory();
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % limit;
    };
    const told = new Set<string>();
    const found: string[] = [];
    for (let run = 0; run < runs; run += 1) {
      const committer = started(directory, `run-${run}`);
      const wanted = below(30);
      await committer.read((lines) => lines.length > wanted);
      const acknowledged = acknowledgedIn(await committer.kill());
      const store = await opened(directory);
      found.push(store.found);
      expect([seed, run, store.health().state, store.health().detail]).toEqual([seed, run, 'good', null]);
      const records = await loaded(store);
      for (const { endpoint: name, revision, detail } of acknowledged) {
        expect([seed, run, detail, (records.get(name)?.revision ?? 0) >= revision]).toEqual([
          seed,
          run,
          detail,
          true,
        ]);
        told.add(detail);
      }
      // Recorded but never told: it must be told now, or nobody ever hears of it.
      for (const { detail } of store.unannounced) told.add(detail);
      const history = await historyOf(store, null);
      expect([seed, run, history.filter(({ detail }) => !told.has(detail))]).toEqual([seed, run, []]);
      await store.announced();
      expect([seed, run, (await store.verify()).findings]).toEqual([seed, run, []]);
      await store.close();
    }
    expect(found).not.toContain('damaged');
    expect(told.size).toBeGreaterThan(runs);
  }, 120_000);
});

describe('two processes that want one store', () => {
  it('are told apart: the second hears which process holds it, and disturbs nothing', async () => {
    const directory = temporaryDirectory();
    const committer = started(directory, 'holder');
    await committer.read((lines) => lines.length > 1);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const second = opened(directory);
      await expect(second).rejects.toMatchObject({ code: 'store-locked', holder: { pid: committer.pid } });
      await expect(second).rejects.toThrow(`pid ${committer.pid}`);
    }
    const acknowledged = acknowledgedIn(await committer.kill());
    const records = await loaded(await opened(directory));
    for (const { endpoint: name } of acknowledged) expect(records.has(name)).toBe(true);
  });

  it('are told apart within one process too', async () => {
    const directory = temporaryDirectory();
    const store = await opened(directory);
    await expect(opened(directory)).rejects.toMatchObject({
      code: 'store-locked',
      holder: { pid: process.pid },
    });
    await committed(store, [changeOf(endpoint, 0)]);
    await store.close();
    expect((await opened(directory)).health().state).toBe('good');
  });

  it('start at the same moment: one gets a first start, the other hears that it is locked', async () => {
    const directory = temporaryDirectory();
    const answers = await Promise.allSettled([opened(directory), opened(directory), opened(directory)]);
    const failures = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    expect(failures).toEqual([
      expect.objectContaining({ code: 'store-locked' }),
      expect.objectContaining({ code: 'store-locked' }),
    ]);
    for (const answer of answers)
      if (answer.status === 'fulfilled') await committed(answer.value, [changeOf(endpoint, 0)]);
  });

  it('are not confused by what a dead one left behind', async () => {
    const directory = temporaryDirectory();
    const committer = started(directory, 'dead');
    await committer.read((lines) => lines.length > 1);
    await committer.kill();
    expect(readFileSync(join(directory, 'holder'), 'utf8')).toContain(String(committer.pid));
    const store = await opened(directory);
    writeFileSync(join(directory, 'holder'), JSON.stringify({ pid: committer.pid, user: 'nobody' }));
    await expect(opened(directory)).rejects.toMatchObject({ code: 'store-locked', holder: null });
    await committed(store, [changeOf(endpoint, 0)]);
  });
});
