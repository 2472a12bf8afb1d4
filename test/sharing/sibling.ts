// A process that shares the pins of a state directory, and does what it is told, one JSON line each: it is there
// to race, to be killed and to end by itself. Run with the state directory and a name.

import { createInterface } from 'node:readline';
import { writeSync } from 'node:fs';
import { openSharedStore } from '../../src/sharing/shared-store.ts';
import { emptyRecord, type EndpointRecord } from '../../src/trust/record.ts';

export type Order =
  /** First use of an endpoint by `count` sessions at once, every other one with another key. */
  | {
      readonly do: 'first-uses';
      readonly endpoint: string;
      readonly keys: readonly string[];
      readonly count: number;
    }
  | { readonly do: 'write'; readonly endpoint: string; readonly expected: number; readonly key: string }
  | { readonly do: 'load' }
  | { readonly do: 'look' }
  | { readonly do: 'settle' };

export type Told =
  | { readonly told: 'open'; readonly role: string; readonly secret: string }
  | { readonly told: 'failed'; readonly code: string; readonly message: string }
  | { readonly told: 'committed'; readonly keys: readonly string[]; readonly revision: number }
  | { readonly told: 'conflict'; readonly keys: readonly string[]; readonly revision: number }
  | { readonly told: 'loaded'; readonly keys: Readonly<Record<string, readonly string[]>> }
  | { readonly told: 'look'; readonly role: string; readonly state: string; readonly detail: string | null };

const tell = (told: Told | readonly Told[]): void => {
  writeSync(1, `${JSON.stringify(told)}\n`);
};

const recordOf = (endpoint: string, key: string): EndpointRecord => ({
  ...emptyRecord(endpoint),
  epoch: 1,
  basis: 'pinned',
  pins: [
    {
      spki: key,
      kind: 'leaf',
      origin: 'first-use',
      firstSeen: 1,
      lastSeen: null,
      until: null,
      endedAt: null,
      evidence: null,
    },
  ],
});

const failed = (error: unknown): Told => ({
  told: 'failed',
  code: error instanceof Error && 'code' in error ? String(error.code) : 'unknown',
  message: error instanceof Error ? error.message : String(error),
});

const [state = '', word = ''] = process.argv.slice(2);
const store = await openSharedStore({ state, now: () => 1, env: {} }).catch((error: unknown) => {
  tell(failed(error));
  process.exit(6);
});
tell({ told: 'open', role: store.role, secret: Buffer.from(store.secret).toString('hex') });

async function write(endpoint: string, key: string, expected: number): Promise<Told> {
  try {
    const record = recordOf(endpoint, key);
    const answer = await store.commit([{ endpoint, expected, record, audit: [] }]);
    if (answer.committed)
      return { told: 'committed', keys: [key], revision: answer.revisions.get(endpoint) ?? 0 };
    const [now] = answer.current;
    const keys = (now?.record?.pins ?? []).map(({ spki }) => spki);
    return { told: 'conflict', keys, revision: now?.revision ?? 0 };
  } catch (error) {
    return failed(error);
  }
}

async function loaded(): Promise<Told> {
  try {
    const keys: Record<string, readonly string[]> = {};
    for await (const { endpoint, record } of store.load())
      keys[endpoint] = (record?.pins ?? []).map(({ spki }) => spki);
    return { told: 'loaded', keys };
  } catch (error) {
    return failed(error);
  }
}

function look(): Told {
  const { state: health, detail } = store.health();
  return { told: 'look', role: store.role, state: health, detail };
}

async function carryOut(order: Order): Promise<Told | readonly Told[]> {
  switch (order.do) {
    case 'first-uses': {
      const { endpoint, keys, count } = order;
      const wanted = Array.from({ length: count }, (_, index) => keys[index % keys.length] ?? '');
      return Promise.all(wanted.map((key) => write(endpoint, key, 0)));
    }
    case 'write':
      return write(order.endpoint, order.key, order.expected);
    case 'load':
      return loaded();
    case 'look':
      return look();
    case 'settle':
      await store.usable();
      return look();
  }
}

// `idle`: it has nothing to do. `unclosed`: it does what it is told, and forgets to close. Both have to end.
if (word !== 'idle') {
  for await (const line of createInterface({ input: process.stdin })) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    tell(await carryOut(JSON.parse(line) as Order));
  }
  if (word !== 'unclosed') await store.close();
}
