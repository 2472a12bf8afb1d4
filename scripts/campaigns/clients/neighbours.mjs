// Other users of the machine at what letterlock has: its ports (allowUsers), its socket files, the admin socket, its
// state, its logs of who may what. Each is turned away without a byte; the user who may is served.

import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from './client.mjs';
import { Daemon } from './daemon.mjs';
import { canPlayOthers, someone, Stranger } from './stranger.mjs';
import { served } from './steps.mjs';
import { countOf } from './world.mjs';

const modes = { closed: '0600', group: '0660', open: '0666' };

export async function neighbours(run) {
  const { world, book, folder, build } = run;
  if (!canPlayOthers(book)) return;
  const base = world.sideRoute;
  const routes = [
    { ...base, name: 'own-alone', listen: 'localhost:0', allowUsers: [0] },
    { ...base, name: 'theirs-alone', listen: '127.0.0.1:0', allowUsers: [someone] },
    { ...base, name: 'root-and-one', listen: '127.0.0.1:0', allowUsers: [0, 1] },
    ...Object.entries(modes).map(([kind, mode]) => ({
      ...base,
      name: `file-${kind}`,
      listen: { unix: join(folder, 'n', `${kind}.sock`), mode },
    })),
    {
      ...base,
      name: 'file-theirs',
      listen: { unix: join(folder, 'n', 'theirs.sock'), mode: '0660', group: String(someone) },
    },
  ];
  mkdirSync(join(folder, 'n'), { mode: 0o755 });
  const config = world.config(routes, {
    state: join(folder, 'n', 'state'),
    admin: { socket: { path: join(folder, 'n', 'admin.sock') } },
  });
  const daemon = new Daemon({ build, folder, name: 'neighbours', config });
  const stranger = new Stranger();
  try {
    if (
      !book.check(await daemon.ready(), 'it does not start with socket files', () => daemon.log.slice(0, 600))
    )
      return;
    const here = { ...run, daemon, stranger, addresses: daemon.addresses };
    await ports(here);
    await files(here);
    await closed(here);
  } finally {
    stranger.end();
    await daemon.stop();
  }
}

const placesOf = (addresses) =>
  addresses.map((address) => {
    const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address);
    return { host, port: Number(port) };
  });

async function ports({ world, book, daemon, stranger, addresses }) {
  const metrics = daemon.entries.find(({ event }) => event === 'ready').metrics;
  const own = { own: 'served', theirs: 'turned away' };
  const table = {
    'own-alone': own,
    'theirs-alone': { own: 'turned away', theirs: 'served' },
    'root-and-one': own,
  };
  const imap = world.of({}).find(({ name }) => name === 'imap-implicit-off');
  const tries = 2;
  for (const [route, { own: ours, theirs }] of Object.entries(table)) {
    for (const place of placesOf(addresses.get(route))) {
      for (let turn = 0; turn < tries; turn += 1) {
        const { heard } = await stranger.do('connect', {
          ...place,
          say: world.said('a1 LOGIN evil SECRET\r\n').toString(),
          seconds: theirs === 'served' ? 0.4 : 3,
        });
        book.check(
          (heard === '') === (theirs === 'turned away'),
          'a user is served who may not be, or not who may',
          () => `uid ${someone} on ${route} ${place.host}: ${heard}`,
        );
        const client = new Client(place);
        const good =
          ours === 'served'
            ? await served(client, imap, world)
            : !(await client.ended()) || client.heard.length > 0;
        book.check(
          good === (ours === 'served'),
          'a user is served who may not be, or not who may',
          () => `uid 0 on ${route} ${place.host}: ${client.text}`,
        );
        client.close();
        book.count('connections of foreign users', 2);
      }
    }
  }
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const rejected = new Map(
    [...text.matchAll(/^letterlock_client_connections_rejected_total\{(.*?)\} (\d+)$/gm)].map(
      ([, labels, value]) => [labels, Number(value)],
    ),
  );
  const expected = {
    'own-alone': tries * addresses.get('own-alone').length,
    'theirs-alone': tries,
    'root-and-one': tries,
  };
  for (const [route, count] of Object.entries(expected)) {
    const counted = countOf(rejected, { route, reasons: ['peer-uid'] });
    book.check(counted === count, 'a foreign user is counted wrongly', `${route}: ${counted} of ${count}`);
  }
}

async function files({ book, folder, stranger }) {
  const table = { closed: 'EACCES', group: 'EACCES', open: 'served', theirs: 'served' };
  for (const [kind, comes] of Object.entries(table)) {
    const path = join(folder, 'n', `${kind}.sock`);
    const { heard = '', over } = await stranger.do('connect', { path, seconds: 0.5 });
    const right = comes === 'served' ? heard.startsWith('* OK') : over === comes && heard === '';
    book.check(
      right,
      'a socket file is open to the wrong users',
      `${kind}: ${over}, heard ${JSON.stringify(heard)}`,
    );
    const mode = (lstatSync(path).mode & 0o777).toString(8).padStart(4, '0');
    book.check(mode === (modes[kind] ?? '0660'), 'a socket file has the wrong mode', `${kind}: ${mode}`);
  }
}

/** Everything of the state, and the admin sockets: not to be listed, read or connected to. */
async function closed({ book, folder, stranger }) {
  const state = join(folder, 'n', 'state');
  const found = readdirSync(state, { recursive: true }).map((name) => join(state, String(name)));
  for (const path of [state, ...found]) {
    const { mode } = lstatSync(path);
    book.check(
      (mode & 0o077) === 0 || lstatSync(path).isSymbolicLink(),
      'a file of the state is open',
      `${path}: ${(mode & 0o777).toString(8)}`,
    );
    const { error } = await stranger.do('read', { path });
    book.check(error === 'EACCES', 'another user reads the state', `${path}: ${error}`);
  }
  for (const path of [join(folder, 'n', 'admin.sock'), join(state, 'pins.sock')]) {
    const { over } = await stranger.do('connect', {
      path,
      say: 'GET /v1/status HTTP/1.1\r\nHost: letterlock\r\n\r\n',
      seconds: 1,
    });
    book.check(
      over === 'EACCES' || over === 'ENOENT',
      'another user reaches the admin socket',
      `${path}: ${over}`,
    );
  }
  book.count('files closed to others', found.length + 3);
}
