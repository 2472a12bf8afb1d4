// A good client among a crowd: whether it is served, and how soon; beside one that goes to the server itself, without
// letterlock, so that a slow machine is not taken for a slow letterlock.

import { setTimeout as delay } from 'node:timers/promises';
import { Client } from './client.mjs';
import { served } from './steps.mjs';

const servedWithinMs = 1000;
/** Bytes that letterlock may hold more than before, with a crowd at its doors or just gone. */
export const memoryGrowth = 160 * 2 ** 20;

/** The good client, as often as it takes: how long each took to be served, and to be greeted without letterlock. */
export async function serve(route, { world, book, times, until = 0, signal }) {
  const took = [];
  while (took.length < times || (performance.now() < until && !signal.aborted)) {
    const client = world.client(route.name);
    const good = await served(client, route, world);
    book.check(good, 'a good client is not served in a crowd', `on ${route.name}`);
    const ms = performance.now() - client.openedAt;
    took.push({ ms, aloneMs: await direct(route, world) });
    client.close();
    await delay(50);
  }
  return took;
}

/** Milliseconds that it takes to be greeted without letterlock. */
async function direct({ name, dialect }, world) {
  const { port } = world.upstreams.get(name);
  const client = new Client({ port, host: '127.0.0.1' });
  if (!name.includes('-starttls-')) await client.secure({ ca: world.serverCa });
  await client.hears(dialect.greeted);
  const ms = performance.now() - client.openedAt;
  client.close();
  return ms;
}

/** Letterlock is a client and a server more: so much of what a machine takes for the one alone is the machine's. */
const ownShare = 3;

const medianOf = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

/** The median, as a busy machine lets now and then somebody wait, whoever it is. */
export function inTime(took, what, { book }) {
  book.highest('good client in a crowd, median ms', Math.round(medianOf(took.map(({ ms }) => ms))));
  book.count('good clients in a crowd', took.length);
  book.check(
    medianOf(took.map(({ ms, aloneMs }) => ms - ownShare * aloneMs)) <= servedWithinMs,
    'a good client waits in a crowd',
    () =>
      `${what}: ${took.map(({ ms, aloneMs }) => `${Math.round(ms)} (${Math.round(aloneMs)} alone)`).join(', ')} ms`,
  );
}
