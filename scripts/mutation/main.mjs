// scripts/mutants: breaks the sources that decide (src/trust, src/mail) one place at a time, and runs the tests that import them until
// one fails. A mutant that no test notices is told of, unless accepted.json says why it changes no verdict.
//   --quick        not the tests that take half a minute (models, fuzzing): a survivor may be one they would notice
//   --part N/M     each Mth mutant, from the Nth on
//   --json FILE    what survived
//   --verbose      what noticed each
// Exit code: 0 none survived, 1 some did or an accepted one is no more.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { transformSync } from 'esbuild';
import { mutants } from './operators.mjs';
import { Runner } from './runner.mjs';
import { testsOf } from './tests.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** `{"FILE: LINE OF CODE [BEFORE -> AFTER]": "why it changes no verdict"}`; the second of one name ends in ` (2)`. */
const accepted = JSON.parse(readFileSync(join(root, 'scripts/mutation/accepted.json'), 'utf8'));

/** Null where it does not compile. */
function compiled(text) {
  try {
    return transformSync(text, { loader: 'ts', target: 'node20' }).code;
  } catch {
    return null;
  }
}

const named = (file, text, { line, before, after }) =>
  `${file}: ${text.split('\n')[line - 1].trim()} [${before.trim()} -> ${after.trim()}]`;

/** Those that compile, and to something else. */
function mutantsOf(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const whole = compiled(text);
  const real = mutants(text).filter(({ mutated }) => ![null, whole].includes(compiled(mutated)));
  const names = new Map();
  return real.map((mutant) => {
    const name = named(file, text, mutant);
    const times = (names.get(name) ?? 0) + 1;
    names.set(name, times);
    return { ...mutant, name: times === 1 ? name : `${name} (${times})` };
  });
}

/** Those that are through first stand first. Throws where one fails before anything is broken. */
async function byTime(runner, { file, text, tests }) {
  const timed = [];
  for (const test of tests) {
    const began = Date.now();
    const failed = await runner.failing({ file, text, tests: [test] }, 600_000);
    if (failed !== null)
      throw new Error(
        `before anything is broken in ${file}, fails ${failed.test}: ${failed.name}: ${failed.cause}`,
      );
    timed.push({ test, ms: Date.now() - began });
  }
  return timed.toSorted((one, other) => one.ms - other.ms).map(({ test }) => test);
}

/** What noticed the last ones is asked first. */
function noticed(order, file) {
  const at = order.indexOf(file);
  if (at > 0) order.unshift(...order.splice(at, 1));
}

async function breakFile(runner, file, { part, slow }) {
  const text = readFileSync(join(root, file), 'utf8');
  const of = testsOf(root, file);
  const began = Date.now();
  const order = await byTime(runner, { file, text, tests: slow ? [...of.quick, ...of.slow] : of.quick });
  if (order.length === 0) throw new Error(`${file}: no test imports it`);
  // A broken loop shows by its time: many times what all tests take together.
  const limit = 10_000 + 4 * (Date.now() - began);
  const mine = mutantsOf(file).filter((_, index) => index % part.of === part.is);
  const survivors = [];
  let known = 0;
  for (const { name, line, mutated } of mine) {
    if (Object.hasOwn(accepted, name)) {
      known += 1;
      continue;
    }
    const found = await runner.failing({ file, text: mutated, tests: order }, limit);
    if (found !== null) noticed(order, found.test);
    if (values.verbose)
      console.log(
        `  line ${line}: ${name}: ${found === null ? 'survived' : `${found.test}: ${found.name}: ${found.cause}`}`,
      );
    if (found === null) {
      survivors.push({ file, line, name });
      console.log(`  survived, line ${line}: ${name}`);
    }
  }
  console.log(
    `${file}: ${mine.length} mutants, ${mine.length - known - survivors.length} found, ${known} accepted, ${survivors.length} survived, ${Math.round((Date.now() - began) / 1000)} s`,
  );
  return { file, mutants: mine.length, accepted: known, survivors };
}

const decisive = () =>
  ['src/trust', 'src/mail'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .toSorted()
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  );

/** What is accepted and is no mutant any more. */
const stale = (files) => {
  const names = new Set(files.flatMap((file) => mutantsOf(file).map(({ name }) => name)));
  return Object.keys(accepted).filter((name) => files.includes(name.split(':')[0]) && !names.has(name));
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    part: { type: 'string', default: '0/1' },
    json: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const [is, of] = values.part.split('/').map(Number);
const files = positionals.length > 0 ? positionals : decisive();
const old = stale(files);
for (const name of old) console.log(`accepted.json: no such mutant (any more): ${name}`);
const runner = new Runner();
const results = [];
try {
  for (const file of files)
    results.push(await breakFile(runner, file, { part: { is, of }, slow: !values.quick }));
} finally {
  await runner.close();
}
const sum = (count) => results.reduce((total, result) => total + count(result), 0);
const survived = sum(({ survivors }) => survivors.length);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
console.log(
  `${sum(({ mutants: count }) => count)} mutants, ${sum(({ accepted: count }) => count)} accepted, ${survived} survived`,
);
process.exitCode = survived === 0 && old.length === 0 ? 0 : 1;
