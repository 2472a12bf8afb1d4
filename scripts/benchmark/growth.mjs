// The growth part of the benchmark: time, CPU, memory and the longest hold of the event loop over pins, routes,
// candidates, audit entries, imports and idle connections, of the daemon as built. Prints Markdown.
// Usage: node scripts/benchmark/growth.mjs [--quick] [--only pins,routes,…] [--sizes 1,1000]
//   [--json FILE] [--dist DIR]

import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { auditCurve } from './growth-audit.mjs';
import { candidatesCurve } from './growth-candidates.mjs';
import { connectionsCurve } from './growth-connections.mjs';
import { importCurve } from './growth-import.mjs';
import { pinsCurve } from './growth-pins.mjs';
import { routesCurve } from './growth-routes.mjs';

const curves = {
  pins: pinsCurve,
  barepins: (how) => pinsCurve({ ...how, bare: true }),
  routes: routesCurve,
  candidates: candidatesCurve,
  audit: auditCurve,
  import: importCurve,
  connections: connectionsCurve,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(curves).join(',') },
    sizes: { type: 'string' },
    json: { type: 'string' },
    dist: { type: 'string', default: join(dirname(fileURLToPath(import.meta.url)), '../../dist') },
  },
});

const wanted = values.only.split(',');
const unknown = wanted.filter((name) => !Object.hasOwn(curves, name));
if (unknown.length > 0) {
  process.stderr.write(`no such curve: ${unknown.join(', ')}; there are ${Object.keys(curves).join(', ')}\n`);
  process.exit(2);
}

const machine = {
  node: process.version,
  cpus: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 1024 ** 3),
};
const results = [];
for (const name of wanted) {
  const table = await curves[name]({
    dist: resolve(values.dist),
    quick: values.quick,
    given: values.sizes?.split(',').map(Number) ?? null,
    say: (text) => process.stderr.write(`${text}\n`),
  });
  results.push({ name, ...table });
  process.stdout.write(`${markdown(table)}\n`);
}
process.stdout.write(`Node ${machine.node}, ${machine.cpus} x ${machine.model}, ${machine.memoryGiB} GiB\n`);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ machine, results }, null, 2));

function markdown({ title, header, rows }) {
  return ['', `## ${title}`, '', line(header), line(header.map(() => '---')), ...rows.map(line), ''].join(
    '\n',
  );
}

function line(cells) {
  return `| ${cells.join(' | ')} |`;
}
