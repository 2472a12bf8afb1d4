// The ways back. Each keeps what was there, brings back no rejected key, and opens no first use unasked.

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repairStore, type RepairOptions } from '../../src/store/repair.ts';
import { verifyStore } from '../../src/store/verify.ts';
import {
  auditOf,
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

const third = 'pop.example.com:995';
const configured = 'sieve.example.org:4190';
const bad = spkiOf('bad');

/** `endpoint` with one pin; `other` with a rejection and an end; `third` a pin. */
async function madeStore(): Promise<string> {
  const directory = temporaryDirectory();
  await withStore(directory, async (store) => {
    await committed(store, [changeOf(endpoint, 0)]);
    await committed(store, [changeOf(other, 0)]);
    await committed(store, [
      changeOf(other, 1, { record: strict, audit: [auditOf(other, { event: 'rejected' })] }),
    ]);
    await committed(store, [changeOf(third, 0)]);
  });
  return directory;
}

const strict = recordOf(other, {
  pins: [pinOf(other, { until: noon + 50 })],
  rejected: [{ spki: bad, at: noon }],
});

const repaired = (
  directory: string,
  mode: RepairOptions['mode'],
  endpoints: readonly string[] = [configured],
) => repairStore({ directory, mode, endpoints, now: noon });

const lose = (directory: string, name: string): Promise<void> =>
  withDatabase(directory, (database) => database.del(`record!${name}`));

describe('a repair', () => {
  it('has nothing to do for a good store, and changes nothing', async () => {
    const directory = await madeStore();
    for (const mode of ['show', 'apply', 'accept-rollback'] as const) {
      const report = await repaired(directory, mode);
      expect([report.outcome, report.fitting, report.aside]).toEqual([
        mode === 'show' ? 'shown' : 'nothing-to-do',
        null,
        null,
      ]);
    }
    const store = await opened(directory);
    expect([store.health().generation, store.held().size]).toEqual([4, 0]);
  });

  it('shows what it would do and does not do it', async () => {
    const directory = await madeStore();
    await lose(directory, endpoint);
    const report = await repaired(directory, 'show');
    expect(report).toMatchObject({
      outcome: 'shown',
      fitting: 'apply',
      aside: null,
      before: { state: 'damaged', missing: [endpoint] },
    });
    expect(report.mended).toMatchObject({ kept: [third, other], lost: [endpoint], stale: [] });
    expect(readdirSync(directory).toSorted()).toEqual(['pins', 'seal', 'secret']);
    expect((await opened(directory)).health().state).toBe('damaged');
  });

  it('keeps what verifies, holds what is lost, and the store is good again', async () => {
    const directory = await madeStore();
    await lose(directory, endpoint);
    const report = await repaired(directory, 'apply');
    expect(report.outcome).toBe('done');
    const store = await opened(directory);
    expect([store.found, store.health().state, (await store.verify()).findings]).toEqual([
      'good',
      'good',
      [],
    ]);
    const records = await loaded(store);
    expect([...records.keys()].toSorted()).toEqual([third, other].toSorted());
    expect(records.get(other)).toEqual({ endpoint: other, revision: 2, record: strict, verified: true });
    expect(store.held()).toEqual(new Set([endpoint, configured]));
    const history = await historyOf(store, null);
    expect(history.slice(0, 4).map(({ event }) => event)).toEqual([
      'first-use',
      'first-use',
      'rejected',
      'first-use',
    ]);
    expect(history.slice(4).map(({ endpoint: name, event }) => [name, event])).toEqual([
      ['*', 'repaired'],
      [endpoint, 'repaired'],
      [configured, 'repaired'],
    ]);
    await committed(store, [changeOf(endpoint, 0)]);
  });

  it('keeps a whole copy of what was there', async () => {
    const directory = await madeStore();
    await lose(directory, endpoint);
    const { aside } = await repaired(directory, 'apply');
    expect(aside).toMatch(/damaged-2026-05-28T20-26-40-000Z$/);
    const copy = join(temporaryDirectory(), 'copy');
    cpSync(aside ?? '', copy, { recursive: true });
    const report = await verifyStore(copy);
    expect(report).toMatchObject({ state: 'damaged', missing: [endpoint], verified: [third, other] });
  });

  it('brings back the sealed rejection and end of a record that was lost', async () => {
    const directory = await madeStore();
    await lose(directory, other);
    await repaired(directory, 'apply');
    const store = await opened(directory);
    expect(store.sealed(other).rejected).toEqual(new Set([bad]));
    expect((await loaded(store)).get(other)).toMatchObject({
      revision: 3,
      record: { basis: 'none', rejected: [{ spki: bad }] },
    });
    expect(store.held()).toContain(other);
  });

  it('keeps records by what the files still give when the database does not open', async () => {
    const directory = await madeStore();
    await withStore(directory, async () => undefined);
    rmSync(join(directory, 'pins', 'CURRENT'));
    const report = await repaired(directory, 'apply');
    expect(report.mended?.kept).toEqual([endpoint, third, other].toSorted());
    const store = await opened(directory);
    expect(store.health()).toMatchObject({ state: 'good', records: 3 });
    expect((await loaded(store)).get(other)?.record).toEqual(strict);
    expect(store.held()).toEqual(new Set([configured]));
    expect(readdirSync(directory).filter((name) => name.startsWith('salvage'))).toEqual([]);
  });

  it('of a store whose database is gone keeps the rejections and holds every endpoint there was', async () => {
    const directory = await madeStore();
    rmSync(join(directory, 'pins'), { recursive: true });
    expect((await repaired(directory, 'apply')).mended).toMatchObject({
      kept: [],
      lost: [endpoint, third, other],
    });
    const store = await opened(directory);
    expect(store.health().state).toBe('good');
    expect(store.held()).toEqual(new Set([endpoint, other, third, configured]));
    expect(store.sealed(other).rejected).toEqual(new Set([bad]));
  });

  it('without a seal keeps the records and holds all endpoints, because none is sure', async () => {
    const directory = await madeStore();
    rmSync(join(directory, 'seal'));
    expect((await repaired(directory, 'apply')).outcome).toBe('done');
    const store = await opened(directory);
    expect((await loaded(store)).get(endpoint)?.record).toEqual(recordOf(endpoint));
    expect(store.held()).toEqual(new Set([endpoint, other, third, configured]));
  });

  it('with a seal of another store takes its rejections and holds all endpoints', async () => {
    const directory = await madeStore();
    const stranger = temporaryDirectory();
    await withStore(stranger, async (store) => {
      for (const revision of [0, 1]) await committed(store, [changeOf(endpoint, revision)]);
      const record = recordOf(endpoint, { rejected: [{ spki: spkiOf('theirs'), at: noon }] });
      await committed(store, [changeOf(endpoint, 2, { record })]);
      await committed(store, [changeOf(other, 0)]);
    });
    cpSync(join(stranger, 'seal'), join(directory, 'seal'));
    await repaired(directory, 'apply');
    const store = await opened(directory);
    expect(store.held()).toEqual(new Set([endpoint, other, third, configured]));
    expect(store.sealed(endpoint).rejected).toEqual(new Set([spkiOf('theirs')]));
    expect(store.sealed(other).rejected).toEqual(new Set([bad]));
  });

  it('makes a new secret where the old one is lost', async () => {
    const directory = await madeStore();
    rmSync(join(directory, 'secret'));
    expect((await repaired(directory, 'apply')).mended).toMatchObject({
      kept: [endpoint, third, other],
      lost: [],
    });
    const store = await opened(directory);
    expect([store.health().state, store.secret.length]).toEqual(['good', 32]);
    expect(store.held()).toEqual(new Set([configured]));
  });

  it('goes on from the last audit entry that chains', async () => {
    const directory = await madeStore();
    await withDatabase(directory, (database) => database.put('audit!0000000000000003', '{}'));
    expect(await repaired(directory, 'show')).toMatchObject({
      fitting: 'apply',
      before: { state: 'damaged' },
    });
    await repaired(directory, 'apply');
    const store = await opened(directory);
    expect((await store.verify()).findings).toEqual([]);
    expect((await historyOf(store, null)).map(({ event }) => event)).toEqual([
      'first-use',
      'first-use',
      'repaired',
      'repaired',
    ]);
  });

  it('is refused while a process has the store open', async () => {
    const directory = await madeStore();
    await opened(directory);
    await expect(repaired(directory, 'start-over')).rejects.toMatchObject({ code: 'store-locked' });
    await expect(verifyStore(directory)).rejects.toMatchObject({ code: 'store-locked' });
  });

  it('has nothing to repair where there is no store', async () => {
    await expect(repaired(temporaryDirectory(), 'start-over')).rejects.toMatchObject({
      code: 'store-missing',
    });
  });
});

/** Back to before the rejection in `other`, and before `third`. */
async function rolledBack(): Promise<string> {
  const directory = temporaryDirectory();
  const copy = join(temporaryDirectory(), 'pins');
  await withStore(directory, async (store) => {
    await committed(store, [changeOf(endpoint, 0)]);
    const undo = { command: 'approve', at: noon, before: recordOf(other), acceptedSince: false };
    await committed(store, [changeOf(other, 0, { record: recordOf(other, { undo }) })]);
  });
  cpSync(join(directory, 'pins'), copy, { recursive: true });
  await withStore(directory, async (store) => {
    await committed(store, [changeOf(other, 1, { record: strict })]);
    await committed(store, [changeOf(third, 0)]);
  });
  rmSync(join(directory, 'pins'), { recursive: true });
  cpSync(copy, join(directory, 'pins'), { recursive: true });
  return directory;
}

describe('a database put back from an older copy', () => {
  it('is not mended by --apply', async () => {
    const directory = await rolledBack();
    expect(await repaired(directory, 'apply')).toMatchObject({
      outcome: 'refused',
      fitting: 'accept-rollback',
      aside: null,
    });
    expect((await opened(directory)).health().state).toBe('damaged');
  });

  it('is accepted with what was rejected since, and what is not sure waits', async () => {
    const directory = await rolledBack();
    const report = await repaired(directory, 'accept-rollback');
    expect(report).toMatchObject({
      outcome: 'done',
      mended: { kept: [endpoint, other], stale: [other], lost: [third] },
    });
    const store = await opened(directory);
    expect(store.health().state).toBe('good');
    const record = (await loaded(store)).get(other);
    expect(record).toMatchObject({
      revision: 3,
      record: { basis: 'pinned', rejected: [{ spki: bad }], pins: [{ until: noon + 50 }] },
    });
    // An undo would bring back a record that knows nothing of the rejection.
    expect([record?.record?.epoch, record?.record?.undo]).toEqual([recordOf(other).epoch + 1, null]);
    expect((await loaded(store)).get(endpoint)).toMatchObject({ revision: 1, record: recordOf(endpoint) });
    expect(store.held()).toEqual(new Set([other, third, configured]));
    expect((await historyOf(store, '*')).map(({ event }) => event)).toEqual(['rollback-accepted']);
  });

  it('is accepted as well when it is the seal that is old', async () => {
    const directory = await madeStore();
    const old = readFileSync(join(directory, 'seal'));
    await withStore(directory, async (store) => {
      await committed(store, [
        changeOf(endpoint, 1, { record: recordOf(endpoint, { pins: [pinOf('new')] }) }),
      ]);
      await committed(store, [
        changeOf(endpoint, 2, { record: recordOf(endpoint, { pins: [pinOf('newer')] }) }),
      ]);
    });
    writeFileSync(join(directory, 'seal'), old);
    await repaired(directory, 'accept-rollback');
    const store = await opened(directory);
    expect((await loaded(store)).get(endpoint)).toMatchObject({
      revision: 3,
      record: { pins: [pinOf('newer')] },
    });
    expect(store.held()).toEqual(new Set([configured]));
  });

  it('is what --accept-rollback is for, and nothing else', async () => {
    const directory = await madeStore();
    await lose(directory, endpoint);
    expect(await repaired(directory, 'accept-rollback')).toMatchObject({
      outcome: 'refused',
      fitting: 'apply',
      aside: null,
    });
    expect((await opened(directory)).health().state).toBe('damaged');
  });
});

describe('starting over', () => {
  it('keeps rejections only, holds every endpoint, and puts the rest aside', async () => {
    const directory = await madeStore();
    writeFileSync(join(directory, 'pins', 'CURRENT'), 'garbage\n');
    const report = await repaired(directory, 'start-over');
    expect(report).toMatchObject({ outcome: 'done', mended: { kept: [], lost: [endpoint, third, other] } });
    expect(existsSync(join(report.aside ?? '', 'pins', 'CURRENT'))).toBe(true);
    const store = await opened(directory);
    expect([store.found, store.health().state]).toEqual(['good', 'good']);
    const records = await loaded(store);
    expect([...records.keys()]).toEqual([other]);
    expect(records.get(other)?.record).toMatchObject({ basis: 'none', pins: [], rejected: [{ spki: bad }] });
    expect(store.held()).toEqual(new Set([endpoint, other, third, configured]));
    expect((await historyOf(store, configured)).map(({ event }) => event)).toEqual(['started-over']);
  });

  it('is possible for a good store too, and asks for it twice without losing a copy', async () => {
    const directory = await madeStore();
    const first = await repaired(directory, 'start-over');
    const second = await repaired(directory, 'start-over');
    expect(second.aside).toBe(`${first.aside}-2`);
    expect((await opened(directory)).sealed(other).rejected).toEqual(new Set([bad]));
  });

  it('keeps the rejections of seal and database when only one of them has each', async () => {
    const directory = await madeStore();
    const old = readFileSync(join(directory, 'seal'));
    await withStore(directory, async (store) => {
      const record = recordOf(third, { rejected: [{ spki: spkiOf('later'), at: noon }] });
      await committed(store, [changeOf(third, 1, { record })]);
      await committed(store, [changeOf(endpoint, 1)]);
    });
    writeFileSync(join(directory, 'seal'), old);
    await lose(directory, other);
    await repaired(directory, 'start-over');
    const store = await opened(directory);
    expect(store.sealed(other).rejected).toEqual(new Set([bad]));
    expect(store.sealed(third).rejected).toEqual(new Set([spkiOf('later')]));
  });

  it('leaves holds that outlive restarts and approvals, until the endpoint is forgotten', async () => {
    const directory = await madeStore();
    await repaired(directory, 'start-over');
    await withStore(directory, async (store) => {
      await committed(store, [changeOf(endpoint, 0, { audit: [auditOf(endpoint, { event: 'approved' })] })]);
    });
    await withStore(directory, async (store) => {
      expect(store.held()).toContain(endpoint);
      await committed(store, [
        changeOf(endpoint, 1, {
          record: recordOf(endpoint),
          audit: [auditOf(endpoint, { event: 'forgotten' })],
        }),
      ]);
      expect(store.held()).not.toContain(endpoint);
    });
    expect((await opened(directory)).held()).toEqual(new Set([other, third, configured]));
  });

  it('is safe to be cut off: what a crash leaves before the new seal is damaged', async () => {
    const directory = await madeStore();
    const seal = readFileSync(join(directory, 'seal'));
    await repaired(directory, 'start-over');
    writeFileSync(join(directory, 'seal'), seal);
    expect((await opened(directory)).health()).toMatchObject({
      state: 'damaged',
      detail: expect.stringContaining('another store') as unknown,
    });
  });

  it('keeps the holds while the store is damaged once more', async () => {
    const directory = await madeStore();
    await repaired(directory, 'start-over');
    rmSync(join(directory, 'pins'), { recursive: true });
    const store = await opened(directory);
    expect(store.held()).toEqual(new Set([endpoint, other, third, configured]));
    await store.close();
    await repaired(directory, 'apply', []);
    expect((await opened(directory)).held()).toEqual(new Set([endpoint, other, third, configured]));
  });
});
