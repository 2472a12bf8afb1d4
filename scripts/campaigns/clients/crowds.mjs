// Many at once who want nothing but to be in the way: slow in every phase there is, deaf, endless, or gone again before
// anything was said. Good clients are served within a second meanwhile, each of the others is ended when its limit
// says so, and afterwards memory and descriptors are back where they were. Limits of a minute are waited for in the
// long form only.

import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { greeted, relayed, served } from './steps.mjs';
import { countOf, limits } from './world.mjs';

const servedWithinMs = 1000;
/** Beyond a limit, on a machine that does other things too. */
const graceMs = 3000;
const memoryGrowth = 160 * 2 ** 20;
const handshakeMs = limits.handshakeSeconds * 1000;
const minuteMs = 60_000;
/** A client's first record of TLS, without its end. */
const halfHello = Buffer.concat([Buffer.from('160301020001000001fc0303', 'hex'), Buffer.alloc(120, 7)]);
/** After so much it is known to be a flood. */
const floodBytes = 2 ** 18;

const nothing = () => Promise.resolve();
const inside = async (client, route, world) =>
  (await greeted(client, route, world)) && relayed(client, route, world);

/** Where it is, how long it may last, what the client does until then, and what it says once a second. */
const slow = [
  { name: 'silent before TLS', at: 'imap-implicit-implicit', limitMs: handshakeMs, does: nothing },
  {
    name: 'half a ClientHello',
    at: 'pop3-implicit-implicit',
    limitMs: handshakeMs,
    does: (client) => client.write(halfHello),
  },
  {
    name: 'a ClientHello a byte a second',
    at: 'smtp-implicit-implicit',
    limitMs: handshakeMs,
    does: nothing,
    drip: halfHello,
  },
  {
    name: 'STARTTLS and then nothing',
    at: 'imap-implicit-starttls',
    limitMs: handshakeMs,
    does: async (client, { dialect }) => {
      await client.hears(dialect.greeted);
      const from = client.heard.length;
      client.write(dialect.startTls);
      await client.line(from);
    },
  },
  { name: 'refused, and stays (IMAP)', at: 'imap-refused-off', limitMs: 10_000, does: nothing },
  {
    name: 'refused, a byte a second (POP3)',
    at: 'pop3-refused-off',
    limitMs: 10_000,
    does: nothing,
    drip: Buffer.alloc(99, 'A'),
  },
  {
    name: 'refused, and deaf (SMTP)',
    at: 'smtp-refused-off',
    limitMs: 5000,
    does: (client) => client.deaf(),
  },
  { name: 'silent before STARTTLS', at: 'smtp-starttls-starttls', limitMs: minuteMs, does: nothing },
  {
    name: 'a byte a second before STARTTLS',
    at: 'pop3-implicit-starttls',
    limitMs: minuteMs,
    does: nothing,
    drip: Buffer.alloc(99, 'A'),
  },
  {
    name: 'a command a second before STARTTLS',
    at: 'lmtp-starttls-starttls',
    limitMs: minuteMs,
    does: nothing,
    drip: 'NOOP\r\n',
  },
  { name: 'silent in clear', at: 'pop3-implicit-off', limitMs: minuteMs, does: greeted },
  {
    name: 'a first command without an end',
    at: 'smtp-implicit-off',
    limitMs: minuteMs,
    does: greeted,
    drip: Buffer.alloc(99, 'A'),
  },
  { name: 'silent inside TLS', at: 'sieve-implicit-starttls', limitMs: minuteMs, does: inside },
  {
    name: 'never reads',
    at: 'imap-implicit-off',
    limitMs: minuteMs,
    does: async (client, route, world) => {
      await greeted(client, route, world);
      client.write('f1 XFLOOD\r\n');
      await client.until(() => client.heard.length > floodBytes);
      client.deaf();
    },
  },
];

export async function crowds(run) {
  const { world, book, until, seconds } = run;
  const isLong = seconds >= 150;
  await world.quiet();
  const base = { memory: world.daemon.memory, descriptors: world.daemon.descriptors };
  await storms(run, Math.max(1500, (until - performance.now()) / (isLong ? 4 : 6)));
  await longLines(run, isLong ? 60 : 8);
  await dawdlers(run, isLong);
  book.check(await world.quiet(20_000), 'a client stays', 'sessions are open after the crowds');
  await back(base, run);
}

