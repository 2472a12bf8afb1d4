// Clients that come and go at once, in every way one can go, as many as there is time for.

import { inTime, serve } from './good-client.mjs';

/** For so many milliseconds. */
export async function storms(run, ms) {
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
