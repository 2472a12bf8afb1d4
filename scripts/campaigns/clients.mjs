// Hostile clients and neighbours of the machine, against the built command with good servers behind it: what a mail
// client, a web page, another user or another program may try. Nothing of it may reach a server, be answered as if it
// counted, keep others from being served, or stay behind. Each part says in its own file what it tries.

import { Book } from './clients/book.mjs';
import { browser } from './clients/browser.mjs';
import { Chance } from './clients/chance.mjs';
import { doors } from './clients/doors.mjs';
import { grammar } from './clients/grammar.mjs';
import { injection } from './clients/injection.mjs';
import { passing } from './clients/passing.mjs';
import { World } from './clients/world.mjs';

/** Each with its share of the time. */
const parts = [
  [injection, 5],
  [grammar, 4],
  [passing, 4],
  [doors, 4],
  [browser, 4],
];

async function run({ build, seconds, seed, folder, signal, say }) {
  const book = new Book();
  const world = new World({ build, folder, seed });
  try {
    const began = performance.now();
    await world.open();
    let left = parts.reduce((sum, [, share]) => sum + share, 0);
    for (const [part, share] of parts) {
      if (signal.aborted) break;
      const now = performance.now();
      const until = now + ((began + seconds * 1000 - now) * share) / left;
      left -= share;
      await part({ world, book, chance: new Chance(seed, part.name), until, signal, seconds, build, folder, seed });
      say(`${part.name}: ${((performance.now() - now) / 1000).toFixed(1)} s`);
    }
    book.check(world.daemon.exit === null, 'letterlock is not there any more', () => `${world.daemon.exit}: ${world.daemon.log.slice(-2000)}`);
    book.check(!world.tells(world.daemon.log), 'a secret stands in the log', 'of the daemon, at level debug');
  } finally {
    await world.close();
  }
  return { figures: book.figures, findings: book.findings };
}

export const campaign = {
  name: 'clients',
  title: 'hostile clients and neighbours',
  short: 25,
  long: 600,
  planted: [],
  run,
};
