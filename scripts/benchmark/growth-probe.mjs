// Loaded into the process under test (node --import) by the growth benchmark: tells over the channel to its parent how
// long the event loop was held, what CPU was used and how much memory there is. It changes nothing else.
//
// A hold is counted only as far as the main thread burnt CPU meanwhile: on a busy machine it waits for its turn, and that
// says nothing about it. Where the kernel does not tell of threads, the CPU of all of them counts.

import { openSync, readSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

let holdMs = 0;
/** The longest pause of the garbage collector, which is part of a hold. */
let gcMs = 0;
let lastAt = performance.now();
const schedule = openIfThere(`/proc/self/task/${process.pid}/schedstat`);
const read = Buffer.alloc(128);
let lastCpu = ownCpuMs();
let startedCpu = 0;

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function openIfThere(path) {
  try {
    return openSync(path);
  } catch {
    return null;
  }
}

/** Of the main thread. */
function ownCpuMs() {
  if (schedule === null) return cpuMs();
  const length = readSync(schedule, read, 0, read.length, 0);
  return Number(read.toString('latin1', 0, length).split(' ')[0]) / 1e6;
}

function tick() {
  const now = performance.now();
  const cpu = ownCpuMs();
  holdMs = Math.max(holdMs, Math.min(now - lastAt, cpu - lastCpu));
  lastAt = now;
  lastCpu = cpu;
}

const ticker = setInterval(tick, 1);
ticker.unref();

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) gcMs = Math.max(gcMs, duration);
}).observe({ entryTypes: ['gc'] });

function facts() {
  tick();
  const { rss, heapUsed } = process.memoryUsage();
  return { holdMs, gcMs, cpuMs: cpuMs() - startedCpu, totalCpuMs: cpuMs(), rss, heapUsed };
}

/** Sockets that something still holds, open or not; null where Node cannot tell. */
async function heldSockets() {
  const [{ Socket }, { queryObjects }] = await Promise.all([import('node:net'), import('node:v8')]);
  return { sockets: queryObjects?.(Socket, { format: 'count' }) ?? null };
}

process.on('message', (asked) => {
  if (asked === 'reset') {
    tick();
    holdMs = 0;
    gcMs = 0;
    startedCpu = cpuMs();
    process.send?.('reset');
  } else if (asked === 'read') process.send?.(facts());
  else if (asked === 'settle') {
    globalThis.gc?.();
    process.send?.(facts());
  } else if (asked === 'sockets') void heldSockets().then((held) => process.send?.(held));
});
process.channel?.unref();
