// Load and soak. Thousands of clients stay logged in, others come and go in every way sessions end, mail is carried both
// ways and checked by its hash, a flood drops connections as fast as it can, and one server's key turns in the middle of it
// all (load/turning.mjs). A real Dovecot is one of the servers, where it is installed. All of it is done by processes of their
// own (load/helper.mjs); the daemon is the one that was built, with the probe of the growth benchmark loaded, which tells its
// memory after a collection of garbage.
//
// What must hold: no client loses its session or waits longer than 5 s, each session ends with its client (load/checkpoint.mjs),
// each refusal is right and counted, nothing grows, and a good client is greeted during the flood. Latencies are figures.

import { planted } from './load/planted.mjs';
import { Soak } from './load/soak.mjs';
import { World } from './load/world.mjs';

async function run({ build, folder, seconds, seed, signal, say }) {
  const until = performance.now() + seconds * 1000;
  const world = new World();
  const soak = new Soak(world, { seconds, seed, signal, say });
  try {
    await world.open({ build, folder, sizes: soak.sizes, found: soak.found });
    if (world.dovecot === null && process.env.CI) soak.found('Dovecot is not installed');
    return { figures: await soak.run(until), findings: soak.findings };
  } catch (error) {
    // What was found before it stopped is most likely why.
    soak.found(`it could not go on: ${error.stack}`);
    await soak.faults().catch(() => undefined);
    return { figures: [], findings: soak.findings };
  } finally {
    await world.close();
  }
}

export const campaign = {
  name: 'load',
  title: 'thousands of sessions, a key that turns, a flood',
  short: 20,
  proof: 30,
  long: 1800,
  planted,
  run,
};
