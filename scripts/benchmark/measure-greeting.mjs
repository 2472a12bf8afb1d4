// From connecting to the end of the greeting, over a slow link, in which the server speaks first: TCP, TLS and
// greeting are three round trips, unless a connection was kept ready.

import { setTimeout as delay } from 'node:timers/promises';
import { openClient } from './client.mjs';

/** Between two connections to a port, so that a pool is filled again. */
const spacingMs = 350;
const starts = 5;

/** Calls `told(name, ms, what)`. */
export async function measureGreeting(world, { workload, entrants, amount, told }) {
  const words = [world.upstream[workload.leg], amount.roundTripMs].map(String);
  const link = Number(await world.helper('link.mjs', words));
  const start = (entrant) =>
    world.start(entrant, { legs: entrant.ours ? ['ec', 'warm'] : ['ec'], ways: { ec: link, warm: link } });
  const running = [];
  try {
    for (const entrant of entrants) running.push(await start(entrant));
    // The first one makes the record of the pin, or finds it, and wakes the pool.
    await rounds(running, { count: 1, told: () => undefined });
    await rounds(running, { count: amount.connections, told });
  } finally {
    await Promise.all(running.map((one) => one.end()));
  }
  for (const entrant of entrants.filter(({ ours }) => ours))
    for (let count = 0; count < starts; count += 1) await first(await start(entrant), told);
}

async function rounds(running, { count, told }) {
  for (let done = 0; done < count; done += 1) {
    for (const one of running) {
      told(one.name, await greetingMs(one.port('ec')), 'cold');
      if (one.port('warm') !== undefined) told(one.name, await greetingMs(one.port('warm')), 'warm');
    }
    await delay(spacingMs);
  }
}

async function first(running, told) {
  try {
    await delay(1000);
    told(running.name, await greetingMs(running.port('warm')), 'first');
  } finally {
    await running.end();
  }
}

async function greetingMs(port) {
  const begun = performance.now();
  const client = await openClient(port, 4096);
  const took = performance.now() - begun;
  await client.leave();
  return took;
}
