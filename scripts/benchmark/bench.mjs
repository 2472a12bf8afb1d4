// scripts/bench, once everything is installed and built. Exits 1 when it could not measure, 2 for words it does not
// know; slowness is told of, and is no failure.

import { readFileSync, writeFileSync } from 'node:fs';
import { chosen, readOptions, usage } from './options.mjs';
import { report } from './report.mjs';
import { measure } from './run.mjs';
import { workloads } from './workloads.mjs';

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

const asked = options();
if (asked.help) console.log(usage);
else if (asked.list) for (const { id, title } of workloads) console.log(`${id.padEnd(24)} ${title}`);
else {
  const outcome = asked.show === null ? await measure(asked) : JSON.parse(readFileSync(asked.show, 'utf8'));
  if (asked.json !== null) writeFileSync(asked.json, `${JSON.stringify(outcome, null, 1)}\n`);
  report(outcome);
}
