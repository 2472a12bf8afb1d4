// Growth over audit entries. What is kept ends at 100 000, so that the largest sizes show what folding costs; the rows
// without an end are of a store that was told to keep all, which the daemon never is.

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
import { endpointOf, fillAudit, freshKey, openStore } from './growth-records.mjs';

const sizes = { quick: [1, 10_000, 100_000], full: [1, 1000, 10_000, 100_000, 1_000_000] };
const headings = [
  ['start', 'start'],
  ['append', 'one entry more'],
  ['history', 'history'],
  ['of', 'history of one server'],
  ['verify', 'verify'],
];

export async function auditCurve({ dist, quick, given, say }) {
  const rows = [];
  for (const count of given ?? (quick ? sizes.quick : sizes.full)) {
    const folder = temporaryFolder();
    const store = await openStore(dist, join(folder, 'state'), {
      retention: { maxAgeMs: Infinity, maxEntries: 10_000_000 },
    });
    const { took } = await fillAudit(store, { endpoint: endpointOf(0), revision: 0, count });
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
    const get = (path) => step(daemon, () => fetchOver(daemon.socket, { path }));
    const add = (index) =>
      fetchOver(daemon.socket, {
        path: '/v1/commands',
        method: 'POST',
        body: { command: 'add', endpoint: endpointOf(index), pin: freshKey(), forMs: null, unreject: false },
      });
    try {
      await add(1);
      const appends = [];
      for (let index = 2; index < 12; index += 1) appends.push(await step(daemon, () => add(index)));
      const row = {
        count,
        batches: { first: took[0], last: took.at(-1) },
        start: daemon.started,
        append: appends.toSorted((one, other) => one.cpuMs - other.cpuMs)[5],
        history: await get('/v1/history'),
        of: await get(`/v1/history?endpoint=${encodeURIComponent(endpointOf(1))}`),
        verify: await step(daemon, () => fetchOver(daemon.socket, { path: '/v1/verify', method: 'POST' })),
      };
      rows.push(row);
      say(`audit ${count}: ${headings.map(([key, name]) => `${name} ${cell(row[key])}`).join(', ')}`);
    } finally {
      await daemon.stop();
    }
  }
  return {
    title: 'Audit entries (ms / CPU ms / longest hold ms)',
    header: ['entries', ...headings.map(([, name]) => name), 'RSS MiB', '5 000 at once, first', 'last'],
    rows: rows.map((row) => [
      row.count,
      ...headings.map(([key]) => cell(row[key])),
      mebibytes(row.start.rss),
      `${row.batches.first.toFixed(0)} ms`,
      `${row.batches.last.toFixed(0)} ms`,
    ]),
    raw: rows,
  };
}
