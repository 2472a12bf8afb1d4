// What an idle session costs: proportional memory of the whole family of processes (PSS), above what it was after a
// few sessions had come and gone. And whether a proxy that only holds them uses the processor.

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openClient } from './client.mjs';
import { familyOf } from './children.mjs';

/** At a time: more would be refused by listening queues. */
const opening = 50;

/** Calls `told(name, number, what)`: KiB for each session, KiB before the first, and ms of processor for a second. */
export async function measureMemory(world, { workload, entrants, amount, reps, told }) {
  for (let rep = 0; rep < (amount.reps ?? reps); rep += 1)
    for (const entrant of entrants) {
      const running = await world.start(entrant, { legs: [workload.leg] });
      try {
        await fill(world, running, { workload, amount, told });
      } finally {
        await running.end();
      }
    }
}

async function fill({ clock }, running, { workload, amount, told }) {
  const port = running.port(workload.leg);
  for (const one of await hold(port, 20)) one.destroy();
  await clock.settled(running.roots, running.idleSize);
  await delay(300);
  const empty = kibibytes(running.roots);
  const clients = await hold(port, amount.count);
  try {
    await delay(amount.settleMs);
    told(running.name, (kibibytes(running.roots) - empty) / amount.count, '');
    told(running.name, empty, 'base');
    if (amount.idleMs === undefined) return;
    const before = await clock.used(running.roots);
    await delay(amount.idleMs);
    told(running.name, ((await clock.used(running.roots)) - before) / (amount.idleMs / 1000), 'idle');
  } finally {
    for (const client of clients) client.destroy();
  }
}

/** So many connections, greeted and logged in, and silent from then on. */
async function hold(port, count) {
  const held = [];
  while (held.length < count) {
    const some = Array.from({ length: Math.min(opening, count - held.length) }, () => openClient(port, 1024));
    const open = await Promise.allSettled(some);
    held.push(...open.filter((one) => one.status === 'fulfilled').map((one) => one.value));
    const broken = open.find((one) => one.status === 'rejected');
    if (broken !== undefined) {
      for (const client of held) client.destroy();
      throw new Error(`only ${held.length} of ${count} sessions could be opened`, { cause: broken.reason });
    }
  }
  for (const client of held) await client.login();
  return held;
}

function kibibytes(roots) {
  return roots.flatMap(familyOf).reduce((sum, pid) => sum + pssOf(pid), 0);
}

function pssOf(pid) {
  try {
    const [, size] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')) ?? [];
    return Number(size ?? 0);
  } catch {
    return 0;
  }
}
