// Faults: letterlock as it is built is killed, starved, stalled, given broken disks, clocks, names and servers, and its
// files are damaged; one kind of fault a file in faults/. Whatever happens, it must either serve as before or refuse: a key
// that is not trusted never hears a client, what was promised is kept, and nothing is trusted that is not recorded.

import { clock } from './faults/clock.mjs';
import { Chance } from './faults/chance.mjs';
import { damage } from './faults/damage.mjs';
import { descriptors } from './faults/descriptors.mjs';
import { disk } from './faults/disk.mjs';
import { kill } from './faults/kill.mjs';
import { mounts } from './faults/mounts.mjs';
import { names } from './faults/names.mjs';
import { compileShim } from './faults/shim.mjs';
import { signals } from './faults/signals.mjs';
import { stalls } from './faults/stalls.mjs';
import { upstreams } from './faults/upstreams.mjs';

/** What goes on at once, and of each the kinds one after the other with their parts of the time. */
const lanes = [
  [
    [kill, 0.55],
    [disk, 0.45],
  ],
  [
    [damage, 0.6],
    [upstreams, 0.25],
    [mounts, 0.15],
  ],
  [
    [signals, 0.2],
    [stalls, 0.2],
    [names, 0.25],
    [clock, 0.2],
    [descriptors, 0.15],
  ],
];

async function run({ build, seconds, seed, folder, signal, say }) {
  const chance = new Chance(seed);
  const shim = await compileShim(folder);
  const figures = [];
  const findings = [];
  if (shim.object === null) {
    figures.push(['without faulty steps', shim.missing]);
    if (process.env.CI) findings.push(`steps cannot be made to fail: ${shim.missing}`);
  }
  const one = ([kind, part]) => {
    const own = { build, seconds: seconds * part, chance: chance.part(kind.name), folder, signal, say, shim };
    return kind.run(own).catch((error) => ({
      figures: [],
      findings: [`${kind.name}: the campaign itself broke: ${error.stack}`],
    }));
  };
  const all = await Promise.all(
    lanes.map(async (lane) => {
      const came = [];
      for (const step of lane) if (!signal.aborted) came.push(await one(step));
      return came;
    }),
  );
  for (const came of all.flat()) {
    figures.push(...came.figures);
    findings.push(...came.findings);
  }
  return { figures, findings };
}

export const campaign = {
  name: 'faults',
  title: 'kills, broken disks, damaged files, clocks, names, servers, signals',
  short: 30,
  proof: 40,
  long: 3600,
  planted: [
    {
      name: 'writes the audit entry in a batch of its own, after the change',
      says: /^kill/,
      file: 'src/store/writer.ts',
      find: 'await this.#facts.io.writeBatch(database, [...plan.operations, ...operations]);',
      replace: `const isEntry = ({ key }: { readonly key: string }): boolean => key.startsWith('audit!');
      await this.#facts.io.writeBatch(
        database,
        [...plan.operations, ...operations].filter((one) => !isEntry(one)),
      );
      await this.#facts.io.writeBatch(database, plan.operations.filter(isEntry));`,
    },
    {
      name: 'does not compare the generation of the seal',
      says: /^damage(?!.*the process ended)/,
      file: 'src/store/appraise.ts',
      find: "return { state: 'rolled-back', findings: [drift(head.generation, seal.generation)] };",
      replace:
        "return drift(1, 2) === '' ? { state: 'rolled-back', findings } : { state: 'good', findings };",
    },
    {
      name: 'takes a seal that cannot be read for one that was never written',
      says: /^damage(?!.*the process ended)/,
      file: 'src/store/appraise.ts',
      find: 'return [`the seal cannot be read: ${reading.detail}`];',
      replace: 'return [];',
    },
    {
      name: 'says yes before the seal is on the disk',
      says: /^disk/,
      file: 'src/store/seal-file.ts',
      find: '    this.#end = await writeSeal(paths, seal, io);',
      replace: '    this.#end = await writeSeal(paths, seal, io).catch(() => null);',
    },
    {
      name: 'does not announce what an earlier life left unannounced',
      says: /^kill/,
      file: 'src/daemon/facts.ts',
      find: "on({ type: 'pin-changed', endpoint, event, origin, spki, detail });",
      replace: "if (detail === '') on({ type: 'pin-changed', endpoint, event, origin, spki, detail });",
    },
    {
      name: 'goes on after a failed write as if nothing had been',
      says: /^disk/,
      file: 'src/store/level-store.ts',
      find: '      for (const { reject } of commits) reject(failure);',
      replace: `      for (const { changes, resolve } of commits)
        resolve({ committed: true, revisions: new Map(changes.map((one) => [one.endpoint, one.expected + 1])) });
      if (commits.length === 0) throw failure;`,
    },
    {
      name: 'resets everybody at a SIGTERM',
      says: /^signals/,
      file: 'src/proxy/proxy.ts',
      find: 'await this.#sessions.emptiedWithin(ms);',
      replace: 'await this.#sessions.emptiedWithin(ms > 0 ? 1 : ms);',
    },
  ],
  run,
};
