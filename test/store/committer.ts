// A process that commits to a store without end and prints, one JSON line each, what was acknowledged. It
// is there to be killed. Run with the state directory and a prefix for its endpoints.

import { writeSync } from 'node:fs';
import { openLevelStore } from '../../src/store/level.ts';
import { emptyRecord } from '../../src/trust/record.ts';
import type { PinStore } from '../../src/store/pin-store.ts';

export interface Acknowledged {
  readonly endpoint: string;
  readonly revision: number;
  readonly detail: string;
}

const tell = (line: unknown): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};

async function write(store: PinStore, endpoint: string, rounds: number): Promise<void> {
  for (let revision = 0; revision < rounds; revision += 1) {
    const detail = `${endpoint} ${revision + 1}`;
    const record = {
      ...emptyRecord(endpoint),
      epoch: revision + 1,
      rejected: [{ spki: `sha256//${detail}`, at: 1 }],
    };
    const audit = [{ at: 1, endpoint, event: 'rejected', origin: 'cli', spki: null, detail }] as const;
    const answer = await store.commit([{ endpoint, expected: revision, record, audit }]);
    if (!answer.committed) throw new Error(`conflict on ${endpoint}`);
    tell({ endpoint, revision: revision + 1, detail } satisfies Acknowledged);
  }
}

const [directory = '', prefix = ''] = process.argv.slice(2);
const store = await openLevelStore({ directory, create: true, now: () => 1 });
tell({ open: process.pid, state: store.health().state });
for (let round = 0; ; round += 1) {
  await Promise.all([1, 2, 3, 4].map((lane) => write(store, `${prefix}-${round}-${lane}.example:993`, 5)));
}
