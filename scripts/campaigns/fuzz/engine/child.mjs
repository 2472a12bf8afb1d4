// One target in a process of its own: what it may do to a process (memory, endless loops, an abort) it does here alone.
// Told by one message what to do, it tells what came of it by one message, and now and then that it is alive. The input
// that runs is in a file, for whoever finds this process dead.

import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { Coverage } from './coverage.mjs';
import { Fuzzer } from './fuzzer.mjs';
import { Judge } from './judge.mjs';
import { libraryOf } from './library.mjs';
import { bytesOf, knownRows } from './rows.mjs';
import { targets } from '../targets.mjs';

const tellEveryMs = 500;

/** Its length, then itself. */
function inputFile(path) {
  const file = openSync(path, 'w');
  const length = Buffer.alloc(4);
  return {
    now: (bytes) => {
      length.writeUInt32BE(bytes.length);
      writeSync(file, length, 0, 4, 0);
      writeSync(file, bytes, 0, bytes.length, 4);
    },
    close: () => closeSync(file),
  };
}

async function work({ name, build, folder, seconds, seed, keep }) {
  const until = performance.now() + seconds * 1000;
  const target = targets.find((one) => one.name === name);
  const library = libraryOf(build, folder);
  const { seeds = [], ...rest } = await target.prepare(library.from, folder);
  const wanted = new Set(target.files.map(library.urlOf));
  const input = inputFile(join(folder, 'input'));
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  const coverage = new Coverage((url) => wanted.has(url));
  const judge = new Judge({ ...target, ...rest }, { now: input.now, signal: stop.signal });
  const fuzzer = new Fuzzer({ ...target, ...rest }, { judge, coverage, seed });
  let toldAt = 0;
  const told = async () => {
    if (performance.now() - toldAt < tellEveryMs) return;
    toldAt = performance.now();
    process.send({ alive: judge.executions });
    await turn();
  };
  const known = [...knownRows(name), ...seeds.map(bytesOf)];
  await fuzzer.run({ until, known, told });
  coverage.close();
  input.close();
  if (keep !== null)
    writeFileSync(
      join(keep, `${name}.json`),
      JSON.stringify(shortestFirst(fuzzer.corpus.slice(known.length))),
    );
  const findings = judge.findings.map(({ what, at, bytes }) => ({
    what,
    at,
    input: bytes.toString('base64'),
  }));
  const { executions, slowest } = judge;
  return { executions, slowest, findings, blocks: coverage.blocks, fresh: fuzzer.fresh, known: known.length };
}

const shortestFirst = (corpus) =>
  corpus.toSorted((one, other) => one.length - other.length).map((bytes) => bytes.toString('base64'));

process.once('message', (order) => {
  work(order).then(
    (result) => process.send({ result }, () => process.disconnect()),
    (error) =>
      process.send({ broke: error instanceof Error ? error.stack : String(error) }, () =>
        process.disconnect(),
      ),
  );
});
