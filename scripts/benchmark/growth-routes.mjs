// Growth over routes: each with a listener and a server of its own, none of which is ever reached.

import {
  cell,
  fetchOver,
  freePorts,
  mebibytes,
  startDaemon,
  step,
  temporaryFolder,
} from './growth-world.mjs';

const sizes = { quick: [1, 100, 1000], full: [1, 100, 1000, 2000, 5000] };
const headings = [
  ['start', 'start'],
  ['status', 'status'],
  ['list', '/v1/pins'],
  ['endpoints', '/v1/endpoints'],
  ['metrics', 'scrape'],
  ['ready', '/readyz'],
  ['reload', 'reload'],
  ['changed', 'reload, one changed'],
];

export async function routesCurve({ dist, quick, given, say, most = Infinity }) {
  const rows = [];
  for (const count of (given ?? (quick ? sizes.quick : sizes.full)).filter((size) => size <= most)) {
    const row = await stepsAt(dist, count).catch((error) => ({
      count,
      error: String(error.message).slice(-300),
    }));
    rows.push(row);
    say(
      row.error === undefined
        ? `routes ${count}: ${headings.map(([key, name]) => `${name} ${cell(row[key])}`).join(', ')}, ${mebibytes(row.start.rss)} MiB`
        : `routes ${count}: ${row.error}`,
    );
  }
  return {
    title: 'Routes (ms / CPU ms / longest hold ms)',
    header: ['routes', ...headings.map(([, name]) => name), 'RSS MiB', 'scrape MiB'],
    rows: rows.map((row) =>
      row.error === undefined
        ? [
            row.count,
            ...headings.map(([key]) => cell(row[key])),
            mebibytes(row.start.rss),
            (row.metrics.bytes / 1048576).toFixed(1),
          ]
        : [row.count, row.error.replaceAll(/\s+/g, ' '), ...headings.slice(1).map(() => '-'), '-', '-'],
    ),
    raw: rows,
  };
}

async function stepsAt(dist, count) {
  const [metrics] = await freePorts(1);
  const config = {
    trust: 'tofu',
    watch: '24h',
    metrics: { listen: `127.0.0.1:${metrics}`, maxLabelValues: 10_000 },
    // An address of loopback that nobody else takes ports of.
    routes: Array.from({ length: count }, (_, at) => ({
      listen: `127.77.0.1:${20_000 + at}`,
      upstream: `imaps://mail-${at}.invalid`,
    })),
  };
  const daemon = await startDaemon({ dist, folder: temporaryFolder(), config });
  const get = (path) => step(daemon, () => fetchOver(daemon.socket, { path }));
  const scrape = (path) => step(daemon, () => fetchOver(metrics, { path }));
  const reload = () => step(daemon, () => fetchOver(daemon.socket, { path: '/v1/reload', method: 'POST' }));
  try {
    await fetchOver(metrics, { path: '/metrics' });
    await fetchOver(daemon.socket, { path: '/v1/status' });
    const row = {
      count,
      start: daemon.started,
      status: await get('/v1/status'),
      list: await get('/v1/pins'),
      endpoints: await get('/v1/endpoints'),
      metrics: await scrape('/metrics'),
      ready: await scrape('/readyz'),
      reload: await reload(),
    };
    const [first, ...others] = config.routes;
    daemon.write({ ...config, routes: [{ ...first, upstream: 'imaps://another.invalid' }, ...others] });
    row.changed = await reload();
    return row;
  } finally {
    await daemon.stop();
  }
}
