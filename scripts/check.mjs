// `npm run check`: format, types, lint, dead code and the house rules, side by side. Prints every problem as
// `file:line: problem` under the name of the check that found it; exits 1 when any check found one.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = (name) => join(root, 'node_modules/.bin', name);

const checks = [
  {
    name: 'format',
    command: [tool('prettier'), '--list-different', '.'],
    tidy: (line) => `${line}:1: not formatted (npm run format)`,
  },
  {
    name: 'types',
    command: [tool('tsc'), '--noEmit', '--pretty', 'false'],
    tidy: (line) => line.replace(/^(\S+)\((\d+),(\d+)\)/, '$1:$2:$3'),
  },
  {
    name: 'types of the page',
    command: [tool('tsc'), '--noEmit', '--pretty', 'false', '-p', 'src/admin/dashboard'],
    tidy: (line) => line.replace(/^(\S+)\((\d+),(\d+)\)/, '$1:$2:$3'),
  },
  {
    name: 'lint',
    command: [tool('oxlint'), '--type-aware', '--deny-warnings', '--format=unix'],
    tidy: lintLine,
  },
  {
    name: 'dead code',
    command: [tool('knip'), '--no-progress', '--reporter', 'compact'],
    tidy: (line) => line,
  },
  { name: 'rules', command: [process.execPath, join(root, 'scripts/rules.mjs')], tidy: (line) => line },
];

/** oxlint ends its list with a count of problems, which says nothing when there are none. */
function lintLine(line) {
  return /^0 problems$/.test(line) ? '' : line;
}

function outcome({ name, command, tidy }) {
  const chunks = [];
  const [file, ...args] = command;
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ name, failed: true, lines: [error.message] }));
    child.on('close', (code) => {
      const lines = Buffer.concat(chunks).toString('utf8').split('\n');
      resolve({ name, failed: code !== 0, lines: lines.filter((line) => line.trim() !== '').map(tidy) });
    });
  });
}

const outcomes = await Promise.all(checks.map(outcome));
for (const { name, failed, lines } of outcomes) {
  console.log(`${failed ? 'FAILED' : 'ok    '}  ${name}`);
  if (failed) for (const line of lines) if (line !== '') console.log(`  ${line}`);
}
process.exitCode = outcomes.some(({ failed }) => failed) ? 1 : 0;
