// scripts/bench without its measuring: what it makes of numbers, and that what it starts ends with it.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

const scripts = join(dirname(dirname(import.meta.dirname)), 'scripts/benchmark');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Samples = Record<string, readonly number[]>;

/** A run that measured these downloads and starts. */
async function run(name: string, samples: { download: Samples; start?: Samples }): Promise<string> {
  const file = join(folder, name);
  const outcome = {
    mode: 'quick',
    at: '2026-01-02T03:04:05.000Z',
    seconds: 60,
    machine: { cpu: 'A processor', cores: 2, kernel: '6.1', pinned: true, precision: '1 ns', programs: [] },
    runtimes: [24],
    troubles: [],
    results: {
      'down-16k': { title: 'download', unit: 's CPU/GB', samples: samples.download },
      'start accept': { title: 'start', unit: 'ms', samples: samples.start ?? {} },
    },
  };
  await writeFile(file, JSON.stringify(name === 'record.json' ? { quick: outcome } : outcome));
  return file;
}

function bench(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(scripts, 'bench.mjs'), ...words], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const ours = 'letterlock (Node 24)';
const started = z.object({ folder: z.string(), pids: z.array(z.number()) });

describe('what the benchmark prints', () => {
  it('is the median of the ratios of each repetition, with their range and whether the goal was met', async () => {
    const file = await run('run.json', {
      // Rep by rep 0.5, 0.9 and 2: of the medians alone it would be 1.8.
      download: { [ours]: [1, 1.8, 8], stunnel: [2, 2, 4], haproxy: [1, 1, 1] },
    });
    const { stdout } = await bench('--show', file, '--record', join(folder, 'none.json'));
    expect(stdout).toContain(
      '| download | **0.900** | 0.500 to 2.00 | x stunnel | <= 1.00 | <= 0.850 | yes |',
    );
    expect(stdout).toContain(
      '| download | **1.80** | 1.00 to 8.00 | x haproxy | <= 1.10 | <= 0.950 | **no** |',
    );
    expect(stdout).toContain(
      '| download | s CPU/GB | 1.80 (1.00-8.00) | 2.00 (2.00-4.00) | 1.00 (1.00-1.00) |',
    );
  });

  it('judges what has a goal of its own by the median', async () => {
    const file = await run('run.json', { download: {}, start: { [ours]: [80, 85, 200] } });
    const { stdout } = await bench('--show', file, '--record', join(folder, 'none.json'));
    expect(stdout).toContain('| start | **85.0** | 80.0 to 200 | ms | <= 90.0 | <= 40.0 | yes |');
  });
});

describe('beside what was recorded', () => {
  const before = { [ours]: [1, 1, 1], stunnel: [1, 1, 1], haproxy: [2, 2, 2] };

  it('warns of more than one and a half times the ratio, and exits 0', async () => {
    const record = await run('record.json', { download: before });
    const file = await run('run.json', { download: { ...before, [ours]: [1.6, 1.6, 1.6] } });
    const { code, stdout } = await bench('--show', file, '--record', record);
    expect(stdout).toMatch(
      /^WARNING: download: letterlock \(Node 24\) costs 1\.60 times stunnel, recorded were 1\.00/m,
    );
    expect(code).toBe(0);
  });

  it('does not warn where all became slower, as on a slower machine, or where one peer alone had a good day', async () => {
    const record = await run('record.json', { download: before });
    const slower = await run('slower.json', { download: { [ours]: [3], stunnel: [3], haproxy: [6] } });
    const goodDay = await run('good-day.json', { download: { ...before, stunnel: [0.5] } });
    for (const file of [slower, goodDay]) {
      const { stdout } = await bench('--show', file, '--record', record);
      expect(stdout).toContain('### Beside what was recorded');
      expect(stdout).not.toContain('WARNING');
    }
  });
});

describe('what the benchmark is told', () => {
  it.each([
    { words: ['--quick', '--full'], says: '--quick or --full, not both' },
    { words: ['--only', 'dwn-16k'], says: 'no workload is called dwn-16k' },
    { words: ['--reps', '0'], says: '--reps takes a whole number from 1' },
    { words: ['--fast'], says: '--fast' },
  ])('$words is answered with what is wrong and the usage', async ({ words, says }) => {
    const { code, stderr } = await bench(...words);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr).toContain('Usage: scripts/bench');
  });
});

describe.runIf(process.platform === 'linux')('what the benchmark starts', () => {
  it('ends with it, what came of that included, and so does its folder', async () => {
    const program = `
      import { World } from ${JSON.stringify(pathToFileURL(join(scripts, 'world.mjs')).href)};
      import { familyOf } from ${JSON.stringify(pathToFileURL(join(scripts, 'children.mjs')).href)};
      const world = new World();
      process.once('SIGTERM', () => { world.close(); process.exit(130); });
      const child = world.children.start('sh', ['-c', 'sleep 300 & sleep 300']);
      while (familyOf(child.pid).length < 3) await new Promise((next) => setTimeout(next, 10));
      console.log(JSON.stringify({ folder: world.folder, pids: familyOf(child.pid) }));
      setInterval(() => undefined, 1000);`;
    const running = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    });
    const [said]: unknown[] = await once(running.stdout, 'data');
    const world = started.parse(JSON.parse(String(said)));
    expect(world.pids.length).toBeGreaterThanOrEqual(3);
    expect(world.pids.every(isAlive)).toBe(true);
    running.kill('SIGTERM');
    await once(running, 'exit');
    await expect.poll(() => world.pids.filter(isAlive)).toEqual([]);
    expect(existsSync(world.folder)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
