// Clients that stay, in a process of their own: logged in and in IDLE, as mail programs are all day. Now and then one is
// asked for a NOOP; one that goes without being told to is lost.

import { quantile } from '../../benchmark/statistics.mjs';
import { numbersFrom } from '../lab/numbers.mjs';
import { answer } from './helper.mjs';
import { MailClient, stuckMs } from './mail-client.mjs';

/** At a time: whoever opens thousands at once measures queues. */
const atOnce = 16;
const mostFaults = 20;

/** By the name of the route: those that are open or were lost. */
const held = new Map();
const released = [];
const faults = [];
/** Why those went that were not told to. */
const lost = [];
const greeted = [];
const meter = { timer: null, took: [], busy: false };
/** Of each route. */
const opened = {};

const isOpen = ({ over }) => over === null;
const fault = (text) => faults.length < mostFaults && faults.push(text);

/** Those that are open; the others are lost. */
function clientsOf(name) {
  const clients = held.get(name) ?? [];
  const open = clients.filter(isOpen);
  if (open.length < clients.length)
    lost.push(...clients.filter((client) => !isOpen(client)).map(({ over }) => `${name}: ${over}`));
  held.set(name, open);
  return open;
}

async function stay({ name, port, count, login, mailbox = '' }) {
  const clients = clientsOf(name);
  let missing = count - clients.length;
  const one = async () => {
    const client = new MailClient(port);
    opened[name] = (opened[name] ?? 0) + 1;
    // A crowd waits for its turns to be dialled.
    const line = await client.greeting(6 * stuckMs);
    if (!line.startsWith('* OK'))
      throw new Error(`${name} greeted ${JSON.stringify(line)} (${String(client.over)})`);
    greeted.push(client.greetedMs);
    await client.say(`LOGIN ${login}`, 6 * stuckMs);
    if (mailbox !== '') await client.say(`SELECT ${mailbox}`, 6 * stuckMs);
    await idle(client);
    clients.push(client);
  };
  const worker = async () => {
    while (missing > 0) {
      missing -= 1;
      await one().catch((error) => fault(`an idle session of ${name}: ${error.message}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return clients.length;
}

async function idle(client) {
  client.write('i IDLE\r\n');
  await client.hear('+ ');
}

/** Milliseconds of a NOOP. */
async function noop(client) {
  client.write('DONE\r\n');
  await client.hear('i OK');
  const since = performance.now();
  await client.say('NOOP');
  const took = performance.now() - since;
  await idle(client);
  return took;
}

/** One after another, a few at once; what fails is a fault. */
async function everyone({ name }) {
  const queue = [...clientsOf(name)];
  let slowest = 0;
  const worker = async () => {
    for (let client = queue.pop(); client !== undefined; client = queue.pop())
      await noop(client).then(
        (took) => (slowest = Math.max(slowest, took)),
        (error) => fault(`a NOOP on an idle session of ${name}: ${error.message}`),
      );
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { asked: clientsOf(name).length, slowest };
}

function measure({ names, perSecond, seed }) {
  const chance = numbersFrom(seed);
  const once = async () => {
    if (meter.busy) return;
    const clients = names.flatMap(clientsOf);
    if (clients.length === 0) return;
    meter.busy = true;
    try {
      meter.took.push(await noop(clients[Math.floor(chance() * clients.length)]));
    } catch (error) {
      fault(`a NOOP on an idle session: ${error.message}`);
    } finally {
      meter.busy = false;
    }
  };
  meter.timer = setInterval(() => void once(), 1000 / perSecond);
}

/** Resolves when nothing of it is under way. */
async function rest() {
  clearInterval(meter.timer);
  meter.timer = null;
  while (meter.busy) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Those of a route will be ended by the other side: from now on that is no loss. How many they are. */
function release({ name }) {
  released.push(...clientsOf(name));
  held.set(name, []);
  return released.length;
}

/** How many of those released are open still after this time. */
async function left({ withinMs }) {
  const clients = released.splice(0);
  await Promise.all(clients.map((client) => client.closed(withinMs).catch(() => undefined)));
  return clients.filter(isOpen).length;
}

/** In each of the ways clients leave. */
async function leave({ name }) {
  const clients = clientsOf(name);
  held.set(name, []);
  const ways = [
    (client) => client.reset(),
    (client) => client.end(),
    async (client) => {
      client.write('DONE\r\n');
      await client.hear('i OK');
      await client.say('LOGOUT').catch(() => undefined);
      client.end();
    },
  ];
  const way = async (client, index) => {
    await ways[index % ways.length](client);
    await client.closed();
  };
  const each = clients.map((client, index) =>
    way(client, index).catch((error) => fault(`an idle session of ${name} that left: ${error.message}`)),
  );
  await Promise.all(each);
  return clients.length;
}

const figures = (took) =>
  took.length === 0
    ? null
    : {
        count: took.length,
        p50: quantile(took, 0.5),
        p99: quantile(took, 0.99),
        p999: quantile(took, 0.999),
        most: quantile(took, 1),
      };

answer({
  open: stay,
  everyone,
  measure,
  rest,
  release,
  left,
  leave,
  ports: () =>
    [...held.values()]
      .flat()
      .filter(isOpen)
      .map(({ port }) => port),
  tell: () => ({
    opened,
    open: Object.fromEntries([...held.keys()].map((name) => [name, clientsOf(name).length])),
    lost,
    noop: figures(meter.took),
    greeting: figures(greeted),
    faults,
  }),
});
