// scripts/bench, once everything is installed and built. Exits 1 when something could not be measured, 2 for words
// it does not know; slowness is told of, and is no failure.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosen, readOptions, usage } from './options.mjs';
import { comparison, withRun } from './record.mjs';
import { besideRecord, goalsOf, tables, warnings, written } from './report.mjs';
import { measure } from './run.mjs';
import { workloads } from './workloads.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const recorded = join(here, 'recorded.json');
const page = join(here, '../../docs/performance.md');

function options() {
  try {
    const read = readOptions(process.argv.slice(2));
    return { ...read, workloads: chosen(workloads, read) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return process.exit(2);
  }
}

const json = (file) => JSON.parse(readFileSync(file, 'utf8'));
const store = (file, value) => writeFileSync(file, `${JSON.stringify(value)}\n`);

async function run(asked) {
  const noted = (outcome) => {
    if (asked.json !== null) store(asked.json, { ...outcome, goals: goalsOf(outcome) });
  };
  const outcome = asked.show === null ? await measure(asked, noted) : json(asked.show);
  noted(outcome);
  const place = asked.record ?? recorded;
  const record = existsSync(place) ? json(place) : null;
  const rows = comparison(outcome, record);
  console.log(`${tables(outcome)}\n\n${besideRecord(rows)}`);
  for (const warning of warnings(rows)) console.log(warning);
  for (const trouble of outcome.troubles) console.log(`could not measure ${trouble}`);
  if (asked.write) keep(record, outcome);
  process.exitCode = outcome.troubles.length === 0 ? 0 : 1;
}

/** Nothing of a run that left something out, on purpose or not. */
function keep(record, outcome) {
  if (outcome.partial || outcome.troubles.length > 0)
    throw new Error('only a whole run is kept: nothing was written');
  store(recorded, withRun(record, outcome));
  if (outcome.mode === 'full') writeFileSync(page, written(readFileSync(page, 'utf8'), outcome));
}

const asked = options();
if (asked.help) console.log(usage);
else if (asked.list) for (const { id, title } of workloads) console.log(`${id.padEnd(24)} ${title}`);
else await run(asked);
