// The suite every pin store runs. It knows nothing of how a store keeps what it keeps.

import { describe, expect, it, onTestFinished } from 'vitest';
import type { PinStore, StoredRecord } from '../../src/store/pin-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { emptyRecord } from '../../src/trust/record.ts';
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
  other,
  pinOf,
  recordOf,
  spkiOf,
} from './fixtures.ts';

export interface Implementation {
  readonly name: string;
  /** An empty store; the suite closes it. */
  readonly open: () => Promise<PinStore>;
}

export function pinStoreContract(implementation: Implementation): void {
  const fresh = async (): Promise<PinStore> => {
    const store = await implementation.open();
    onTestFinished(() => store.close());
    return store;
  };

  describe(`the pin store contract, kept by ${implementation.name}`, () => {
    it('starts empty and good', async () => {
      const store = await fresh();
      expect(await loaded(store)).toEqual(new Map());
      expect(await historyOf(store, null)).toEqual([]);
      expect(store.health()).toMatchObject({ state: 'good', detail: null, generation: 0, records: 0 });
      expect(store.held()).toEqual(new Set());
    });

    it('loads what was committed, with its revision', async () => {
      const store = await fresh();
      const { revisions } = await committed(store, [changeOf(endpoint, 0)]);
      expect(revisions).toEqual(new Map([[endpoint, 1]]));
      expect(await loaded(store)).toEqual(
        new Map([[endpoint, { endpoint, revision: 1, record: recordOf(endpoint), verified: true }]]),
      );
      expect(store.health()).toMatchObject({ generation: 1, records: 1 });
    });

    it('creates an endpoint once and answers the second with what stands there', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0)]);
      const { current } = await conflicted(store, [changeOf(endpoint, 0, { record: emptyRecord(endpoint) })]);
      expect(current).toEqual([{ endpoint, revision: 1, record: recordOf(endpoint), verified: true }]);
    });

    it('swaps a record only from the revision it was made from', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0)]);
      const next = recordOf(endpoint, { pins: [pinOf('next')] });
      const { revisions } = await committed(store, [changeOf(endpoint, 1, { record: next })]);
      expect(revisions.get(endpoint)).toBe(2);
      await conflicted(store, [changeOf(endpoint, 1)]);
      expect((await loaded(store)).get(endpoint)).toMatchObject({ revision: 2, record: next });
    });

    it('answers a swap of what was never written with revision 0', async () => {
      const store = await fresh();
      const { current } = await conflicted(store, [changeOf(endpoint, 3)]);
      expect(current).toEqual([{ endpoint, revision: 0, record: null, verified: true }]);
    });

    it('writes nothing of a commit that conflicts in one of its changes', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0)]);
      const { current } = await conflicted(store, [changeOf(other, 0), changeOf(endpoint, 0)]);
      expect(current.map((row) => row.endpoint)).toEqual([endpoint]);
      expect([...(await loaded(store)).keys()]).toEqual([endpoint]);
      expect(await historyOf(store, null)).toHaveLength(1);
      expect(store.health().generation).toBe(1);
    });

    it('writes all changes of a commit together', async () => {
      const store = await fresh();
      const { revisions } = await committed(store, [changeOf(endpoint, 0), changeOf(other, 0)]);
      expect(revisions).toEqual(new Map([[endpoint, 1], [other, 1]])); // prettier-ignore
      expect(store.health()).toMatchObject({ generation: 1, records: 2 });
    });

    it('answers an empty commit without a generation', async () => {
      const store = await fresh();
      expect(await store.commit([])).toEqual({ committed: true, revisions: new Map() });
      expect(store.health().generation).toBe(0);
    });

    it.each([
      ['two changes of one endpoint', [changeOf(endpoint, 0), changeOf(endpoint, 1)]],
      ['a record of another endpoint', [changeOf(endpoint, 0, { record: recordOf(other) })]],
      ['a revision that is none', [changeOf(endpoint, -1)]],
      ['an endpoint without a name', [changeOf('', 0, { record: null })]],
    ])('refuses %s', async (_, changes) => {
      const store = await fresh();
      await expect(store.commit(changes)).rejects.toBeInstanceOf(TypeError);
      expect(store.health().generation).toBe(0);
    });

    it('keeps a copy that the caller cannot alter afterwards', async () => {
      const store = await fresh();
      const pins = [pinOf('kept')];
      const done = store.commit([changeOf(endpoint, 0, { record: { ...emptyRecord(endpoint), pins } })]);
      pins.push(pinOf('slipped-in'));
      await done;
      expect((await loaded(store)).get(endpoint)?.record?.pins).toEqual([pinOf('kept')]);
    });

    it('reports a tombstone and lets it be overwritten from its revision only', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0)]);
      await committed(store, [changeOf(endpoint, 1, { record: null })]);
      expect((await loaded(store)).get(endpoint)).toEqual({
        endpoint,
        revision: 2,
        record: null,
        verified: true,
      });
      expect(store.sealed(endpoint)).toEqual({ rejected: new Set(), until: new Map() });
      await conflicted(store, [changeOf(endpoint, 0)]);
      const { revisions } = await committed(store, [changeOf(endpoint, 2)]);
      expect(revisions.get(endpoint)).toBe(3);
    });

    it('serialises a hundred commits made at once', async () => {
      const store = await fresh();
      const names = Array.from({ length: 100 }, (_, index) => `host-${index % 50}.example:993`);
      const answers = await Promise.all(
        names.map((name, index) =>
          store.commit([changeOf(name, 0, { record: recordOf(name, { pins: [pinOf(`key-${index}`)] }) })]),
        ),
      );
      expect(answers.filter((answer) => answer.committed)).toHaveLength(50);
      const records = await loaded(store);
      expect(records.size).toBe(50);
      for (const [index, answer] of answers.entries()) {
        const name = names[index] ?? '';
        if (answer.committed) expect(records.get(name)?.record?.pins[0]?.spki).toBe(spkiOf(`key-${index}`));
        else expect(answer.current).toEqual([records.get(name)]);
      }
    });

    it('lets one of a hundred first uses with two keys win', async () => {
      const store = await fresh();
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          store.commit([
            changeOf(endpoint, 0, { record: recordOf(endpoint, { pins: [pinOf(`key-${index % 2}`)] }) }),
          ]),
        ),
      );
      expect(answers.filter((answer) => answer.committed)).toHaveLength(1);
      expect((await loaded(store)).get(endpoint)).toMatchObject({
        revision: 1,
        record: { pins: [{ kind: 'leaf' }] },
      });
    });

    it('reports changes after a generation, then those that come, until it is told to stop', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0)]);
      await committed(store, [changeOf(other, 0)]);
      const stop = new AbortController();
      const feed = store.changes(1, stop.signal)[Symbol.asyncIterator]();
      expect((await feed.next()).value).toMatchObject({ endpoint: other, revision: 1 });
      const coming = feed.next();
      await committed(store, [changeOf(endpoint, 1)]);
      expect((await coming).value).toMatchObject({ endpoint, revision: 2 });
      stop.abort();
      expect(await feed.next()).toEqual({ done: true, value: undefined });
    });

    it('gives a slow follower the latest state of an endpoint once', async () => {
      const store = await fresh();
      const stop = new AbortController();
      const feed = store.changes(0, stop.signal)[Symbol.asyncIterator]();
      const coming = feed.next();
      await committed(store, [changeOf(endpoint, 0)]);
      await coming;
      await committed(store, [changeOf(endpoint, 1)]);
      await committed(store, [changeOf(endpoint, 2)]);
      expect((await feed.next()).value).toMatchObject({ revision: 3 });
      const ended = feed.next();
      stop.abort();
      expect((await ended).done).toBe(true);
    });

    it('ends a follower when it is closed', async () => {
      const store = await fresh();
      const ended = collected(store.changes(0, new AbortController().signal));
      await committed(store, [changeOf(endpoint, 0)]);
      await store.close();
      expect((await ended).map((row: StoredRecord) => row.endpoint)).toEqual([endpoint]);
    });

    it('tells the history oldest first, of all endpoints or of one', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0, { audit: [auditOf(endpoint, { detail: 'one' })] })]);
      await committed(store, [changeOf(other, 0, { audit: [auditOf(other, { detail: 'two' })] })]);
      const last = [
        auditOf(endpoint, { event: 'retired', detail: 'three' }),
        auditOf(endpoint, { event: 'approved', detail: 'four' }),
      ];
      await committed(store, [changeOf(endpoint, 1, { audit: last })]);
      const all = await historyOf(store, null);
      expect(all.map(({ detail }) => detail)).toEqual(['one', 'two', 'three', 'four']);
      expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
      expect((await historyOf(store, endpoint)).map(({ detail }) => detail)).toEqual([
        'one',
        'three',
        'four',
      ]);
      expect(all[2]).toMatchObject(auditOf(endpoint, { event: 'retired', detail: 'three' }));
    });

    it('chains the audit by hash: the same entry hashes differently after another past', async () => {
      const [one, two] = [await fresh(), await fresh()];
      await committed(one, [
        changeOf(endpoint, 0, { audit: [auditOf(endpoint, { detail: 'a' }), auditOf(endpoint)] }),
      ]);
      await committed(two, [
        changeOf(endpoint, 0, { audit: [auditOf(endpoint, { detail: 'b' }), auditOf(endpoint)] }),
      ]);
      const [first, second] = [await historyOf(one, null), await historyOf(two, null)];
      expect(first[1]).toMatchObject({ detail: second[1]?.detail });
      expect(first[1]?.hash).toMatch(/^[0-9a-f]{64}$/);
      expect(first[1]?.hash).not.toBe(second[1]?.hash);
    });

    it('shows sightings without moving revision, generation or audit', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0)]);
      const seen = { endpoint, spki: spkiOf(endpoint), lastSeen: noon + 5, seenCount: 3 };
      await store.touch([seen, { ...seen, lastSeen: noon + 1 }, { ...seen, endpoint: other }]);
      const record = (await loaded(store)).get(endpoint);
      expect(record).toMatchObject({ revision: 1, record: { pins: [{ lastSeen: noon + 5 }] } });
      expect([...(await loaded(store)).keys()]).toEqual([endpoint]);
      expect(store.health()).toMatchObject({ generation: 1, records: 1 });
      expect(await historyOf(store, null)).toHaveLength(1);
      await committed(store, [changeOf(endpoint, 1)]);
    });

    it('names every rejected key and the earlier of each planned and noticed end', async () => {
      const store = await fresh();
      const record = recordOf(endpoint, {
        pins: [
          pinOf('live'),
          pinOf('planned', { until: noon + 10 }),
          pinOf('noticed', { until: noon + 10, endedAt: noon + 5 }),
          pinOf('ended', { endedAt: noon }),
        ],
        rejected: [{ spki: spkiOf('bad'), at: noon }],
      });
      await committed(store, [changeOf(endpoint, 0, { record })]);
      expect(store.sealed(endpoint)).toEqual({
        rejected: new Set([spkiOf('bad')]),
        until: new Map([[spkiOf('planned'), noon + 10], [spkiOf('noticed'), noon + 5], [spkiOf('ended'), noon]]), // prettier-ignore
      });
      expect(store.sealed(other)).toEqual({ rejected: new Set(), until: new Map() });
      await committed(store, [changeOf(endpoint, 1)]);
      expect(store.sealed(endpoint).rejected.size).toBe(0);
    });

    it('rejects everything once it is closed, and may be closed twice', async () => {
      const store = await fresh();
      await committed(store, [changeOf(endpoint, 0)]);
      await store.close();
      await store.close();
      const never = new AbortController().signal;
      for (const attempt of [
        () => collected(store.load()),
        () => store.commit([changeOf(other, 0)]),
        () => collected(store.changes(0, never)),
        () => historyOf(store, null),
        () => store.touch([]),
      ]) {
        await expect(attempt()).rejects.toBeInstanceOf(StoreError);
      }
      expect(store.health().state).toBe('unavailable');
    });

    it('finishes what was committed before it is closed', async () => {
      const store = await fresh();
      const pending = store.commit([changeOf(endpoint, 0)]);
      await store.close();
      expect((await pending).committed).toBe(true);
    });
  });
}
