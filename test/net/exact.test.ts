import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { carriage } from './exact-carriage.ts';
import { crowd } from './exact-crowd.ts';
import { ends } from './exact-ends.ts';
import { Rig } from './exact-rig.ts';
import { stageIn, type Stage } from './exact-scene.ts';

const folder = mkdtempSync(join(tmpdir(), 'exact-'));
let stage: Stage;
beforeAll(async () => {
  stage = await stageIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['own-buffers', 'streams'] as const)('a relay that reads by its %s', (reading) => {
  for (const { name, run, unpoisoned = false } of [...carriage, ...ends, ...crowd]) {
    it(name, async () => {
      const rig = new Rig({ stage, reading, poisons: !unpoisoned });
      try {
        await run(rig);
      } finally {
        rig.close();
      }
    });
  }
});
