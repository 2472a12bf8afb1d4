// A moment in which nothing goes on: who comes and goes has gone, who stays is there. Then the daemon has exactly the
// sessions that its clients have, two descriptors and three sockets for each beside its own, and what memory it needs is seen.

import { pause } from '../../benchmark/growth-world.mjs';

/** Sockets of whoever asks, and files of the store while it is tidied up. */
const otherDescriptors = 8;
/** Of Node's: the client's, the server's, and the one with TLS over it. */
const socketsOfSession = 3;
/** What Node keeps a moment longer, or for ever of those that asked last. */
const otherSockets = 12;

/**
 * `base`: what was measured without a session; null while that is to be found out. What does not come to be right
 * within `patienceMs` is found. Gives what was measured.
 */
export async function checkpoint(world, { base, found, when, patienceMs }) {
  const { helpers, daemon } = world;
  const stuck = await helpers.fleeting.ask('pause', { withinMs: 10_000 });
  if (stuck > 0) found(`${stuck} clients that come and go were not over after 10 s (${when})`);
  await helpers.bulk.ask('pause', {}, 60_000);
  await helpers.idle.ask('rest');
  const ports = new Set([...(await helpers.idle.ask('ports')), ...(await helpers.fleeting.ask('ports'))]);
  const rows = await sameSessions(world, { ports, found, when, patienceMs });
  const descriptors = await sameDescriptors(world, { base, sessions: rows.length, found, when, patienceMs });
  const { sockets } = await daemon.ask('sockets');
  const most = rows.length * socketsOfSession + (base?.sockets ?? 0) + otherSockets;
  if (base !== null && sockets !== null && sockets > most)
    found(`${sockets} sockets are held for ${rows.length} sessions, ${most} at most expected (${when})`);
  const { rss, heapUsed } = await daemon.ask('settle');
  // Also the next scrape's: the garbage that was collected for this is no hold of the daemon's own.
  const { ended } = await totals(world);
  return { at: performance.now(), sessions: rows.length, descriptors, sockets, rss, heapUsed, ended };
}

/** The list of sessions is the list of clients, by their ports, and each is relayed. */
async function sameSessions(world, { ports, found, when, patienceMs }) {
  let differences = [];
  let rows = [];
  for (const deadline = performance.now() + patienceMs; ; await pause(100)) {
    rows = await world.api('/v1/sessions');
    differences = differencesOf(rows, ports);
    if (differences.length === 0) return rows;
    if (performance.now() > deadline) break;
  }
  found(
    `${differences.length} sessions are not as their clients ${patienceMs} ms after (${when}), such as: ${differences[0]}`,
  );
  return rows;
}

function differencesOf(rows, ports) {
  const listed = new Set(rows.map(({ client }) => Number(client?.split(':').at(-1))));
  const unlisted = [...ports]
    .filter((port) => !listed.has(port))
    .map((port) => `the client at port ${port} is in no list`);
  const gone = rows
    .filter(({ client }) => !ports.has(Number(client?.split(':').at(-1))))
    .map((row) => `${row.id} on ${row.route} (${row.stage}) has no client`);
  const unserved = rows
    .filter(({ stage }) => stage !== 'relaying')
    .map((row) => `${row.id} on ${row.route} is ${row.stage}`);
  return [...gone, ...unlisted, ...unserved];
}

async function sameDescriptors(world, { base, sessions, found, when, patienceMs }) {
  if (base === null) return (await world.metrics()).sum('process_open_fds');
  const expected = base.descriptors + 2 * sessions;
  let open = 0;
  for (const deadline = performance.now() + patienceMs; ; await pause(100)) {
    open = (await world.metrics()).sum('process_open_fds');
    if (Math.abs(open - expected) <= otherDescriptors) return open;
    if (performance.now() > deadline) break;
  }
  found(`${open} descriptors are open for ${sessions} sessions, ${expected} expected (${when})`);
  return open;
}

async function totals(world) {
  const metrics = await world.metrics();
  return {
    ended: metrics.sum('letterlock_client_connections_total') - metrics.sum('letterlock_client_connections'),
  };
}
