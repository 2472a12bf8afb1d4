// A flood of connections that are dropped at once, on the port of a route, while good clients come to that port and to another.
// All of those have to be greeted, and the server behind must not be flooded with dials in turn.

import { watchLag } from './lag.mjs';
import { endings } from './sizes.mjs';

const wantedPerSecond = 10_000;
const goodPerSecond = 8;
/** A good client on the flooded port stands in a queue with the flood; on others it does not. */
const behindMs = 15_000;
const fewestPerSecond = 100;

/** Gives what was made, and the longest hold. */
export async function flooded(world, { seconds, seed, found }) {
  const { helpers, routes } = world;
  const row = { weight: 1, endings: endings({ logout: 1 }) };
  const mix = [
    { ...routes.flooded, ...row, withinMs: behindMs },
    { ...routes.steady, ...row, label: 'elsewhere' },
  ];
  const before = await dialsAndClients(world);
  await helpers.fleeting.ask('start', { perSecond: goodPerSecond, mix, seed });
  const lag = watchLag(world);
  const about = { port: routes.flooded.port, perSecond: wantedPerSecond, seconds };
  const made = await helpers.flood.ask('flood', about, seconds * 1000 + 30_000);
  const stuck = await helpers.fleeting.ask('pause', { withinMs: behindMs + 5000 });
  const lagMs = await lag.end();
  if (stuck > 0) found(`${stuck} good clients were stuck behind a flood`);
  if (made.made < fewestPerSecond * seconds) found(`the flood came to ${made.made} connections only`);
  const after = await dialsAndClients(world);
  const [accepted, dialled] = [after.clients - before.clients, after.dials - before.dials];
  if (dialled > goodPerSecond * seconds * 2 + accepted / 10)
    found(`${accepted} connections that were dropped at once made ${dialled} to the server`);
  return { ...made, accepted, lagMs };
}

async function dialsAndClients(world) {
  const metrics = await world.metrics();
  const { endpoint, name } = world.routes.flooded;
  return {
    dials: metrics.sum('letterlock_upstream_dials_total', { upstream: endpoint }),
    clients: metrics.sum('letterlock_client_connections_total', { route: name }),
  };
}
