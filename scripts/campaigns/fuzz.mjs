// Everything that reads what somebody else wrote is given what nobody would write: see fuzz/targets.mjs for what that is,
// and fuzz/engine/ for how. Each target has rules that hold for any input (never two readings of one transcript, never a
// pin that was not there, never a character that acts on a terminal) and is given known inputs, values of fast-check, and
// mutants that V8's own block coverage leads to where nobody was. Values of one seed are the same in every run; how many
// of them a run gets to is a matter of the machine.

import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { runAll } from './fuzz/engine/processes.mjs';
import { seedFor } from './fuzz/engine/random.mjs';
import { planted } from './fuzz/planted.mjs';
import { targets } from './fuzz/targets.mjs';

const only = process.env.LETTERLOCK_FUZZ_TARGETS?.split(',') ?? null;
/** A folder where inputs that reached something new are left. */
const keep = process.env.LETTERLOCK_FUZZ_KEEP ?? null;

async function run({ build, seconds, seed, folder, signal, say }) {
  const chosen = targets.filter(({ name }) => only === null || only.includes(name));
  const atOnce = Math.min(availableParallelism(), 4, chosen.length);
  if (keep !== null) mkdirSync(keep, { recursive: true });
  const orders = chosen.map(({ name }) => ({ name, build, seed: seedFor(name, seed), keep }));
  const outcomes = new Map();
  const began = performance.now();
  await runAll(orders, {
    folder,
    seconds,
    atOnce,
    signal,
    done: (name, outcome) => {
      outcomes.set(name, outcome);
      say(`${name}: ${outcome.executions} executions, ${outcome.blocks} blocks, ${outcome.fresh} new`);
    },
  });
  return summary(outcomes, { seed, took: (performance.now() - began) / 1000 });
}

function summary(outcomes, { seed, took }) {
  const all = [...outcomes.values()];
  const sum = (field) => all.reduce((total, outcome) => total + outcome[field], 0);
  const slowest = [...outcomes].toSorted(([, one], [, other]) => other.slowest.ms - one.slowest.ms)[0];
  const findings = [...outcomes].flatMap(([name, { findings: found }]) =>
    found.map(
      ({ what, at, input }) =>
        `${name}: ${what}${at === null ? '' : ` (${at})`}; input ${input}; seed ${seed}`,
    ),
  );
  return {
    figures: [
      ['targets', all.length],
      ['known inputs', sum('known')],
      ['executions', sum('executions')],
      ['a second', Math.round(sum('executions') / Math.max(1, took))],
      ['blocks', sum('blocks')],
      ['new blocks', sum('fresh')],
      ['slowest', slowest === undefined ? 'none' : `${slowest[0]} ${Math.round(slowest[1].slowest.ms)} ms`],
    ],
    findings,
  };
}

export const campaign = {
  name: 'fuzz',
  title: 'whatever reads foreign bytes, with bytes nobody would send',
  short: 12,
  proof: 25,
  long: 1800,
  planted,
  run,
};
