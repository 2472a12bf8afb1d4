// Loaded into the process under test (node --import) by the growth benchmark: tells over the channel to its parent how
// long the event loop was held, what CPU was used and how much memory there is. It changes nothing else.
//
// A hold is counted only as far as the process burnt CPU meanwhile: on a busy machine a process waits for its turn, and
// that says nothing about it.

import { PerformanceObserver } from 'node:perf_hooks';

let holdMs = 0;
/** The longest pause of the garbage collector, which is part of a hold. */
let gcMs = 0;
let lastAt = performance.now();
let lastCpu = cpuMs();
let startedCpu = 0;

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function tick() {
  const now = performance.now();
  const cpu = cpuMs();
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
