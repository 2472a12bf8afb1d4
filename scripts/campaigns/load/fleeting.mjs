// Clients that come and go, in a process of their own: so many each second whether the others are done or not, each ending
// in one of the ways sessions end. What each was told is written down with the time, for whoever knows what it should be.

import { quantile } from '../../benchmark/statistics.mjs';
import { numbersFrom } from '../lab/numbers.mjs';
import { drawn } from './chance.mjs';
import { answer } from './helper.mjs';
import { MailClient } from './mail-client.mjs';

const mostFaults = 20;
const downloadBytes = 1_048_576;
/** The words of a refusal, whole: nothing more is told, and nothing of the server's. */
const refusal =
  /^\* BYE (?:\[ALERT\] )?letterlock refused localhost: (?<cause>[^.]+)\. Nothing was sent \(#[0-9A-Z-]+\)\. Run: letterlock explain (?<reference>[0-9A-Z]{8})\r\n$/;
const reasons = {
  'its key changed': 'pin-mismatch',
  'its key is new and waits for approval': 'first-use-held',
};

const flying = new Set();
const faults = [];
/** Of each route: how many began, and what became of them. */
const counts = {};
/** Milliseconds to the greeting, by the label of the row. */
const greeted = {};
/** Of routes that are watched: when, and what was told. */
const told = [];
let timer = null;

const fault = (text) => faults.length < mostFaults && faults.push(text);
const countsOf = (name) => (counts[name] ??= { began: 0, served: 0, refused: {}, reset: 0, early: 0 });

/** `mix`: `{name, port, weight, login, endings: [{how, weight}]}`, and `label`, `watched`, `withinMs` to its greeting. */
function start({ perSecond, mix, seed }) {
  const chance = numbersFrom(seed);
  const since = performance.now();
  let begun = 0;
  const due = () => {
    for (; begun < ((performance.now() - since) / 1000) * perSecond; begun += 1) {
      const row = drawn(mix, chance);
      void visit(row, { how: drawn(row.endings, chance).how, chance });
    }
  };
  timer = setInterval(due, 5);
}

async function visit(row, { how, chance }) {
  const { name, port } = row;
  const client = new MailClient(port);
  flying.add(client);
  countsOf(name).began += 1;
  try {
    if (how === 'early') await leaveEarly(client, { name, afterMs: chance() * 4 });
    else await beGreeted(client, row, { how, seed: Math.floor(chance() * 1e9) });
  } catch (error) {
    fault(`a session of ${name} (${how}): ${error.message}`);
  } finally {
    client.reset();
    flying.delete(client);
  }
}

async function leaveEarly(client, { name, afterMs }) {
  countsOf(name).early += 1;
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  client.reset();
  await client.closed();
}

async function beGreeted(client, row, { how, seed }) {
  const { name, label = name, watched = false, withinMs } = row;
  const line = await client.greeting(withinMs);
  const refused = refusal.exec(line);
  const turn = /^\* OK .* (\d+) ready\r\n$/.exec(line)?.[1];
  if (watched)
    told.push({
      name,
      began: client.began,
      at: Date.now(),
      turn: Number(turn ?? 0),
      refused: refused?.groups.cause ?? null,
    });
  if (refused !== null) return beRefused(client, { name, cause: refused.groups.cause });
  if (!line.startsWith('* OK'))
    throw new Error(`greeted with ${JSON.stringify(line)} (${String(client.over)})`);
  (greeted[label] ??= []).push(client.greetedMs);
  countsOf(name).served += 1;
  if (row.login !== undefined) await client.say(`LOGIN ${row.login}`);
  await client.say('NOOP');
  await part(client, { how, name, seed });
  await client.closed();
}

/** After the words there is nothing but the end. */
async function beRefused(client, { name, cause }) {
  const reason = reasons[cause] ?? cause;
  const { refused } = countsOf(name);
  refused[reason] = (refused[reason] ?? 0) + 1;
  const { heard } = client;
  await client.closed();
  if (client.heard !== heard) throw new Error('more came after the words of a refusal');
}

async function part(client, { how, name, seed }) {
  switch (how) {
    case 'logout':
      await client.say('LOGOUT');
      break;
    case 'end':
      client.end();
      break;
    case 'reset':
      client.reset();
      break;
    case 'break off':
      await client.breakOff({ seed, bytes: downloadBytes });
      break;
    case 'server ends':
      client.write('x XEND\r\n');
      break;
    case 'server resets':
      countsOf(name).reset += 1;
      client.write('x XRESET\r\n');
      break;
    default:
      throw new Error(`no way to part is called ${how}`);
  }
}

/** No new ones; resolves when the others are over, or after `withinMs`. */
async function pause({ withinMs }) {
  clearInterval(timer);
  timer = null;
  const deadline = performance.now() + withinMs;
  while (flying.size > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return flying.size;
}

const figures = (took) => ({
  count: took.length,
  p50: quantile(took, 0.5),
  p99: quantile(took, 0.99),
  p999: quantile(took, 0.999),
  most: quantile(took, 1),
});

answer({
  start,
  pause,
  ports: () => [...flying].filter(({ over }) => over === null).map(({ port }) => port),
  tell: () => ({
    counts,
    told,
    faults,
    greeting: Object.fromEntries(Object.entries(greeted).map(([name, took]) => [name, figures(took)])),
  }),
});
