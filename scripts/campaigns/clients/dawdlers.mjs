// Clients that are slow in every phase there is: what each of them does, and how long letterlock may put up with it.

import { setMaxListeners } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { inTime, serve } from './good-client.mjs';
import { greeted, relayed } from './steps.mjs';
import { limits } from './world.mjs';

/** Beyond a limit, on a machine that does other things too. */
const graceMs = 3000;
const handshakeMs = limits.handshakeSeconds * 1000;
const minuteMs = 60_000;
/** A client's first record of TLS, without its end. */
const halfHello = Buffer.concat([Buffer.from('160301020001000001fc0303', 'hex'), Buffer.alloc(120, 7)]);
/** After so much it is known to be a flood. */
const floodBytes = 2 ** 18;

const nothing = () => Promise.resolve();
/** However long that takes in a crowd. */
const welcomed = (client, { dialect }) => client.hears(dialect.greeted, 30_000);
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
  { name: 'silent before STARTTLS', at: 'smtp-starttls-starttls', limitMs: minuteMs, does: welcomed },
  {
    name: 'a byte a second before STARTTLS',
    at: 'pop3-implicit-starttls',
    limitMs: minuteMs,
    does: welcomed,
    drip: Buffer.alloc(99, 'A'),
  },
  {
    name: 'a command a second before STARTTLS',
    at: 'lmtp-starttls-starttls',
    limitMs: minuteMs,
    does: welcomed,
    drip: 'NOOP\r\n',
  },
  { name: 'silent in clear', at: 'pop3-implicit-off', limitMs: minuteMs, does: welcomed },
  {
    name: 'a first command without an end',
    at: 'smtp-implicit-off',
    limitMs: minuteMs,
    does: welcomed,
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

const routeOf = (world, name) =>
  [...world.of({}), ...world.of({ refusing: true })].find((route) => route.name === name);

/** All phases at once. Limits of a minute are waited for in the long form only. */
export async function dawdlers(run, isLong) {
  const { world, book, signal } = run;
  // At once, in all: 200 and more that cost a server nothing, or 200 in each phase.
  const each = isLong ? 200 : 20;
  const stopped = new AbortController();
  setMaxListeners(0, stopped.signal);
  const crowd = [];
  const lag = monitorEventLoopDelay();
  lag.enable();
  const opening = slow.map(async (phase) => {
    const route = routeOf(world, phase.at);
    for (let number = 0; number < each && !signal.aborted; number += 1) {
      const client = world.client(phase.at);
      // Its time begins when it is where it is slow: a server that has a crowd to greet greets it late.
      const entered = Promise.resolve(phase.does(client, route, world)).then(() => performance.now());
      crowd.push({ phase, client, entered });
      if (phase.drip !== undefined) void entered.then(() => drip(client, phase.drip, stopped.signal));
      if (number % 10 === 9) await entered;
    }
  });
  const near = world.of({}).filter(({ name }) => slow.some(({ at }) => at === name));
  await Promise.all(opening);
  const took = [];
  for (const route of run.chance.shuffled(near).slice(0, isLong ? near.length : 4))
    took.push(...(await serve(route, { ...run, times: 3 })));
  inTime(took, 'among dawdlers', run);
  // A machine that serves a good client slowly tells of the end of a bad one slowly.
  const slackMs = 2 * graceMs + 10 * Math.max(...took.map(({ ms }) => ms), lag.max / 1e6);
  lag.disable();
  const waited = isLong ? minuteMs : handshakeMs;
  await Promise.all(
    crowd.filter(({ phase }) => phase.limitMs <= waited).map((one) => ended(one, { ...run, slackMs })),
  );
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
async function ended({ phase, client, entered }, { book, slackMs }) {
  const enteredAt = await entered;
  const left = enteredAt + phase.limitMs + graceMs - performance.now();
  const isDeaf = phase.name.includes('deaf') || phase.name.includes('never reads');
  if (isDeaf) {
    // No sooner: what it takes again would be a new beginning.
    await delay(Math.max(0, left) + slackMs);
    client.hearAgain();
  }
  const over = await client.ended(isDeaf ? slackMs : Math.max(left, 100) + slackMs);
  if (!book.check(over, 'a dawdler is not ended', phase.name)) return;
  const lasted = client.overAt - enteredAt;
  book.check(
    isDeaf || lasted <= phase.limitMs + slackMs,
    'a dawdler lasts too long',
    `${phase.name}: ${Math.round(lasted)} ms`,
  );
}
