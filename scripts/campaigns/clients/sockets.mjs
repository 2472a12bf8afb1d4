// Socket files: what stands in their place already, what another user puts there while letterlock starts, and two
// letterlocks that want the same one at once. Only a dead socket of our own is ever taken away; nothing of another
// user's is removed, followed or served; and who is told that letterlock listens there finds it there.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  chmodSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Client } from './client.mjs';
import { Daemon } from './daemon.mjs';
import { canPlayOthers, someone, Stranger } from './stranger.mjs';
import { served } from './steps.mjs';

let number = 0;

export async function sockets(run) {
  const { book, chance, until } = run;
  if (!canPlayOthers(book)) return;
  for (const [at, one] of chance.shuffled(inTheWay).entries())
    if (at < 2 || performance.now() < until) await standing(one, run);
  await twins(run);
  let turn = 0;
  do await race((turn += 1), run);
  while (performance.now() < until);
}

function place({ folder: campaign }) {
  number += 1;
  const base = join(campaign, `u${number}`);
  mkdirSync(base, { mode: 0o755 });
  return { base, path: join(base, 'imap.sock'), name: `u${number}` };
}

const started = ({ world, build, folder: campaign }, { path, name }) =>
  new Daemon({
    build,
    folder: campaign,
    name,
    config: world.config(
      [{ ...world.sideRoute, name: 'file', clientTls: 'off', listen: { unix: path, mode: '0666' } }],
      {
        state: join(campaign, `${name}-state`),
        metrics: null,
        admin: { socket: { path: join(campaign, `${name}.sock`) } },
      },
    ),
  });

/** A socket that nobody listens on any more, as a crash leaves it. */
async function dead(path) {
  const source =
    "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
  await once(spawn(process.execPath, ['-e', source, path], { stdio: 'ignore' }), 'exit');
}

/** What stands there, whether letterlock may start, and whether that is still there afterwards. */
const inTheWay = [
  { name: 'a dead socket of ours', comes: 'starts', put: ({ path }) => dead(path) },
  { name: 'a file', comes: 'refuses', put: ({ path }) => writeFileSync(path, 'mine') },
  { name: 'a folder', comes: 'refuses', put: ({ path }) => mkdirSync(path) },
  {
    name: 'a link to nothing',
    comes: 'refuses',
    put: ({ path, base }) => symlinkSync(join(base, 'nowhere'), path),
  },
  {
    name: 'a link to a dead socket',
    comes: 'refuses',
    put: async ({ path, base }) => (await dead(join(base, 'dead')), symlinkSync(join(base, 'dead'), path)),
  },
  {
    name: 'a socket that is listened on',
    comes: 'refuses',
    put: async ({ path }) => {
      const server = createServer((socket) => socket.destroy()).listen(path);
      await once(server, 'listening');
      return () => server.close();
    },
  },
  {
    name: 'a socket of another user',
    comes: 'refuses',
    sticky: true,
    put: async ({ path }, stranger) => void (await stranger.do('put', { path, what: 'socket' })),
  },
  {
    name: 'a dead socket of another user',
    comes: 'refuses',
    sticky: true,
    put: async ({ path }, stranger) => {
      await stranger.do('put', { path, what: 'socket' });
      await stranger.do('release');
    },
  },
  {
    name: 'a link of another user',
    comes: 'refuses',
    sticky: true,
    put: async ({ path, base }, stranger) =>
      void (await stranger.do('put', { path, what: 'link', target: join(base, 'elsewhere') })),
  },
];

const kindOf = (path) => {
  const { ino, uid, mode } = lstatSync(path);
  return `${ino} ${uid} ${mode.toString(8)}`;
};

async function standing({ name, comes, put, sticky = false }, run) {
  const { book } = run;
  const stranger = new Stranger();
  const at = place(run);
  if (sticky) chmodSync(at.base, 0o1777);
  const undo = await put(at, stranger);
  const before = kindOf(at.path);
  const daemon = started(run, at);
  const ready = await daemon.ready();
  const what = () => `${name}: exit ${daemon.exit}, ${daemon.log.slice(-400)}`;
  book.check(
    ready === (comes === 'starts'),
    comes === 'starts' ? 'a socket file cannot be had' : 'a socket file is put over something',
    what,
  );
  if (comes === 'refuses')
    book.check(existsSync(at.base) && kindOf(at.path) === before, 'what stood there was changed', what);
  else await reached(at, { ...run, daemon, what });
  await daemon.stop();
  undo?.();
  stranger.end();
  book.count('sockets in the way', 1);
}

/** Whether the path leads to letterlock, and to nobody else. */
async function reached({ path }, { world, book, what }) {
  const client = new Client({ path });
  const route = world.of({}).find(({ name }) => name === 'imap-implicit-off');
  const mark = client.connected;
  book.check(mark || (await served(client, route, world)), 'a socket file does not lead to letterlock', what);
  client.close();
  book.check(lstatSync(path).uid === 0, 'a socket file is not ours', what);
}

/** Two at once: one has it, the other says so. */
async function twins(run) {
  const { book } = run;
  const at = place(run);
  const both = [started(run, at), started(run, { ...at, name: `${at.name}b` })];
  const ready = await Promise.all(both.map((daemon) => daemon.ready()));
  const what = () => both.map((daemon) => `${daemon.exit}: ${daemon.log.slice(-200)}`).join(' | ');
  book.check(ready.filter(Boolean).length <= 1, 'two have one socket file', what);
  if (ready.some(Boolean)) await reached(at, { ...run, what });
  for (const daemon of both) await daemon.stop();
  book.check(
    readdirSync(at.base).filter((name) => name.endsWith('~')).length === 0 || !ready.some(Boolean),
    'a half-made socket file stays',
    () => readdirSync(at.base).join(),
  );
}

/** In a sticky folder another user puts one thing after the other there; in a folder for everybody nothing starts. */
async function race(turn, run) {
  const { book } = run;
  const stranger = new Stranger();
  const at = place(run);
  const target = join(at.base, 'precious');
  writeFileSync(target, 'untouched', { mode: 0o600 });
  const sticky = turn % 3 !== 0;
  chmodSync(at.base, sticky ? 0o1777 : 0o777);
  try {
    const racing = stranger.do('race', { path: at.path, target, aside: join(at.base, 'aside'), seconds: 1 });
    const daemon = started(run, at);
    const ready = await daemon.ready(6000);
    const { turns } = await racing;
    const what = () => `${sticky ? 'sticky' : 'for everybody'}: ${daemon.log.slice(-400)}`;
    if (!sticky) book.check(!ready, 'a socket file stands where everybody may replace it', what);
    if (ready) await reached(at, { ...run, what });
    await daemon.stop();
    const safe = lstatSync(target);
    book.check(
      sticky ? readFileSync(target, 'utf8') === 'untouched' && (safe.mode & 0o777) === 0o600 : true,
      'a link of another user was followed',
      what,
    );
    for (const name of readdirSync(at.base).filter((one) => one.startsWith('imap.sock')))
      if (lstatSync(join(at.base, name)).isSymbolicLink())
        book.check(
          readlinkSync(join(at.base, name)) === target && lstatSync(join(at.base, name)).uid === someone,
          'a link was changed',
          what,
        );
    book.count('socket swaps while it starts', turns);
  } finally {
    stranger.end();
    if (existsSync(at.path)) unlinkSafely(at.path);
  }
}

function unlinkSafely(path) {
  try {
    unlinkSync(path);
  } catch {
    // A folder, which goes with the campaign's.
  }
}
