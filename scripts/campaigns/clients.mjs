// Hostile clients and neighbours of the machine, against the built command with good servers behind it: what a mail
// client, a web page, another user or another program may try. Nothing of it may reach a server, be answered as if it
// counted, keep others from being served, or stay behind. Each part says in its own file what it tries.

import { chmodSync } from 'node:fs';
import { Book } from './clients/book.mjs';
import { browser, launched } from './clients/browser.mjs';
import { Chance } from './clients/chance.mjs';
import { crowds } from './clients/crowds.mjs';
import { doors } from './clients/doors.mjs';
import { grammar } from './clients/grammar.mjs';
import { http } from './clients/http.mjs';
import { injection } from './clients/injection.mjs';
import { neighbours } from './clients/neighbours.mjs';
import { passing } from './clients/passing.mjs';
import { planted } from './clients/planted.mjs';
import { sockets } from './clients/sockets.mjs';
import { squatting } from './clients/squatting.mjs';
import { states } from './clients/states.mjs';
import { World } from './clients/world.mjs';

/** Side by side, each part with its share of the time: on the mail ports of one letterlock, and on others of their own. */
const tracks = [
  [
    [injection, 4],
    [grammar, 3],
    [passing, 3],
    [doors, 5],
    [browser, 5],
  ],
  [
    [http, 3],
    [neighbours, 3],
    [squatting, 4],
    [sockets, 5],
    [states, 7],
  ],
];
/** The crowds come last and alone: they measure. In the short form they have what they need. */
const crowdsMs = (seconds) => Math.max(seconds * 350, 8500);

async function run(options) {
  const { build, seconds, seed, folder, signal } = options;
  const book = new Book();
  const world = new World({ build, folder, seed });
  const began = performance.now();
  const launching = launched({ folder });
  launching.catch(() => undefined);
  // Other users have to get at what they are let at in it.
  chmodSync(folder, 0o711);
  try {
    await world.open();
    const common = { ...options, world, book, launching };
    const until = began + seconds * 1000;
    await Promise.all(tracks.map((parts) => track(parts, { ...common, until: until - crowdsMs(seconds) })));
    if (!signal.aborted) await part(crowds, { ...common, until });
    const { daemon } = world;
    book.check(
      daemon.exit === null,
      'letterlock is not there any more',
      () => `${daemon.exit}: ${daemon.log.slice(-2000)}`,
    );
    book.check(!world.tells(daemon.log), 'a secret stands in the log', 'of the daemon, at level debug');
    const isCalm = !/unhandled|internal/i.test(
      daemon.entries.map(({ reason, event }) => `${event} ${reason}`).join(),
    );
    book.check(
      isCalm,
      'letterlock met a fault of its own',
      () => daemon.log.match(/.*internal.*/)?.[0] ?? '',
    );
  } finally {
    await (await launching.catch(() => null))?.close();
    await world.close();
  }
  return { figures: book.figures, findings: book.findings };
}

async function track(parts, setting) {
  let left = parts.reduce((sum, [, share]) => sum + share, 0);
  for (const [one, share] of parts) {
    if (setting.signal.aborted) return;
    const now = performance.now();
    await part(one, { ...setting, until: now + ((setting.until - now) * share) / left });
    left -= share;
  }
}

async function part(one, setting) {
  const began = performance.now();
  await one({ ...setting, chance: new Chance(setting.seed, one.name) });
  setting.say(`${one.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

export const campaign = {
  name: 'clients',
  title: 'hostile clients and neighbours',
  short: 20,
  proof: 25,
  long: 600,
  planted,
  run,
};
