// Growth over pins: a daemon over a store of so many, and everything that reads or writes it.

import { join } from 'node:path';
import {
  cell,
  fetchOver,
  freePorts,
  mebibytes,
  pause,
  runCommand,
  startDaemon,
  step,
  temporaryFolder,
} from './growth-world.mjs';
import { endpointOf, fill, freshKey, makeCertificate, openStore } from './growth-records.mjs';

const sizes = { quick: [1, 1000, 10_000], full: [1, 100, 1000, 10_000, 100_000] };

const headings = [
  ['start', 'start'],
  ['status', 'status'],
  ['list', '/v1/pins'],
  ['one', 'one pin'],
  ['endpoints', '/v1/endpoints'],
  ['records', 'records'],
  ['metrics', 'scrape'],
  ['commit', 'new pin'],
  ['reload', 'reload'],
  ['explain', 'explain'],
  ['verify', 'verify'],
  ['sweep', 'idle minute'],
];

export async function pinsCurve({ dist, quick, given, say, bare = false }) {
  const { pem } = makeCertificate();
  const rows = [];
  for (const count of given ?? (quick ? sizes.quick : sizes.full)) {
    const folder = temporaryFolder();
    const store = await openStore(dist, join(folder, 'state'));
    const filled = await fill(store, { from: 0, count, pem: bare ? null : pem });
    await store.close();
    rows.push(await stepsAt({ dist, folder, count, sweep: !quick && count !== 1, filled }));
    say(
      `pins ${count}: ${headings.map(([key, name]) => `${name} ${rows.at(-1)[key] === undefined ? '-' : cell(rows.at(-1)[key])}`).join(', ')}`,
    );
  }
  return {
    title: `Pins${bare ? ' without certificates' : ''} (ms / CPU ms / longest hold ms)`,
    header: ['pins', ...headings.map(([, name]) => name), 'RSS MiB', 'pins list', 'pins export'],
    rows: rows.map((row) => [
      row.count,
      ...headings.map(([key]) => (row[key] === undefined ? '-' : cell(row[key]))),
      mebibytes(row.start.rss),
      commandCell(row.listCommand),
      commandCell(row.exportCommand),
    ]),
    raw: rows,
  };
}

const commandCell = ({ ms, bytes, code }) =>
  `${ms.toFixed(0)} ms, ${mebibytes(bytes)} MiB${code === 0 ? '' : `, exit ${code}`}`;

async function stepsAt({ dist, folder, count, sweep, filled }) {
  const [port, metrics] = await freePorts(2);
  const config = {
    trust: 'tofu',
    metrics: { listen: `127.0.0.1:${metrics}` },
    routes: [{ listen: `127.0.0.1:${port}`, upstream: 'imaps://localhost:1' }],
  };
  const daemon = await startDaemon({ dist, folder, config });
  const get = (path) => step(daemon, () => fetchOver(daemon.socket, { path }));
  const post = (path, body) => step(daemon, () => fetchOver(daemon.socket, { path, method: 'POST', body }));
  try {
    // Once each before it is measured, so that code is compiled and loaded.
    for (const path of ['/v1/status', '/v1/pins/x:1', '/v1/schema'])
      await fetchOver(daemon.socket, { path }).catch(() => null);
    await fetchOver(metrics, { path: '/metrics' });
    await fetchOver(daemon.socket, {
      path: '/v1/commands',
      method: 'POST',
      body: {
        command: 'add',
        endpoint: 'warm.example.org:993',
        pin: freshKey(),
        forMs: null,
        unreject: false,
      },
    });
    const row = {
      count,
      start: daemon.started,
      fill: { first: filled[0], last: filled.at(-1) },
      status: await get('/v1/status'),
      list: await get('/v1/pins'),
      one: await get(`/v1/pins/${encodeURIComponent(endpointOf(count - 1))}`),
      endpoints: await get('/v1/endpoints'),
      records: await get('/v1/records'),
      metrics: await step(daemon, () => fetchOver(metrics, { path: '/metrics' })),
      commit: await post('/v1/commands', {
        command: 'add',
        endpoint: 'new.example.org:993',
        pin: freshKey(),
        forMs: null,
        unreject: false,
      }),
      reload: await post('/v1/reload', null),
      explain: await step(daemon, () =>
        fetchOver(daemon.socket, { path: '/v1/explain/00000000' }).catch(() => null),
      ),
      verify: await post('/v1/verify', null),
      ...(sweep ? { sweep: await step(daemon, () => pause(61_000)) } : {}),
      listCommand: await runCommand(dist, ['pins', 'list', '--json', '--socket', daemon.socket]),
      exportCommand: await runCommand(dist, ['pins', 'export', '--socket', daemon.socket]),
    };
    row.after = await daemon.ask('settle');
    return row;
  } finally {
    await daemon.stop();
  }
}
