// Growth over keys that wait for the operator: at most sixteen of one server are kept, so that the curve goes over servers.

import { join } from 'node:path';
import {
  cell,
  fetchOver,
  freePorts,
  mebibytes,
  startDaemon,
  step,
  temporaryFolder,
} from './growth-world.mjs';
import { endpointOf, fill, makeCertificate, openStore } from './growth-records.mjs';

const sizes = {
  quick: [
    [1, 1],
    [1, 16],
    [100, 16],
  ],
  full: [
    [1, 1],
    [1, 16],
    [100, 16],
    [1000, 16],
    [5000, 16],
  ],
};
const headings = [
  ['start', 'start'],
  ['list', '/v1/pins'],
  ['one', 'one endpoint'],
  ['metrics', 'scrape'],
  ['explain', 'explain, no such'],
];

export async function candidatesCurve({ dist, quick, say }) {
  const { pem } = makeCertificate();
  const rows = [];
  for (const [endpoints, waiting] of quick ? sizes.quick : sizes.full) {
    const folder = temporaryFolder();
    const store = await openStore(dist, join(folder, 'state'));
    await fill(store, { from: 0, count: endpoints, waiting, pem, batch: 200 });
    await store.close();
    const [port, metrics] = await freePorts(2);
    const daemon = await startDaemon({
      dist,
      folder,
      config: {
        trust: 'tofu',
        metrics: { listen: `127.0.0.1:${metrics}` },
        routes: [{ listen: `127.0.0.1:${port}`, upstream: 'imaps://localhost:1' }],
      },
    });
    const get = (path) => step(daemon, () => fetchOver(daemon.socket, { path }).catch(() => null));
    try {
      await fetchOver(metrics, { path: '/metrics' });
      await fetchOver(daemon.socket, { path: '/v1/status' });
      const row = {
        count: endpoints * waiting,
        start: daemon.started,
        list: await get('/v1/pins'),
        one: await get(`/v1/pins/${encodeURIComponent(endpointOf(0))}`),
        metrics: await step(daemon, () => fetchOver(metrics, { path: '/metrics' })),
        explain: await get('/v1/explain/00000000'),
      };
      rows.push({ ...row, endpoints, waiting });
      say(
        `candidates ${row.count}: ${headings.map(([key, name]) => `${name} ${cell(row[key])}`).join(', ')}`,
      );
    } finally {
      await daemon.stop();
    }
  }
  return {
    title: 'Candidates (ms / CPU ms / longest hold ms)',
    header: ['candidates', 'of servers', ...headings.map(([, name]) => name), 'RSS MiB'],
    rows: rows.map((row) => [
      row.count,
      row.endpoints,
      ...headings.map(([key]) => cell(row[key])),
      mebibytes(row.start.rss),
    ]),
    raw: rows,
  };
}
