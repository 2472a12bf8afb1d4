// Random lives of a store, closed and opened on the way, against a model of a few lines.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stricter } from '../../src/store/sealed-keys.ts';
import {
  auditOf,
  historyOf,
  loaded,
  noon,
  pinOf,
  recordOf,
  spkiOf,
  temporaryDirectory,
  withStore,
} from './fixtures.ts';

const names = ['a.example:993', 'b.example:993', 'c.example:993', '[2001:db8::1]:993'];
const keyNames = ['k1', 'k2', 'k3'];

const change = fc.record({
  name: fc.constantFrom(...names),
  /** How far the expected revision is off; most are right. */
  off: fc.constantFrom(0, 0, 0, 0, 1, -1),
  key: fc.constantFrom(...keyNames),
  until: fc.option(fc.integer({ min: noon, max: noon + 100 })),
  rejected: fc.subarray(keyNames),
  tombstone: fc.constantFrom(false, false, false, true),
  detail: fc.string({ unit: 'grapheme', maxLength: 12 }),
});
type RandomChange = typeof change extends fc.Arbitrary<infer T> ? T : never;

const life = fc.array(
  fc.array(fc.uniqueArray(change, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }), {
    maxLength: 4,
  }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

class Model {
  readonly records = new Map<string, { revision: number; change: RandomChange }>();
  readonly details: string[] = [];

  revisionOf(name: string): number {
    return this.records.get(name)?.revision ?? 0;
  }

  commit(changes: readonly RandomChange[]): boolean {
    if (changes.some(({ off }) => off !== 0)) return false;
    for (const one of changes) {
      this.records.set(one.name, { revision: this.revisionOf(one.name) + 1, change: one });
      this.details.push(one.detail);
    }
    return true;
  }
}

const recordFor = ({ name, key, until, rejected, tombstone }: RandomChange) =>
  tombstone
    ? null
    : recordOf(name, {
        pins: [pinOf(key, { until })],
        rejected: rejected.map((bad) => ({ spki: spkiOf(bad), at: noon })),
      });

describe('a store opened again', () => {
  it('is what the commits made of it, after any sequence of them', async () => {
    await fc.assert(
      fc.asyncProperty(life, async (sittings) => {
        const directory = temporaryDirectory();
        const model = new Model();
        for (const sitting of sittings) {
          await withStore(directory, async (store) => {
            for (const changes of sitting) {
              const asked = changes.map((one) => ({
                endpoint: one.name,
                expected: Math.max(0, model.revisionOf(one.name) + one.off),
                record: recordFor(one),
                audit: [auditOf(one.name, { detail: one.detail })],
              }));
              const right = asked.every(({ endpoint, expected }) => expected === model.revisionOf(endpoint));
              const { committed } = await store.commit(asked);
              expect(committed).toBe(right);
              if (right) model.commit(changes.map((one) => ({ ...one, off: 0 })));
            }
          });
        }
        await withStore(directory, async (store) => {
          expect(store.health().state).toBe('good');
          const records = await loaded(store);
          expect(new Set(records.keys())).toEqual(new Set(model.records.keys()));
          for (const [name, { revision, change: last }] of model.records) {
            const record = recordFor(last);
            expect(records.get(name)).toEqual({ endpoint: name, revision, record, verified: true });
            expect(store.sealed(name).rejected).toEqual(new Set(record?.rejected.map(({ spki }) => spki)));
          }
          expect((await historyOf(store, null)).map(({ detail }) => detail)).toEqual(model.details);
          expect((await store.verify()).findings).toEqual([]);
        });
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

describe('two sayings about keys', () => {
  const sealedKeys = fc
    .record({
      rejected: fc.subarray(keyNames),
      until: fc.array(fc.tuple(fc.constantFrom(...keyNames), fc.integer({ min: 0, max: 9 }))),
    })
    .map(({ rejected, until }) => ({ rejected: new Set(rejected), until: new Map(until) }));

  it('are joined so that neither is ever softened, in either order', () => {
    fc.assert(
      fc.property(sealedKeys, sealedKeys, (one, two) => {
        const both = stricter(one, two);
        expect(stricter(two, one)).toEqual({ rejected: both.rejected, until: both.until });
        for (const side of [one, two]) {
          for (const spki of side.rejected) expect(both.rejected.has(spki)).toBe(true);
          for (const [spki, at] of side.until) expect(both.until.get(spki)).toBeLessThanOrEqual(at);
        }
        for (const spki of both.rejected) expect(one.rejected.has(spki) || two.rejected.has(spki)).toBe(true);
      }),
    );
  });
});
