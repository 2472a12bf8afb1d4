// Faults: letterlock as it is built is killed, starved, stalled, given broken disks, clocks, names and servers, and its
// files are damaged; one kind of fault a file in faults/. Whatever happens, it must either serve as before or refuse: a key
// that is not trusted never hears a client, what was promised is kept, and nothing is trusted that is not recorded.

import { clock } from './faults/clock.mjs';
import { Chance } from './faults/chance.mjs';
import { damage } from './faults/damage.mjs';
import { descriptors } from './faults/descriptors.mjs';
import { disk } from './faults/disk.mjs';
import { kill } from './faults/kill.mjs';
import { names } from './faults/names.mjs';
import { compileShim } from './faults/shim.mjs';
import { signals } from './faults/signals.mjs';
import { stalls } from './faults/stalls.mjs';
import { upstreams } from './faults/upstreams.mjs';

/** What goes on at once, and of each the kinds one after the other with their parts of the time. */
const lanes = [
  [
    [kill, 0.5],
    [disk, 0.5],
  ],
  [
    [damage, 0.6],
    [upstreams, 0.4],
  ],
  [
    [signals, 0.2],
    [stalls, 0.25],
    [names, 0.2],
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
  const one = async ([kind, part]) => {
    const own = { build, seconds: seconds * part, chance: chance.part(kind.name), folder, signal, say, shim };
    const came = await kind.run(own);
    return came;
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
  short: 40,
  long: 3600,
  planted: [],
  run,
};
