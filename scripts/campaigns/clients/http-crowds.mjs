// Crowds at what speaks HTTP: silent, slow, endless, asking by the thousand without reading, two hundred at once at the metrics
// page, the page's door and the admin socket. A scrape and a good mail client are served meanwhile, the
// operator's socket answers again, no memory stays, and in the long form each of the crowd is
// ended when its limit says so.

import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from './client.mjs';
import { inTime, memoryGrowth, serve } from './good-client.mjs';

const each = 67;
/** Header and request limits of these doors, the looks at them, and a machine that does other things too. */
const endedWithinMs = 15_000 + 1000 + 5000;
const scrapedWithinMs = 3000;

const head = (start) => `${start} HTTP/1.1\r\nHost: localhost\r\n`;
/** What is said at once, what once a second, and whether the answers are not read. */
const kinds = [
  { name: 'silent', said: '' },
  { name: 'half a request line', said: 'GE' },
  { name: 'a header a byte a second', said: head('GET /metrics'), drip: 'a' },
  { name: 'headers without end', said: `${head('GET /metrics')}X: ${'a'.repeat(2 ** 20)}` },
  { name: 'many headers', said: `${head('GET /metrics')}${'X: y\r\n'.repeat(20_000)}` },
  {
    name: 'a body that does not come',
    said: `${head('POST /v1/commands')}Content-Type: application/json\r\nContent-Length: 50000\r\n\r\n{`,
  },
  {
    name: 'a body a byte a second',
    said: `${head('GET /metrics')}Content-Length: 50000\r\n\r\n`,
    drip: 'a',
  },
  {
    name: 'a huge body',
    said: `${head('POST /metrics')}Content-Length: 100000000\r\n\r\n${'a'.repeat(2 ** 21)}`,
  },
  {
    name: 'chunks without end',
    said: `${head('GET /metrics')}Transfer-Encoding: chunked\r\n\r\n`,
    drip: '1\r\na\r\n',
  },
  { name: 'five thousand requests, deaf', said: `${head('GET /metrics')}\r\n`.repeat(5000), deaf: true },
  {
    name: 'requests of another name',
    said: `${head('GET /metrics').replace('localhost', 'evil.test')}\r\n`.repeat(2000),
  },
];

export async function httpCrowds(run, isLong) {
  const { world, book, chance, signal } = run;
  const ready = world.daemon.entries.find(({ event }) => event === 'ready');
  const places = [ready.metrics, ready.dashboard].map((address) => ({
    host: '127.0.0.1',
    port: Number(address.split(':').at(-1)),
  }));
  const socket = join(world.folder, 'admin.sock');
  const before = world.daemon.memory;
  const crowd = [];
  const stopped = new AbortController();
  setMaxListeners(0, stopped.signal);
  for (const place of [...places, { path: socket }])
    for (let number = 0; number < each && !signal.aborted; number += 1) {
      const kind = kinds[number % kinds.length];
      crowd.push(enter(kind, place, stopped.signal));
    }
  await Promise.all(crowd.map(({ client }) => client.until(() => client.connected || client.over !== null)));
  const route = chance.one(world.of({}).filter(({ way }) => way !== 'slow'));
  const [took] = await Promise.all([serve(route, { ...run, times: 4 }), scrapes(run, 6)]);
  inTime(took, 'among crowds over HTTP', run);
  const bound = performance.now() + endedWithinMs;
  if (isLong) for (const one of crowd) await over(one, { book, bound });
  stopped.abort();
  for (const { client } of crowd) client.close();
  book.check(await answers(socket), 'the admin socket is dead after a crowd', 'GET /v1/status');
  const grown = world.daemon.memory - before;
  book.check(
    grown < memoryGrowth,
    'memory stays',
    `${Math.round(grown / 2 ** 20)} MiB more after crowds over HTTP`,
  );
  book.count('crowd over HTTP', crowd.length);
}

function enter(kind, place, signal) {
  const client = new Client(place);
  if (kind.deaf === true) client.deaf();
  client.write(kind.said);
  if (kind.drip !== undefined) void drip(client, kind.drip, signal);
  return { client, kind, place };
}

async function drip(client, bytes, signal) {
  while (client.over === null && !signal.aborted) {
    client.write(bytes);
    await delay(1000, null, { signal }).catch(() => null);
  }
}

/** As a scraper does, each on a connection of its own. */
async function scrapes({ world, book, signal }, times) {
  const took = [];
  for (let count = 0; count < times && !signal.aborted; count += 1) {
    const began = performance.now();
    const status = await fetch(`http://${world.metricsAt}/metrics`, {
      headers: { Connection: 'close' },
      signal: AbortSignal.timeout(10_000),
    })
      .then(async (response) => ((await response.text()).includes('letterlock_') ? response.status : 0))
      .catch(({ cause, message }) => cause?.code ?? message);
    took.push(Math.round(performance.now() - began));
    book.check(status === 200, 'a scrape fails in a crowd', `${status} after ${took.at(-1)} ms`);
    await delay(100);
  }
  // The first ones come while this process still sends the crowd's megabytes, on the same machine.
  const median = took.toSorted((one, other) => one - other)[Math.floor(took.length / 2)] ?? 0;
  book.highest('scrape in a crowd, median ms', median);
  book.check(median < scrapedWithinMs, 'a scrape waits in a crowd', `${took.join(', ')} ms`);
}

/** A deaf one hears of no end: it listens again. */
async function over({ client, kind, place }, { book, bound }) {
  if (kind.deaf === true) client.hearAgain();
  const ended = await client.ended(Math.max(100, bound - performance.now()));
  book.check(
    ended,
    'one of a crowd over HTTP is not ended',
    () => `${kind.name} at ${place.path ?? place.port}`,
  );
}

async function answers(path) {
  const client = new Client({ path });
  client.write('GET /v1/status HTTP/1.1\r\nHost: letterlock\r\nConnection: close\r\n\r\n');
  const good = await client.hears(/^HTTP\/1\.1 200 /);
  client.close();
  return good;
}
