// Runs targets, each in a process of its own, some at a time, and looks after them: one that is silent for long while it
// uses the processor hangs, one that ends without a word was killed by its input.

import { fork } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('./child.mjs', import.meta.url));
const memoryMiB = 256;
/** Seconds of processor time without a sign of life. */
const mostSilentSeconds = 6;
/** And of any time, beyond its own: on a machine that does much else. */
const mostLateMs = 60_000;
const lookEveryMs = 1000;
/** Loading a target takes some of its time, and what is known of it is run however long that takes. */
const leastSeconds = 0.5;

/**
 * Every outcome: a result, or findings in its place. `orders` are those of child.mjs, without folder and seconds: what is left
 * of `seconds` is shared among those that wait, so that one that was late makes the others shorter.
 */
export async function runAll(orders, { folder, seconds, atOnce, signal, done }) {
  const until = performance.now() + seconds * 1000;
  const waiting = [...orders];
  const worker = async () => {
    for (let order = waiting.shift(); order !== undefined && !signal.aborted; order = waiting.shift()) {
      const own = join(folder, order.name);
      mkdirSync(own);
      const left = (until - performance.now()) / 1000;
      const share = Math.max(leastSeconds, (left * atOnce) / (waiting.length + atOnce));
      done(order.name, await runOne({ ...order, folder: own, seconds: share }, signal));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function runOne(order, signal) {
  return new Promise((resolve) => {
    const running = fork(child, [], {
      execArgv: [`--max-old-space-size=${memoryMiB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let [outcome, said, silentSince] = [null, '', processorSeconds(running.pid)];
    const latest = performance.now() + order.seconds * 1000 + mostLateMs;
    const stop = () => running.kill('SIGTERM');
    const look = setInterval(() => {
      const silent = processorSeconds(running.pid) - silentSince;
      if (silent < mostSilentSeconds && performance.now() < latest) return;
      outcome ??= { hangs: true };
      running.kill('SIGKILL');
    }, lookEveryMs);
    signal.addEventListener('abort', stop, { once: true });
    running.stderr.on('data', (text) => {
      said = `${said}${text}`.slice(-2000);
    });
    running.on('message', (message) => {
      if (message.alive !== undefined) silentSince = processorSeconds(running.pid);
      else outcome = message;
    });
    running.once('error', (error) => {
      outcome ??= { broke: error.message };
    });
    running.once('close', (code, killedBy) => {
      clearInterval(look);
      signal.removeEventListener('abort', stop);
      resolve(outcomeOf(outcome, { order, said, ended: killedBy ?? code, aborted: signal.aborted }));
    });
    running.send(order);
  });
}

function outcomeOf(outcome, { order, said, ended, aborted }) {
  if (outcome?.result !== undefined) return outcome.result;
  const nothing = { executions: 0, slowest: { ms: 0, bytes: 0 }, blocks: 0, fresh: 0, known: 0 };
  if (aborted) return { ...nothing, findings: [] };
  if (outcome?.broke !== undefined)
    return {
      ...nothing,
      findings: [{ what: `the target itself broke: ${outcome.broke}`, at: null, input: '' }],
    };
  const what =
    outcome?.hangs === true
      ? `it hangs: ${mostSilentSeconds} s of processor time without an end`
      : `the process ended (${ended}): ${said.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`;
  return { ...nothing, findings: [{ what, at: null, input: inputIn(join(order.folder, 'input')) }] };
}

/** What ran last. */
function inputIn(path) {
  try {
    const written = readFileSync(path);
    return written.subarray(4, 4 + written.readUInt32BE(0)).toString('base64');
  } catch {
    return '';
  }
}

/** Of a process; 0 where there is no /proc. */
function processorSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}
