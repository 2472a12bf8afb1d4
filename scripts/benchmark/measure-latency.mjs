// What a proxy adds to a round trip of a few bytes over a warm connection: one connection, one message at a time.
// Beside two direct ones to the same server: in clear, as the client speaks, and in TLS, as it would have to.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Ears, greeted, openClient } from './client.mjs';
import { quantile } from './statistics.mjs';

/** Calls `told(name, number, percentile)`, microseconds above the direct plain connection of the same repetition. */
export async function measureLatency(world, { workload, running, amount, reps, told }) {
  for (let rep = 0; rep < reps; rep += 1) {
    const direct = await trips(await openClient(world.upstream.plain), amount);
    told('direct, plain', direct.p50, 'p50');
    told('direct, plain', direct.p99, 'p99');
    const compare = async (name, client) => {
      const { p50, p99 } = await trips(client, amount);
      told(name, p50 - direct.p50, 'p50');
      told(name, p99 - direct.p99, 'p99');
    };
    await compare('direct, TLS', await openDirect(world));
    for (const one of running) await compare(one.name, await openClient(one.port(workload.leg)));
  }
}

async function trips(client, { count }) {
  try {
    await client.login();
    // The code of both ends is compiled by the time the ones that count are sent.
    const all = await client.roundTrips(count + 1000);
    const counted = all.subarray(1000);
    return { p50: quantile(counted, 0.5), p99: quantile(counted, 0.99) };
  } finally {
    client.destroy();
  }
}

function openDirect({ folder, upstream }) {
  const ca = readFileSync(join(folder, 'ca.pem'));
  const ears = new Ears(16_384);
  const socket = connectTls({
    port: upstream.ec,
    host: '127.0.0.1',
    servername: 'localhost',
    ca,
    onread: ears.onread,
  });
  socket.setNoDelay(true);
  return greeted(socket, ears);
}
