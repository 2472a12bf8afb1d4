// The state directory in every condition another user of the machine may have brought it into: links, foreign owners,
// folders that others may write to, the directory itself or any folder above it, and things put into it. What others
// could replace is refused, with exit 6, and not a file of it is believed or written; what is ours alone is used. Then
// the same as a race: another user swaps whatever he can while letterlock starts, again and again.

import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from './daemon.mjs';
import { conditions, damages } from './state-conditions.mjs';
import { canPlayOthers, someone, Stranger } from './stranger.mjs';
import { crew } from './world.mjs';

export async function states(run) {
  const { book, chance, until, signal } = run;
  if (!canPlayOthers(book)) return;
  const all = [
    ...conditions,
    ...damages.map(({ name, damage }) => ({ name, damage, comes: 'refuses', prepare: () => undefined })),
  ];
  const begun = performance.now();
  await crew(
    chance.shuffled(all),
    { hands: 3, signal, until: begun + (until - begun) * 0.7, least: 6 },
    (one) => condition(one, run),
  );
  await races(run);
}

let number = 0;

function place({ folder: campaign }) {
  number += 1;
  const base = join(campaign, `s${number}`);
  const parent = join(base, 'above');
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  return { base, parent, state: join(parent, 'state'), name: `s${number}` };
}

const started = ({ world, build, folder: campaign }, { state, name, leg = 'off' }) =>
  new Daemon({
    build,
    folder: campaign,
    name,
    config: world.config([{ ...world.sideRoute, name: 'only', clientTls: leg }], {
      state,
      metrics: null,
      admin: { socket: { path: join(campaign, `${name}.sock`) } },
    }),
  });

async function condition({ name, comes, prepare, damage }, run) {
  const { book } = run;
  const at = place(run);
  if (damage !== undefined) await made(at, run);
  prepare(at);
  damage?.(at.state);
  const before = listing(at.base);
  const daemon = started(run, { ...at, leg: 'starttls' });
  const ready = await daemon.ready();
  const what = () =>
    `${name}: exit ${daemon.exit}, ${daemon.log.split('\n').slice(1).join(' ').slice(0, 300)}`;
  if (comes === 'starts') book.check(ready, 'a state of ours alone is refused', what);
  else {
    book.check(!ready, 'a state that others can change is used', what);
    if (!ready)
      book.check(
        daemon.exit === 6 && daemon.log.includes('hint:'),
        'a state that others can change is not told as one',
        what,
      );
  }
  await daemon.stop();
  if (comes === 'refuses' && !ready)
    book.check(
      listing(at.base) === before,
      'a refused state was written to',
      () => `${name}: ${before} became ${listing(at.base)}`,
    );
  book.count('states looked at', 1);
}

/** A good store, with a local CA. */
async function made({ state, name }, run) {
  const daemon = started(run, { state, name: `${name}-made`, leg: 'starttls' });
  await daemon.ready();
  await daemon.stop();
}

/** What is there, with modes and owners. */
const listing = (base) =>
  readdirSync(base, { recursive: true })
    .map((name) => {
      const { mode: bits, uid } = lstatSync(join(base, String(name)));
      return `${String(name)} ${bits.toString(8)} ${uid}`;
    })
    .filter((line) => !/pins\/|holder/.test(line))
    .toSorted()
    .join(', ');

/** In a sticky folder another user may put things where nothing is; in any other he may do all. */
async function races(run) {
  const { book, folder: campaign, until } = run;
  const stranger = new Stranger();
  const victim = join(campaign, 'victim');
  mkdirSync(victim, { mode: 0o700 });
  writeFileSync(join(victim, 'precious'), 'untouched', { mode: 0o600 });
  try {
    for (let turn = 0; turn < 2 || performance.now() < until; turn += 1) {
      const at = place(run);
      const sticky = turn % 2 === 0;
      chmodSync(at.parent, sticky ? 0o1777 : 0o777);
      const racing = stranger.do('race', {
        path: at.state,
        target: victim,
        aside: join(at.parent, 'aside'),
        seconds: 0.9,
      });
      await delay((turn % 5) * 20);
      const daemon = started(run, at);
      const ready = await daemon.ready(5000);
      const { turns } = await racing;
      const what = () =>
        `${sticky ? 'in a sticky folder' : 'in a folder for everybody'}: ${daemon.log.slice(-300)}`;
      if (!sticky) book.check(!ready, 'a state that others can change is used', what);
      if (ready)
        book.check(
          existsSync(at.state) && lstatSync(at.state).uid === 0,
          'a state was swapped while it was opened',
          what,
        );
      await daemon.stop();
      book.check(
        readdirSync(victim).join() === 'precious',
        'something was written through a link of another user',
        what,
      );
      for (const name of readdirSync(at.parent).filter(
        (one) => lstatSync(join(at.parent, one)).uid === someone,
      ))
        book.check(
          !lstatSync(join(at.parent, name)).isDirectory() || readdirSync(join(at.parent, name)).length === 0,
          'something was written into a folder of another user',
          what,
        );
      book.count('swaps while it starts', turns);
    }
  } finally {
    stranger.end();
  }
}
