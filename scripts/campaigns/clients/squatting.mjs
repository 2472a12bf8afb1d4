// Another user who takes the port first, on the other family or in any other way, and one who wants to take it while
// letterlock runs, through reloads too. In the first case nothing starts, and what is said names the port and whose it
// is; in the second nothing can be had. The twin: the same configuration starts when the port is free.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Daemon } from './daemon.mjs';
import { canPlayOthers, someone, Stranger } from './stranger.mjs';

const waysFirst = [
  { host: '::1', reuse: 'none' },
  { host: '127.0.0.1', reuse: 'none' },
  { host: '::1', reuse: 'port' },
  { host: '127.0.0.1', reuse: 'port' },
  { host: '::', reuse: 'port' },
  { host: '0.0.0.0', reuse: 'port' },
  { host: '::', reuse: 'both' },
];
const everywhere = ['::1', '127.0.0.1', '::', '0.0.0.0'];

export async function squatting(run) {
  const { book, chance, until } = run;
  if (!canPlayOthers(book)) return;
  const stranger = new Stranger();
  try {
    for (const [at, way] of chance.shuffled(waysFirst).entries()) {
      if (at >= 2 && performance.now() > until) break;
      await takenFirst(way, { ...run, stranger, withTwin: at === 0 });
    }
    await takenLater({ ...run, stranger });
  } finally {
    stranger.end();
  }
}

const configOf = ({ world, folder }, { name, port }) =>
  world.config([{ ...world.sideRoute, name: 'squatted', listen: `localhost:${port}`, clientTls: 'off' }], {
    state: join(folder, `state-${name}`),
    metrics: null,
    admin: { socket: { path: join(folder, `${name}.sock`) } },
  });

/** Free on both families, and none that the system gives to connections. */
async function freePort(chance) {
  for (;;) {
    const port = 20_000 + chance.below(12_000);
    const server = createServer().listen({ port, host: '::' });
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (free) {
      await new Promise((closed) => server.close(closed));
      return port;
    }
  }
}

async function takenFirst({ host, reuse }, run) {
  const { book, folder, build, stranger, withTwin } = run;
  const port = await freePort(run.chance);
  await stranger.do('bind', { host, port, reuse });
  const name = `first-${port}`;
  const daemon = new Daemon({ build, folder, name, config: configOf(run, { name, port }) });
  const what = () =>
    `uid ${someone} had ${host} (${reuse}) first: exit ${daemon.exit}, ${daemon.log.slice(0, 400)}`;
  try {
    const ready = await daemon.ready();
    book.check(!ready, 'it starts beside a squatter', what);
    book.check(daemon.exit === 5, 'a squatter is not told as one', what);
    book.check(
      daemon.log.includes(`port ${port} is in use by a program of uid ${someone}`),
      'a squatter is not named',
      what,
    );
  } finally {
    await daemon.stop();
    await stranger.do('release');
  }
  book.count('ports taken first', 1);
  if (!withTwin) return;
  const twin = new Daemon({ build, folder, name, config: configOf(run, { name, port }) });
  book.check(await twin.ready(), 'it does not start on a free port', () => twin.log.slice(0, 400));
  await twin.stop();
}

async function takenLater(run) {
  const { book, folder, build, stranger, until } = run;
  const port = await freePort(run.chance);
  const name = `later-${port}`;
  const daemon = new Daemon({ build, folder, name, config: configOf(run, { name, port }) });
  try {
    if (!book.check(await daemon.ready(), 'it does not start on a free port', () => daemon.log.slice(0, 400)))
      return;
    const seconds = Math.min(30, Math.max(1, (until - performance.now()) / 1000));
    const binding = stranger.do('binds', { hosts: everywhere, port, seconds });
    const over = performance.now() + seconds * 1000;
    let reloads = 0;
    while (performance.now() < over - 300) {
      daemon.signal('SIGHUP');
      reloads += 1;
      await delay(150);
    }
    const { tries, got } = await binding;
    book.check(got.length === 0, 'another user took a port in use', () => JSON.stringify(got.slice(0, 5)));
    book.check(daemon.exit === null, 'it does not live through reloads', () => daemon.log.slice(-600));
    book.count('binds tried while it runs', tries);
    book.count('reloads meanwhile', reloads);
  } finally {
    await daemon.stop();
  }
}
