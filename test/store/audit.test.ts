import { describe, expect, it } from 'vitest';
import { auditRetention } from '../../src/store/audit.ts';
import { verifyStore } from '../../src/store/verify.ts';
import {
  auditOf,
  changeOf,
  committed,
  endpoint,
  historyOf,
  noon,
  opened,
  temporaryDirectory,
  withDatabase,
  withStore,
} from './fixtures.ts';

const day = 86_400_000;

async function filled(entries: number): Promise<string> {
  const directory = temporaryDirectory();
  await withStore(directory, async (store) => {
    for (let revision = 0; revision < entries; revision += 1) {
      await committed(store, [
        changeOf(endpoint, revision, { audit: [auditOf(endpoint, { detail: `entry ${revision + 1}` })] }),
      ]);
    }
  });
  return directory;
}

const key = (sequence: number): string => `audit!${String(sequence).padStart(16, '0')}`;

describe('the audit chain', () => {
  it('is whole when one turn writes several entries', async () => {
    const store = await opened(temporaryDirectory());
    await committed(store, [
      changeOf(endpoint, 0, { audit: [auditOf(endpoint), auditOf(endpoint), auditOf(endpoint)] }),
    ]);
    await committed(store, [changeOf(endpoint, 1)]);
    expect((await store.verify()).audit).toEqual({ entries: 4, folded: 0, problem: null });
  });

  it('is whole after any number of entries', async () => {
    expect(await verifyStore(await filled(5))).toMatchObject({
      state: 'good',
      findings: [],
      audit: { entries: 5, folded: 0, problem: null },
    });
  });

  it.each([
    ['altered', (text: string) => text.replace('entry 3', 'entry X'), /does not hold after entry 2/],
    ['made unreadable', () => '{', /does not hold after entry 2/],
  ])('shows an entry that was %s', async (_, alter, problem) => {
    const directory = await filled(5);
    await withDatabase(directory, async (database) =>
      database.put(key(3), alter((await database.get(key(3))) ?? '')),
    );
    const report = await verifyStore(directory);
    expect([report.state, report.audit?.problem]).toEqual(['damaged', expect.stringMatching(problem)]);
    expect(report.findings).toEqual([expect.stringMatching(problem)]);
  });

  it('shows an entry that was taken out', async () => {
    const directory = await filled(5);
    await withDatabase(directory, (database) => database.del(key(3)));
    expect((await verifyStore(directory)).audit?.problem).toMatch(/after entry 2/);
  });

  it('shows that its last entries were taken off', async () => {
    const directory = await filled(5);
    await withDatabase(directory, (database) => database.del(key(5)));
    expect((await verifyStore(directory)).audit?.problem).toMatch(/ends at entry 4, not at 5/);
  });

  it('shows two entries that changed places', async () => {
    const directory = await filled(5);
    await withDatabase(directory, async (database) => {
      const [two, three] = [await database.get(key(2)), await database.get(key(3))];
      await database.put(key(2), three ?? '');
      await database.put(key(3), two ?? '');
    });
    expect((await verifyStore(directory)).audit?.problem).toMatch(/after entry 1/);
  });

  it('does not keep the store from starting when it is broken', async () => {
    const directory = await filled(5);
    await withDatabase(directory, (database) => database.del(key(3)));
    const store = await opened(directory);
    expect(store.health().state).toBe('good');
    expect((await store.verify()).state).toBe('damaged');
  });
});

describe('audit entries that are too many or too old', () => {
  it('are kept for two years, and never more than 100 000 of them, unless told otherwise', () => {
    expect(auditRetention).toEqual({ maxAgeMs: 730.5 * day, maxEntries: 100_000, minEntries: 1000 });
  });

  it('are folded into a checkpoint that the chain goes on from', async () => {
    const directory = temporaryDirectory();
    const store = await opened(directory, {
      retention: { maxAgeMs: 100 * day, maxEntries: 10, minEntries: 0 },
    });
    for (let revision = 0; revision < 30; revision += 1)
      await committed(store, [changeOf(endpoint, revision)]);
    expect((await historyOf(store, null)).map(({ sequence }) => sequence)).toEqual([
      21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    ]);
    expect((await store.verify()).audit).toEqual({ entries: 10, folded: 20, problem: null });
    await store.close();
    const again = await opened(directory);
    expect((await again.verify()).audit).toEqual({ entries: 10, folded: 20, problem: null });
    await committed(again, [changeOf(endpoint, 30)]);
    expect((await historyOf(again, null)).at(-1)?.sequence).toBe(31);
  });

  it('stay, the latest of them, whatever their age: the clock may run years ahead', async () => {
    const directory = await filled(5);
    const ahead = noon + 20 * 365 * day;
    const store = await opened(directory, { now: () => ahead });
    await committed(store, [changeOf(endpoint, 5)]);
    expect(await historyOf(store, null)).toHaveLength(6);
  });

  it('are folded by age, the young ones stay', async () => {
    const clock = { now: noon };
    const retention = { ...auditRetention, minEntries: 0 };
    const store = await opened(temporaryDirectory(), { now: () => clock.now, retention });
    const at = async (days: number, revision: number) => {
      clock.now = noon + days * day;
      await committed(store, [
        changeOf(endpoint, revision, { audit: [auditOf(endpoint, { at: clock.now })] }),
      ]);
    };
    await at(0, 0);
    await at(100, 1);
    await at(730, 2);
    expect((await historyOf(store, null)).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    await at(731, 3);
    expect((await historyOf(store, null)).map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
    await at(2000, 4);
    expect((await historyOf(store, null)).map(({ sequence }) => sequence)).toEqual([5]);
    expect((await store.verify()).audit?.problem).toBeNull();
  });

  it('stay when the chain does not hold there: a broken chain is evidence', async () => {
    const directory = await filled(5);
    await withDatabase(directory, (database) => database.del(key(2)));
    const store = await opened(directory, { retention: { maxAgeMs: day, maxEntries: 2, minEntries: 0 } });
    await committed(store, [changeOf(endpoint, 5)]);
    expect((await historyOf(store, null)).map(({ sequence }) => sequence)).toEqual([3, 4, 5, 6]);
  });
});
