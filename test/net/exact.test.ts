import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carriage, clear, file, inStride, secured } from './exact-carriage.ts';
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
  // Streams give no memory back: what is about that alone is left out.
  const many = reading === 'streams' ? crowd.filter(({ ofMemory }) => ofMemory !== true) : crowd;
  for (const { name, run, unpoisoned = false } of [...carriage, ...ends, ...many]) {
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

it.each([
  { reading: 'own-buffers', way: 'up' },
  { reading: 'own-buffers', way: 'down' },
  { reading: 'streams', way: 'up' },
  { reading: 'streams', way: 'down' },
] as const)('what goes $way is read by $reading, as the check takes it to be', async ({ reading, way }) => {
  for (const shape of [clear, secured, file]) {
    const rig = new Rig({ stage, reading });
    try {
      const passage = await inStride(rig, shape);
      const before = rig.taken;
      await passage[way].carry(10, { sizes: [1], apart: true });
      expect(rig.taken > before).toBe(reading === 'own-buffers');
    } finally {
      rig.close();
    }
  }
});

it.each(['up', 'down'] as const)('much that goes %s at once is read by own buffers soon', async (way) => {
  for (const shape of [clear, secured, file]) {
    const rig = new Rig({ stage, reading: 'own-buffers' });
    try {
      const passage = await rig.relayed(shape);
      await passage[way].carry(4_000_000, { sizes: [65_536] });
      expect(rig.taken, `${shape.client} and ${shape.upstream}`).toBeGreaterThan(0);
    } finally {
      rig.close();
    }
  }
});

it.each(['up', 'down'] as const)(
  'little that goes %s after much is gathered no longer, until much comes again',
  async (way) => {
    for (const shape of [clear, secured, file]) {
      const rig = new Rig({ stage, reading: 'own-buffers' });
      try {
        const passage = await inStride(rig, shape);
        const takenBy = async (bytes: number, size: number): Promise<number> => {
          const before = rig.taken;
          await passage[way].carry(bytes, { sizes: [size], apart: true });
          return rig.taken - before;
        };
        await expect.poll(() => takenBy(20, 1)).toBe(0);
        await takenBy(100_000, 10_000);
        expect(await takenBy(20_000, 10_000)).toBeGreaterThan(0);
      } finally {
        rig.close();
      }
    }
  },
);
