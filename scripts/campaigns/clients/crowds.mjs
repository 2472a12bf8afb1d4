// Many at once who want nothing but to be in the way: slow in every phase there is, deaf, endless, or gone again before
// anything was said. Good clients are served within a second meanwhile, each of the others is ended when its limit
// says so, and afterwards memory and descriptors are back where they were. Limits of a minute are waited for in the
// long form only.

import { setTimeout as delay } from 'node:timers/promises';
import { dawdlers } from './dawdlers.mjs';
import { memoryGrowth } from './good-client.mjs';
import { httpCrowds } from './http-crowds.mjs';
import { longLines } from './long-lines.mjs';
import { storms } from './storms.mjs';

export async function crowds(run) {
  const { world, book, until, seconds } = run;
  const isLong = seconds >= 150;
  await world.quiet();
  const base = { memory: world.daemon.memory, descriptors: world.daemon.descriptors };
  await storms(run, Math.max(1500, (until - performance.now()) / (isLong ? 4 : 6)));
  await longLines(run, isLong ? 60 : 8);
  await httpCrowds(run, isLong);
  await dawdlers(run, isLong);
  book.check(await world.quiet(20_000), 'a client stays', 'sessions are open after the crowds');
  await back(base, run);
}

/** What a crowd left behind. */
async function back(base, { world, book }) {
  const until = performance.now() + 8000;
  while (world.daemon.descriptors > base.descriptors + 8 && performance.now() < until) await delay(50);
  book.check(
    world.daemon.descriptors <= base.descriptors + 8,
    'descriptors stay',
    `${base.descriptors} before, ${world.daemon.descriptors} after`,
  );
  const grown = Math.round((world.daemon.memory - base.memory) / 2 ** 20);
  book.set('MiB more after the crowds', grown);
  book.check(grown * 2 ** 20 < memoryGrowth, 'memory stays', `${grown} MiB more`);
}
