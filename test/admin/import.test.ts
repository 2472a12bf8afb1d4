// What an import may look like over the socket, and what a backup has in it.

import { describe, expect, it } from 'vitest';
import { answerRequest } from '../../src/admin/api.ts';
import type { Operator } from '../../src/admin/operator.ts';
import { operateOn } from '../../src/admin/tofu-operator.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore } from '../../src/store/pin-store.ts';
import { emptyRecord } from '../../src/trust/record.ts';
import { expectation } from '../trust/evidence.ts';
import { bound, openTofu, silent } from './world.ts';

const key = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const endpoint = 'a.example:993';
const pin = { kind: 'pin', spki: key(1), until: null };
const order = { endpoint, entries: [pin], keep: false, unreject: [] };

const never = (): Promise<never> => Promise.reject(new Error('not asked'));

async function operatorOn(store: PinStore): Promise<Operator> {
  return operateOn({
    source: 'daemon',
    tofu: await openTofu(store),
    store,
    origin: 'cli',
    now: Date.now,
    settings: () => new Map(),
    status: never,
    reload: never,
    live: silent,
    close: async () => undefined,
  });
}

const post = (operator: Operator, body: unknown) =>
  answerRequest(operator, { method: 'POST', url: '/v1/import', body });

describe('over the socket', () => {
  it('an import is read, applied and answered', async () => {
    const operator = await operatorOn(openMemoryStore());
    const { digest, of, algorithm } = expectation('server');
    const expected = { kind: 'expectation', of, algorithm, digest, until: null };
    const body = { orders: [{ ...order, entries: [pin, expected] }], apply: true };
    expect(await post(operator, body)).toMatchObject({
      status: 200,
      route: 'import',
      body: { applied: true, endpoints: [{ endpoint, items: [{ does: 'pin' }, { does: 'expect' }] }] },
    });
    expect(await operator.pins()).toMatchObject([{ endpoint, state: 'pinned', expected: [{ digest }] }]);
  });

  it.each<[string, object]>([
    ['a key in another form', { orders: [{ ...order, entries: [{ ...pin, spki: key(1).slice(0, -1) }] }] }],
    ['an endpoint in another form', { orders: [{ ...order, endpoint: 'A.example:993' }] }],
    ['an endpoint twice', { orders: [order, order] }],
    ['no entry', { orders: [{ ...order, entries: [] }] }],
    ['a field nobody knows', { orders: [{ ...order, force: true }] }],
    [
      'a digest of another length',
      {
        orders: [
          {
            ...order,
            entries: [
              { kind: 'expectation', of: 'key', algorithm: 'sha256', digest: 'ab'.repeat(20), until: null },
            ],
          },
        ],
      },
    ],
    [
      'a record beside a key',
      { orders: [{ ...order, entries: [pin, { kind: 'record', record: emptyRecord(endpoint) }] }] },
    ],
    [
      'a record of another endpoint',
      { orders: [{ ...order, entries: [{ kind: 'record', record: emptyRecord('b.example:993') }] }] },
    ],
    ['nothing', {}],
  ])('%s is refused and nothing is stored', async (_, part) => {
    const operator = await operatorOn(openMemoryStore());
    expect(
      await post(operator, {
        orders: [order],
        apply: true,
        ...part,
        ...(Object.keys(part).length === 0 ? { apply: 1 } : {}),
      }),
    ).toMatchObject({
      status: 400,
      body: { error: { code: 'usage' } },
    });
    expect(await operator.pins()).toEqual([]);
  });
});

describe('a backup', () => {
  it('has the rejections that only the seal still knows, and names what is damaged', async () => {
    const sound = openMemoryStore();
    const operator = await operatorOn(sound);
    await operator.command({ command: 'add', endpoint, pin: key(1), forMs: null, unreject: false });
    const sealed = { rejected: new Set([key(2)]), until: new Map<string, number>() };
    const store: PinStore = {
      ...bound(sound),
      sealed: () => sealed,
      async *load() {
        for await (const stored of sound.load()) yield stored;
        yield { endpoint: 'b.example:993', revision: 1, record: null, verified: false };
      },
    };
    const { records, damaged } = await (await operatorOn(store)).backup();
    expect(damaged).toEqual(['b.example:993']);
    expect(records).toMatchObject([
      { endpoint, pins: [{ spki: key(1) }], rejected: [{ spki: key(2) }] },
      { endpoint: 'b.example:993', basis: 'none', pins: [], rejected: [{ spki: key(2) }] },
    ]);
  });
});