/** The good client, as often as it takes: how long each took to be served. */
async function serve(route, { world, book, times, until = 0, signal }) {
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
function inTime(took, what, { book }) {
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

const routeOf = (world, name) =>
  [...world.of({}), ...world.of({ refusing: true })].find((route) => route.name === name);

async function dawdlers(run, isLong) {
  const { world, book, signal } = run;
  // At once, in all: 200 and more that cost a server nothing, or 200 in each phase.
  const each = isLong ? 200 : 20;
  const stopped = new AbortController();
  setMaxListeners(0, stopped.signal);
  const crowd = [];
  const opening = slow.map(async (phase) => {
    const route = routeOf(world, phase.at);
    for (let number = 0; number < each && !signal.aborted; number += 1) {
      const client = world.client(phase.at);
      crowd.push({ phase, client });
      const ready = Promise.resolve(phase.does(client, route, world));
      if (phase.drip !== undefined) void drip(client, phase.drip, stopped.signal);
      if (number % 10 === 9) await ready;
    }
  });
  const near = world.of({}).filter(({ name }) => slow.some(({ at }) => at === name));
  await Promise.all(opening);
  for (const route of run.chance.shuffled(near).slice(0, isLong ? near.length : 4))
    inTime(await serve(route, { ...run, times: 3 }), `among dawdlers, ${route.name}`, run);
  const waited = isLong ? minuteMs : handshakeMs;
  await Promise.all(crowd.filter(({ phase }) => phase.limitMs <= waited).map((one) => ended(one, run)));
  stopped.abort();
  for (const { client } of crowd) client.close();
  book.count('dawdlers', crowd.length);
  book.count('dawdlers waited for', crowd.filter(({ phase }) => phase.limitMs <= waited).length);
}

async function drip(client, bytes, signal) {
  for (let at = 0; client.over === null && !signal.aborted; at += 1) {
    client.write(
      typeof bytes === 'string' ? bytes : bytes.subarray(at % bytes.length, (at % bytes.length) + 1),
    );
    await delay(1000, null, { signal }).catch(() => null);
  }
}

/** A deaf client hears of no end: it listens again when its time is over. */
async function ended({ phase, client }, { book }) {
  const left = client.openedAt + phase.limitMs + graceMs - performance.now();
  const isDeaf = phase.name.includes('deaf') || phase.name.includes('never reads');
  if (isDeaf) {
    await delay(Math.max(0, left));
    client.hearAgain();
  }
  const over = await client.ended(isDeaf ? graceMs : Math.max(left, 100) + graceMs);
  if (!book.check(over, 'a dawdler is not ended', phase.name)) return;
  const lasted = client.overAt - client.openedAt;
  book.check(
    isDeaf || lasted <= phase.limitMs + 2 * graceMs,
    'a dawdler lasts too long',
    `${phase.name}: ${Math.round(lasted)} ms`,
  );
}

/** Those who come and go, as many as there is time for. */
async function storms(run, ms) {
  const { world, book, chance, signal } = run;
  const targets = [...world.of({}).filter(({ way }) => way !== 'slow'), ...world.of({ refusing: true })];
  const dialsBefore = await dialsOf(run);
  const until = performance.now() + ms;
  let count = 0;
  const goesOn = () => performance.now() < until && !signal.aborted;
  const good = world.of({}).find(({ name }) => name === 'imap-starttls-off');
  const serving = serve(good, { ...run, times: 3, until });
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      while (goesOn()) {
        const client = world.client(chance.one(targets).name);
        count += 1;
        await leaves(client, chance.below(5));
        client.close();
      }
    }),
  );
  inTime(await serving, 'in a storm', run);
  book.count('came and went', count);
  const dials = (await dialsOf(run)) - dialsBefore;
  // Held for two seconds, then four: three servers are refused, and none is asked by every client of a storm.
  const most = 3 * (16 + Math.ceil(ms / 2000));
  book.check(
    dials <= most,
    'a server that is refused is asked too often',
    `${dials} dials to three servers in ${Math.round(ms)} ms, ${most} at most`,
  );
}

async function dialsOf({ world }) {
  const ports = world.of({ refusing: true }).map(({ name }) => world.upstreams.get(name).port);
  const dials = await world.series('upstream_dials_total');
  return [...dials].reduce(
    (sum, [labels, value]) => sum + (ports.some((port) => labels.includes(`:${port}"`)) ? value : 0),
    0,
  );
}

async function leaves(client, how) {
  if (how === 0) return client.reset();
  if (how === 1) return client.finish();
  if (how === 2) client.write('\0\xff garbage');
  if (how === 3) await client.until(() => client.heard.length > 0 || client.over !== null, 1000);
  else await client.until(() => client.connected || client.over !== null, 1000);
  return client.reset();
}

/** Lines that never end, and ends that never come, where letterlock reads them itself. */
async function longLines(run, each) {
  const { world, book } = run;
  const before = await world.rejections();
  const base = world.daemon.memory;
  const starttls = world.of({ leg: 'starttls' }).filter(({ way }) => way !== 'slow');
  const refused = world.of({ refusing: true });
  const line = Buffer.alloc(2 ** 20, 'A');
  const many = Buffer.from('NOOP\r\n'.repeat(500));
  const tries = [];
  for (let number = 0; number < each; number += 1) {
    const route = starttls[number % starttls.length];
    tries.push(
      { route, bytes: line, counted: true },
      { route, bytes: many, counted: true },
      { route: refused[number % refused.length], bytes: line, counted: false },
    );
  }
  const serving = serve(
    world.of({}).find(({ name }) => name === 'pop3-starttls-off'),
    { ...run, times: 3 },
  );
  await Promise.all(tries.map((one) => long(one, run)));
  inTime(await serving, 'among long lines', run);
  const rejections = await world.rejections(before);
  const counted = starttls.reduce(
    (sum, { name }) => sum + countOf(rejections, { route: name, reasons: ['protocol'] }),
    0,
  );
  const expected = tries.filter((one) => one.counted).length;
  book.check(counted === expected, 'an endless line is counted wrongly', `${counted} of ${expected}`);
  book.check(
    world.daemon.memory - base < memoryGrowth,
    'endless lines fill the memory',
    `${Math.round((world.daemon.memory - base) / 2 ** 20)} MiB`,
  );
  book.count('endless lines', tries.length);
}

async function long({ route, bytes }, { world, book }) {
  const client = world.client(route.name);
  try {
    const taken = await client.stream(bytes, { ms: 12_000 });
    const over = await client.ended(12_000);
    book.check(
      over,
      'an endless line is not ended',
      () => `${route.name}: ${bytes.length} bytes, ${taken ? 'all taken' : 'not taken'}`,
    );
    book.check(
      client.heard.length < 65_536,
      'an endless line is answered without an end',
      () => `${route.name}: ${client.heard.length} bytes`,
    );
  } finally {
    client.close();
  }
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
