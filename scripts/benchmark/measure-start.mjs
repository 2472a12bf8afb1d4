// From the start of the process to the first connection it takes, and to the first greeting through it. Each entrant
// is started again and again; what it keeps on disk is there from the second time on, as after any restart.

import { openClient } from './client.mjs';

/** Calls `told(name, ms, what)`. */
export async function measureStart(world, { workload, entrants, amount, told }) {
  for (let rep = 0; rep <= amount.reps; rep += 1)
    for (const entrant of entrants) {
      const running = await world.start(entrant, { legs: [workload.leg] });
      try {
        const client = await openClient(running.port(workload.leg), 1024);
        const greeted = performance.now() - running.beganAt;
        await client.login();
        client.destroy();
        // The first one made what the others find.
        if (rep === 0) continue;
        told(running.name, running.startedMs, 'accept');
        told(running.name, greeted, 'greeting');
      } finally {
        await running.end();
      }
    }
}
