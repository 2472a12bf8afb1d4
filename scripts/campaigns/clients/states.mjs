// The state directory in every condition another user of the machine may have brought it into: links, foreign owners,
// folders that others may write to, the directory itself or any folder above it, and things put into it. What others
// could replace is refused, with exit 6, and not a file of it is believed or written; what is ours alone is used. Then
// the same as a race: another user swaps whatever he can while letterlock starts, again and again.

import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from './daemon.mjs';
import { canPlayOthers, someone, Stranger } from './stranger.mjs';
import { crew } from './world.mjs';

const mode = (path, bits) => chmodSync(path, bits);
const give = (path) => chownSync(path, someone, someone);
const folder = (path, bits = 0o700) => {
  mkdirSync(path, { recursive: true });
  mode(path, bits);
};
/** `to` is made elsewhere, so that the link leads out of where it stands. */
const link = (path, to) => {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(to, path);
};

/** `prepare` gets a folder of its own and the path of the state to be; `comes` is what has to come of it. */
const conditions = [
  { name: 'nothing there', comes: 'starts', prepare: () => undefined },
  { name: 'ours', comes: 'starts', prepare: ({ state }) => folder(state) },
  { name: 'readable by others', comes: 'starts', prepare: ({ state }) => folder(state, 0o755) },
  {
    name: 'a link of ours',
    comes: 'starts',
    prepare: ({ state, base }) => (folder(join(base, 'real')), link(state, join(base, 'real'))),
  },
  { name: 'in a sticky folder', comes: 'starts', prepare: ({ parent }) => mode(parent, 0o1777) },
  ...[0o777, 0o770, 0o720, 0o702, 0o1777].map((bits) => ({
    name: `mode ${bits.toString(8)}`,
    comes: 'refuses',
    prepare: ({ state }) => folder(state, bits),
  })),
  { name: 'of another user', comes: 'refuses', prepare: ({ state }) => (folder(state), give(state)) },
  {
    name: 'of another user, in a sticky folder',
    comes: 'refuses',
    prepare: ({ state, parent }) => (mode(parent, 0o1777), folder(state), give(state)),
  },
  {
    name: 'a link of another user',
    comes: 'refuses',
    prepare: ({ state, base }) => (
      folder(join(base, 'real')),
      link(state, join(base, 'real')),
      lchownSync(state, someone, someone)
    ),
  },
  {
    name: 'a link to a folder of another user',
    comes: 'refuses',
    prepare: ({ state, base }) => (
      folder(join(base, 'real')),
      give(join(base, 'real')),
      link(state, join(base, 'real'))
    ),
  },
  {
    name: 'a link to nothing',
    comes: 'refuses',
    prepare: ({ state, base }) => link(state, join(base, 'nowhere')),
  },
  { name: 'a link to itself', comes: 'refuses', prepare: ({ state }) => link(state, state) },
  { name: 'a file', comes: 'refuses', prepare: ({ state }) => writeFileSync(state, '') },
  { name: 'a pipe', comes: 'refuses', prepare: ({ state }) => execFileSync('mkfifo', [state]) },
  { name: 'below a folder for everybody', comes: 'refuses', prepare: ({ parent }) => mode(parent, 0o777) },
  {
    name: 'ours, below a folder for everybody',
    comes: 'refuses',
    prepare: ({ parent, state }) => (folder(state), mode(parent, 0o777)),
  },
  { name: 'two below a folder for everybody', comes: 'refuses', prepare: ({ base }) => mode(base, 0o777) },
  {
    name: 'below a folder of another user',
    comes: 'refuses',
    prepare: ({ parent, state }) => (folder(state), give(parent)),
  },
  {
    name: 'two below a folder of another user',
    comes: 'refuses',
    prepare: ({ base, state }) => (folder(state), give(base)),
  },
  {
    name: 'below a folder for a foreign group',
    comes: 'refuses',
    prepare: ({ parent, state }) => (folder(state), chownSync(parent, 0, someone), mode(parent, 0o775)),
  },
  {
    name: 'below a link of another user',
    comes: 'refuses',
    prepare: ({ base, parent, state }) => (
      renameSync(parent, join(base, 'real')),
      link(parent, join(base, 'real')),
      folder(state),
      lchownSync(parent, someone, someone)
    ),
  },
  {
    name: 'a link of ours into a folder for everybody',
    comes: 'refuses',
    prepare: ({ base, state }) => (
      folder(join(base, 'open/real')),
      mode(join(base, 'open'), 0o777),
      link(state, join(base, 'open/real'))
    ),
  },
];

/** Damage to a store that was good, by whoever could write to it once. */
const damages = [
  ...['pins', 'seal', 'secret'].map((name) => ({
    name: `${name} of another user`,
    damage: (state) => give(join(state, name)),
  })),
  ...['pins', 'seal', 'secret'].map((name) => ({
    name: `${name} for everybody`,
    damage: (state) => mode(join(state, name), 0o777),
  })),
  ...['pins', 'seal', 'secret'].map((name) => ({
    name: `${name} a link`,
    damage: (state) => (
      renameSync(join(state, name), join(dirname(state), name)),
      symlinkSync(join(dirname(state), name), join(state, name))
    ),
  })),
  { name: 'seal a folder', damage: (state) => (rmSync(join(state, 'seal')), mkdirSync(join(state, 'seal'))) },
  { name: 'local-ca for everybody', damage: (state) => mode(join(state, 'local-ca'), 0o777) },
  {
    name: 'local-ca a link',
    damage: (state) => (
      renameSync(join(state, 'local-ca'), join(dirname(state), 'ca')),
      symlinkSync(join(dirname(state), 'ca'), join(state, 'local-ca'))
    ),
  },
  { name: 'key of the local CA of another user', damage: (state) => give(join(state, 'local-ca/ca.key')) },
];

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
      mode(at.parent, sticky ? 0o1777 : 0o777);
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
