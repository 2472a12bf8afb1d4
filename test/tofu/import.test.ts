// Imports through the engine: all endpoints at once or none, in one generation, and what sessions see of it.

import { expect, it } from 'vitest';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore } from '../../src/store/pin-store.ts';
import type { ImportOrder } from '../../src/trust/import-order.ts';
import { bound, openTofu } from '../admin/world.ts';

const key = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const order = (endpoint: string, byte: number, part: Partial<ImportOrder> = {}): ImportOrder => ({
  endpoint,
  entries: [{ kind: 'pin', spki: key(byte), until: null }],
  keep: false,
  unreject: [],
  ...part,
});
const apply = { origin: 'cli', apply: true } as const;
const names = ['a.example:993', 'b.example:993', 'c.example:993'];

it('all endpoints of an import are one commit', async () => {
  const store = openMemoryStore();
  const tofu = await openTofu(store);
  const { generation } = store.health();
  expect(
    (
      await tofu.import(
        names.map((name, at) => order(name, at + 1)),
        apply,
      )
    ).applied,
  ).toBe(true);
  expect(store.health().generation).toBe(generation + 1);
  expect(names.map((name) => tofu.record(name)?.pins[0]?.spki)).toEqual([key(1), key(2), key(3)]);
});

it('one that is in the way keeps all of them out', async () => {
  const store = openMemoryStore();
  const tofu = await openTofu(store);
  await tofu.import([order(names[1] ?? '', 9)], apply);
  const { generation } = store.health();
  const { applied, plans } = await tofu.import(
    names.map((name, at) => order(name, at + 1)),
    apply,
  );
  expect(applied).toBe(false);
  expect(plans.map(({ items }) => items[0]?.does)).toEqual(['pin', 'conflict', 'pin']);
  expect(store.health().generation).toBe(generation);
  expect(tofu.record(names[0] ?? '')).toBeNull();
});

it('without apply nothing is written, whatever it says', async () => {
  const store = openMemoryStore();
  const tofu = await openTofu(store);
  const { applied, plans } = await tofu.import([order(names[0] ?? '', 1)], { origin: 'cli', apply: false });
  expect([applied, plans[0]?.items[0]?.does]).toEqual([false, 'pin']);
  expect(tofu.record(names[0] ?? '')).toBeNull();
});

it('a write that fails leaves every endpoint as it was, and says so', async () => {
  const sound = openMemoryStore();
  const store: PinStore = { ...bound(sound), commit: () => Promise.reject(new Error('disk full')) };
  const tofu = await openTofu(store);
  await expect(
    tofu.import(
      names.map((name) => order(name, 1)),
      apply,
    ),
  ).rejects.toMatchObject({ exit: 'store' });
  expect(names.map((name) => tofu.record(name))).toEqual([null, null, null]);
});

it('somebody else who wrote meanwhile is met again: the plan is made anew, never written over', async () => {
  const sound = openMemoryStore();
  const [own, others] = [await openTofu(sound), await openTofu(sound)];
  await others.import([order(names[1] ?? '', 9)], apply);
  const { applied, plans } = await own.import(
    names.map((name, at) => order(name, at + 1)),
    apply,
  );
  expect(applied).toBe(false);
  expect(plans[1]?.items[0]?.does).toBe('conflict');
  expect(own.record(names[0] ?? '')).toBeNull();
});

it('two imports of the same endpoints in other orders do not wait for each other for ever', async () => {
  const tofu = await openTofu(openMemoryStore());
  const orders = names.map((name) => order(name, 1, { keep: true }));
  const both = await Promise.all([tofu.import(orders, apply), tofu.import(orders.toReversed(), apply)]);
  expect(both.map(({ applied }) => applied)).toEqual([true, true]);
  expect(
    both
      .flatMap(({ plans }) => plans.map(({ items }) => items[0]?.does ?? ''))
      .toSorted((a, b) => a.localeCompare(b)),
  ).toEqual(['nothing', 'nothing', 'nothing', 'pin', 'pin', 'pin']);
});
