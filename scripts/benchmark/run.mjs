// One run: opens the world, lets the entrants do the workloads, closes the world whatever happens.

import { entrantsOf, runtimesOf } from './entrants.mjs';
import { machineOf } from './machine.mjs';
import { measureCpu } from './measure-cpu.mjs';
import { measureLatency } from './measure-latency.mjs';
import { measureMemory } from './measure-memory.mjs';
import { measureStart } from './measure-start.mjs';
import { Pinning } from './pinning.mjs';
import { Results } from './results.mjs';
import { World } from './world.mjs';

const reps = {
  quick: { cpu: 3, latency: 3, memory: 1 },
  full: { cpu: 7, latency: 5, memory: 3 },
};

export async function measure(options) {
  const world = new World();
  const interrupted = () => {
    world.close();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const runtimes = runtimesOf(options, world.folder);
    const entrants = entrantsOf(options, runtimes);
    const pinning = new Pinning();
    const pinned = !options.unpinned && pinning.pin();
    await world.open();
    const results = new Results();
    const began = performance.now();
    for (const kind of ['cpu', 'latency', 'memory', 'start'])
      await rounds[kind](world, { options, entrants, pinning, results, kind });
    return {
      mode: options.mode,
      at: new Date().toISOString(),
      seconds: Math.round((performance.now() - began) / 1000),
      machine: machineOf({ entrants, runtimes, pinned, precision: world.clock.precision }),
      runtimes: runtimes.map(({ major }) => major),
      results: results.all,
    };
  } finally {
    world.close();
  }
}

const rounds = { cpu: together, latency: together, memory: alone, start: alone };
const measures = { cpu: measureCpu, latency: measureLatency, memory: measureMemory, start: measureStart };

/** All run at once, and are asked in turn. */
async function together(world, { options, entrants, results, kind }) {
  const asked = options.workloads.filter((workload) => workload.kind === kind);
  if (asked.length === 0) return;
  const running = [];
  try {
    for (const entrant of entrants) running.push(await world.start(entrant));
    for (const workload of asked) {
      progress(workload.title);
      await measures[kind](world, {
        workload,
        running: running.filter(({ entrant }) => takesPart(entrant, workload)),
        amount: workload.amount,
        reps: options.reps ?? reps[options.mode][kind],
        told: results.listener(workload),
      });
    }
  } finally {
    await Promise.all(running.map((one) => one.end()));
  }
}

/** Each is started for it, and ended after. */
async function alone(world, { options, entrants, pinning, results, kind }) {
  for (const workload of options.workloads.filter((one) => one.kind === kind)) {
    progress(workload.title);
    if (kind === 'start') pinning.unpin();
    await measures[kind](world, {
      workload,
      entrants: entrants.filter((entrant) => takesPart(entrant, workload)),
      amount: workload.amount,
      reps: options.reps ?? reps[options.mode][kind],
      told: results.listener(workload),
    });
  }
}

function takesPart(entrant, { perPolicy = false, noForks = false, leg }) {
  if (entrant.sessionsOnly && !perPolicy) return false;
  return entrant.legs.includes(leg) && !(noForks && entrant.forks);
}

function progress(title) {
  console.error(`== ${title}`);
}
