// A good client among a crowd: whether it is served, and how soon.

import { setTimeout as delay } from 'node:timers/promises';
import { served } from './steps.mjs';

const servedWithinMs = 1000;
/** Bytes that letterlock may hold more than before, with a crowd at its doors or just gone. */
export const memoryGrowth = 160 * 2 ** 20;

/** The good client, as often as it takes: how long each took to be served. */
export async function serve(route, { world, book, times, until = 0, signal }) {
  const took = [];
  while (took.length < times || (performance.now() < until && !signal.aborted)) {
    const client = world.client(route.name);
    const good = await served(client, route, world);
    book.check(good, 'a good client is not served in a crowd', `on ${route.name}`);
    took.push(performance.now() - client.openedAt);
    client.close();
    await delay(50);
  }
  return took;
}

/** Some of a machine's own slowness is not the crowd's doing: most have to be in time, and are told by the median too. */
export function inTime(took, what, { book }) {
  const sorted = took.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  book.highest('good client in a crowd, median ms', Math.round(median));
  book.count('good clients in a crowd', took.length);
  book.check(
    median <= servedWithinMs,
    'a good client waits in a crowd',
    () => `${what}: ${sorted.map(Math.round).join(', ')} ms`,
  );
}
