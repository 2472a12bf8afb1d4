// One run: opens the world, lets the entrants do the workloads, closes the world whatever happens.

import { checkRecords } from './check-records.mjs';
import { entrantsOf, runtimesOf } from './entrants.mjs';
import { machineOf } from './machine.mjs';
import { measureCpu } from './measure-cpu.mjs';
import { measureGreeting } from './measure-greeting.mjs';
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

/** Calls `soFar` with what there is after each workload: an interrupted hour is not lost. */
export async function measure(options, soFar) {
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
    for (const { amount } of options.workloads)
      if (amount.record !== undefined) await checkRecords(world, amount.record);
    const machine = machineOf({ entrants, runtimes, pinned, precision: world.clock.precision });
    const began = performance.now();
    const outcome = (partial) => ({
      mode: options.mode,
      at: new Date().toISOString(),
      seconds: Math.round((performance.now() - began) / 1000),
      machine,
      runtimes: runtimes.map(({ major }) => major),
      results: results.all,
      troubles: results.troubles,
      partial,
    });
    const results = new Results(() => soFar(outcome(true)));
    for (const kind of ['cpu', 'latency', 'memory', 'start', 'greeting'])
      await rounds[kind](world, { options, entrants, pinning, results, kind });
    return outcome(options.only.length > 0 || options.without.length > 0 || options.against !== null);
  } finally {
    world.close();
  }
}

const rounds = { cpu: together, latency: together, memory: alone, start: alone, greeting: alone };
const measures = {
  cpu: measureCpu,
  latency: measureLatency,
  memory: measureMemory,
  start: measureStart,
  greeting: measureGreeting,
};

/** All run at once, and are asked in turn. */
async function together(world, { options, entrants, results, kind }) {
  const asked = options.workloads.filter((workload) => workload.kind === kind);
  if (asked.length === 0) return;
  const running = [];
  try {
    const wanted = entrants.filter((entrant) => asked.some((workload) => takesPart(entrant, workload)));
    for (const entrant of wanted) {
      const started = world.start(entrant).catch((error) => results.trouble({ title: entrant.name }, error));
      running.push(...[await started].filter(Boolean));
    }
    for (const workload of asked) {
      const able = running.filter(({ entrant }) => takesPart(entrant, workload));
      await attempt(world, { workload, running: able, options, results });
    }
  } finally {
    await Promise.all(running.map((one) => one.end()));
  }
}

/** Each is started for it, and ended after. */
async function alone(world, { options, entrants, pinning, results, kind }) {
  for (const workload of options.workloads.filter((one) => one.kind === kind)) {
    if (kind === 'start' || kind === 'greeting') pinning.unpin();
    const able = entrants.filter((entrant) => takesPart(entrant, workload));
    await attempt(world, { workload, entrants: able, options, results });
  }
}

function takesPart(entrant, { perPolicy = false, noForks = false, leg }) {
  if (entrant.sessionsOnly && !perPolicy) return false;
  return entrant.legs.includes(leg) && !(noForks && entrant.forks);
}

/** One workload that breaks is told of at the end; the others go on. */
async function attempt(world, { workload, options, results, ...who }) {
  console.error(`== ${workload.title}`);
  try {
    await measures[workload.kind](world, {
      ...who,
      workload,
      amount: workload.amount,
      reps: options.reps ?? reps[options.mode][workload.kind],
      told: results.listener(workload),
    });
  } catch (error) {
    results.trouble(workload, error);
  }
  results.changed();
}
