// The write protocol, step by step: what a fault or a crash at any step leaves behind.

import { cpSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { diskIo, type StoreIo } from '../../src/store/io.ts';
import type { EmbeddedStore } from '../../src/store/level.ts';
import { LevelStore } from '../../src/store/level-store.ts';
import { decodeSeal } from '../../src/store/seal.ts';
import { StoreError } from '../../src/store/store-error.ts';
import {
  auditOf,
  changeOf,
  collected,
  committed,
  conflicted,
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
} from './fixtures.ts';

type Step = keyof StoreIo;
/** Of a seal that is written whole. */
const steps = [
  'writeBatch',
  'writeFile',
  'syncFile',
  'rename',
  'syncDirectory',
] as const satisfies readonly Step[];
type Moment = { readonly step: Step; readonly when: 'before' | 'after' };
const momentsOf = (all: readonly Step[]): readonly Moment[] =>
  all.flatMap((step) => (['before', 'after'] as const).map((when) => ({ step, when })));
const moments = momentsOf(steps);

/** The real disk, with `meet` called before and after each step; what it throws is the step's fault. */
function watchedIo(meet: (moment: Moment) => void): StoreIo {
  const at = async (step: Step, work: () => Promise<void>): Promise<void> => {
    meet({ step, when: 'before' });
    await work();
    meet({ step, when: 'after' });
  };
  return {
    writeBatch: (database, operations) => at('writeBatch', () => diskIo.writeBatch(database, operations)),
    writeFile: (path, bytes) => at('writeFile', () => diskIo.writeFile(path, bytes)),
    appendFile: (path, bytes) => at('appendFile', () => diskIo.appendFile(path, bytes)),
    syncFile: (path) => at('syncFile', () => diskIo.syncFile(path)),
    rename: (from, to) => at('rename', () => diskIo.rename(from, to)),
    syncDirectory: (path) => at('syncDirectory', () => diskIo.syncDirectory(path)),
  };
}

class Faults {
  #armed: Moment | null = null;
  #left = 0;
  met = 0;

  /** The next `times` meetings of this moment fail. */
  arm(moment: Moment, times = 1): void {
    this.#armed = moment;
    this.#left = times;
  }

  readonly io: StoreIo = watchedIo(({ step, when }) => {
    if (this.#left === 0 || this.#armed?.step !== step || this.#armed.when !== when) return;
    this.#left -= 1;
    this.met += 1;
    throw new Error(`no space left, ${when} ${step}`);
  });
}

const next = (name: string) => recordOf(endpoint, { pins: [pinOf(name)] });
/** Whether the batch was in the database when this moment came. */
const isWritten = ({ step, when }: Moment) => step !== 'writeBatch' || when === 'after';

const sealIn = (directory: string) => decodeSeal(readFileSync(join(directory, 'seal'), 'utf8'));

describe('a fault in a step of the write protocol', () => {
  it.each(moments)('acknowledges nothing and bricks nothing: $when $step', async (moment) => {
    const directory = temporaryDirectory();
    const faults = new Faults();
    const store = await opened(directory, { io: faults.io });
    await committed(store, [changeOf(endpoint, 0)]);
    faults.arm(moment);
    const failed = store.commit([changeOf(endpoint, 1, { record: next('second') }), changeOf(other, 0)]);
    await expect(failed).rejects.toMatchObject({ code: 'store-io' });
    expect(faults.met).toBe(1);
    const survived = isWritten(moment) ? 2 : 1;
    expect(store.health()).toMatchObject({ state: 'good', generation: survived });
    expect((await loaded(store)).get(endpoint)?.revision).toBe(survived);
    await committed(store, [changeOf(endpoint, survived, { record: next('third') })]);
    expect((await sealIn(directory))?.generation).toBe(survived + 1);
    await store.close();
    const again = await opened(directory);
    expect([again.found, (await again.verify()).state]).toEqual(['good', 'good']);
    expect((await loaded(again)).get(endpoint)?.record).toEqual(next('third'));
    expect((await loaded(again)).has(other)).toBe(isWritten(moment));
  });

  it.each(moments)(
    'at the first start leaves a store that starts the next time: $when $step',
    async (moment) => {
      const directory = temporaryDirectory();
      const faults = new Faults();
      faults.arm(moment);
      const first = await opened(directory, { io: faults.io }).catch((error: unknown) => error);
      expect(faults.met).toBe(1);
      // Once the database is in its place the start goes on: all it lacks is a seal, and that can be made.
      if (first instanceof LevelStore) await first.close();
      else expect(first).toBeInstanceOf(StoreError);
      const again = await opened(directory);
      expect(again.health().state).toBe('good');
      await committed(again, [changeOf(endpoint, 0)]);
    },
  );

  it('writes nothing further while the seal cannot follow', async () => {
    const directory = temporaryDirectory();
    const faults = new Faults();
    const store = await opened(directory, { io: faults.io });
    await committed(store, [changeOf(endpoint, 0)]);
    faults.arm({ step: 'rename', when: 'before' }, 3);
    for (const [name, generation] of [
      ['second', 2],
      ['third', 2],
      ['fourth', 2],
    ] as const) {
      // prettier-ignore
      await expect(store.commit([changeOf(endpoint, 1, { record: next(name) })])).rejects.toBeInstanceOf(StoreError);
      expect(store.health().generation).toBe(generation);
      expect((await sealIn(directory))?.generation).toBe(1);
    }
    const { current } = await conflicted(store, [changeOf(endpoint, 1)]);
    expect(current[0]).toMatchObject({ revision: 2, record: next('second') });
    await committed(store, [changeOf(endpoint, 2, { record: next('fifth') })]);
  });

  it('is read again by itself once it can be, where it could not be at once', async () => {
    const directory = temporaryDirectory();
    const [place, away] = [join(directory, 'pins'), join(directory, 'away')];
    let pulled = false;
    const io = watchedIo(({ step, when }) => {
      if (!pulled || step !== 'writeBatch' || when !== 'before') return;
      pulled = false;
      renameSync(place, away);
      throw new Error('no such disk');
    });
    const store = await opened(directory, { io });
    const audit = [auditOf(endpoint, { detail: 'kept' })];
    await committed(store, [changeOf(endpoint, 0, { audit })]);
    pulled = true;
    await expect(store.commit([changeOf(endpoint, 1)])).rejects.toMatchObject({ code: 'store-io' });
    expect(store.health().state).toBe('unavailable');
    // An audit log that cannot be read must not look like one in which nothing happened.
    await expect(historyOf(store, null)).rejects.toMatchObject({ code: 'store-io' });
    renameSync(away, place);
    await vi.waitFor(() => expect(store.health().state).toBe('good'), { timeout: 5000 });
    expect((await historyOf(store, null)).map(({ detail }) => detail)).toEqual(['kept']);
    await committed(store, [changeOf(endpoint, 1)]);
  });

  it('lets the stricter of seal and store count until the seal has followed', async () => {
    const faults = new Faults();
    const store = await opened(temporaryDirectory(), { io: faults.io });
    await committed(store, [
      changeOf(endpoint, 0, { record: recordOf(endpoint, { rejected: [{ spki: spkiOf('x'), at: noon }] }) }),
    ]);
    faults.arm({ step: 'rename', when: 'before' });
    await expect(store.commit([changeOf(endpoint, 1)])).rejects.toBeInstanceOf(StoreError);
    expect((await loaded(store)).get(endpoint)?.record?.rejected).toEqual([]);
    expect(store.sealed(endpoint).rejected).toEqual(new Set([spkiOf('x')]));
    await committed(store, [changeOf(endpoint, 2)]);
    expect(store.sealed(endpoint).rejected).toEqual(new Set());
  });

  it('tells followers, and the next announcement, of a change that turned out to be on the disk', async () => {
    const directory = temporaryDirectory();
    const faults = new Faults();
    const store = await opened(directory, { io: faults.io });
    await committed(store, [changeOf(endpoint, 0)]);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const coming = store.changes(1, stop.signal)[Symbol.asyncIterator]().next();
    faults.arm({ step: 'rename', when: 'before' });
    const audit = [auditOf(endpoint, { event: 'rejected', detail: 'on the disk' })];
    await expect(store.commit([changeOf(endpoint, 1, { audit })])).rejects.toBeInstanceOf(StoreError);
    expect((await coming).value).toMatchObject({ endpoint, revision: 2 });
    expect(store.unannounced.map(({ detail }) => detail)).toEqual(['on the disk']);
  });

  it('never takes half a seal for one', async () => {
    const directory = temporaryDirectory();
    let torn = false;
    const io: StoreIo = {
      ...diskIo,
      async writeFile(path, bytes) {
        await diskIo.writeFile(path, torn ? bytes.subarray(0, bytes.length >> 1) : bytes);
        if (torn) throw new Error('no space left');
      },
    };
    const store = await opened(directory, { io });
    await committed(store, [changeOf(endpoint, 0)]);
    torn = true;
    await expect(store.commit([changeOf(endpoint, 1)])).rejects.toBeInstanceOf(StoreError);
    expect((await sealIn(directory))?.generation).toBe(1);
    await store.close();
    expect((await opened(directory)).found).toBe('healed');
  });

  it('rejects every commit of the turn, and takes none of them for granted', async () => {
    const faults = new Faults();
    const store = await opened(temporaryDirectory(), { io: faults.io });
    faults.arm({ step: 'writeBatch', when: 'before' });
    const answers = await Promise.allSettled(
      [1, 2, 3].map((index) => store.commit([changeOf(`h${index}:993`, 0)])),
    );
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect((await loaded(store)).size).toBe(0);
  });
});

describe('a crash between two steps of the write protocol', () => {
  it.each(moments)('loses nothing acknowledged: $when $step', async (moment) => {
    const directory = temporaryDirectory();
    const crashed = join(temporaryDirectory(), 'crashed');
    let armed = false;
    const io = watchedIo(({ step, when }) => {
      if (!armed || step !== moment.step || when !== moment.when) return;
      armed = false;
      // What lies on the disk now is what a killed process leaves.
      cpSync(directory, crashed, { recursive: true });
    });
    const store = await opened(directory, { io });
    await committed(store, [changeOf(endpoint, 0, { audit: [auditOf(endpoint, { detail: 'first' })] })]);
    await store.announced();
    armed = true;
    const audit = [auditOf(endpoint, { event: 'approved', detail: 'second' })];
    await committed(store, [changeOf(endpoint, 1, { record: next('second'), audit })]);
    expect(armed).toBe(false);
    const again = await opened(crashed);
    const survived = isWritten(moment) ? 2 : 1;
    const sealedToo =
      (moment.step === 'rename' && moment.when === 'after') || moment.step === 'syncDirectory';
    expect(again.found).toBe(isWritten(moment) && !sealedToo ? 'healed' : 'good');
    expect((await loaded(again)).get(endpoint)?.revision).toBe(survived);
    expect((await sealIn(crashed))?.generation).toBe(survived);
    expect(again.unannounced.map(({ detail }) => detail)).toEqual(isWritten(moment) ? ['second'] : []);
    await committed(again, [changeOf(endpoint, survived)]);
  });

  it.each(moments)('at the first start leaves no store or an empty one: $when $step', async (moment) => {
    const directory = temporaryDirectory();
    const crashes: string[] = [];
    const io = watchedIo(({ step, when }) => {
      if (step !== moment.step || when !== moment.when) return;
      const crashed = join(temporaryDirectory(), 'crashed');
      cpSync(directory, crashed, { recursive: true });
      crashes.push(crashed);
    });
    await opened(directory, { io });
    expect(crashes.length).toBeGreaterThan(0);
    for (const crashed of crashes) {
      const again = await opened(crashed);
      expect(again.health()).toMatchObject({ state: 'good', records: 0 });
      await committed(again, [changeOf(endpoint, 0)]);
    }
  });
});

describe('what was not announced before a crash', () => {
  it('is told at every start until it was announced', async () => {
    const directory = temporaryDirectory();
    const crashed = join(temporaryDirectory(), 'crashed');
    const store = await opened(directory);
    await committed(store, [changeOf(endpoint, 0)]);
    cpSync(directory, crashed, { recursive: true });
    const told = async (): Promise<EmbeddedStore> => opened(crashed);
    const first = await told();
    expect(first.unannounced.map(({ endpoint: name }) => name)).toEqual([endpoint]);
    await first.close();
    const second = await told();
    expect(second.unannounced).toHaveLength(1);
    await second.announced();
    expect(second.unannounced).toEqual([]);
    await second.close();
    expect((await told()).unannounced).toEqual([]);
  });

  it('is nothing after a clean end', async () => {
    const directory = temporaryDirectory();
    const store = await opened(directory);
    await committed(store, [changeOf(endpoint, 0)]);
    await store.close();
    expect((await opened(directory)).unannounced).toEqual([]);
  });
});

describe('a turn', () => {
  it('takes everything that waits as one batch and one generation', async () => {
    const batches: number[] = [];
    const io: StoreIo = {
      ...diskIo,
      async writeBatch(database, operations) {
        batches.push(operations.filter((operation) => operation.key.startsWith('record!')).length);
        await diskIo.writeBatch(database, operations);
      },
    };
    const store = await opened(temporaryDirectory(), { io });
    batches.length = 0;
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.commit([changeOf(`h${index}.example:993`, 0)])),
    );
    expect(batches.reduce((sum, count) => sum + count, 0)).toBe(100);
    expect(store.health().generation).toBe(batches.length);
    expect(batches.length).toBeLessThan(10);
    expect(await collected(store.load())).toHaveLength(100);
    expect(await historyOf(store, null)).toHaveLength(100);
  });
});
