// Growth over one import: `letterlock pins import` of a list of keys, without a daemon, into a new store.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, temporaryFolder } from './growth-world.mjs';
import { endpointOf, freshKey } from './growth-records.mjs';

const sizes = { quick: [100, 1000], full: [100, 1000, 5000, 20_000, 100_000] };
const longestMs = 300_000;

export async function importCurve({ dist, quick, given, say }) {
  const rows = [];
  for (const count of given ?? (quick ? sizes.quick : sizes.full)) {
    const folder = temporaryFolder();
    const file = join(folder, 'pins.txt');
    const lines = Array.from({ length: count }, (_, index) => `${endpointOf(index)} ${freshKey()}`);
    writeFileSync(file, `${lines.join('\n')}\n`);
    const done = await runCommand(dist, ['pins', 'import', file, '--state', join(folder, 'state'), '--json']);
    rows.push({ count, ...done });
    say(
      `import ${count}: ${done.ms.toFixed(0)} ms${done.code === 0 ? '' : ` exit ${done.code} ${done.error}`}`,
    );
    if (done.ms > longestMs) break;
  }
  return {
    title: 'One import',
    header: ['pins', 'ms', 'ms per 1 000', 'exit'],
    rows: rows.map(({ count, ms, code }) => [count, ms.toFixed(0), ((ms / count) * 1000).toFixed(0), code]),
    raw: rows,
  };
}
