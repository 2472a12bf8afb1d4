// Growth over idle connections through the daemon: memory and CPU of each, what a step costs with so many open, and how
// long a line on any of them takes to come back.

import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  cell,
  cleanEnv,
  fetchOver,
  freePorts,
  mebibytes,
  pause,
  startDaemon,
  step,
  temporaryFolder,
} from './growth-world.mjs';
import { makeCertificate } from './growth-records.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const sizes = { quick: [1, 100, 1000], full: [1, 10, 100, 1000, 5000, 9000] };
const headings = [
  ['sessions', '/v1/sessions'],
  ['status', 'status'],
  ['metrics', 'scrape'],
  ['one', 'one session more'],
];

export async function connectionsCurve({ dist, quick, given, say }) {
  const { keyFile, certFile, pin } = makeCertificate();
  const upstream = forked('growth-upstream.mjs', [keyFile, certFile]);
  const { port: serverPort } = await upstream.next();
  const [port, metrics] = await freePorts(2);
  const daemon = await startDaemon({
    dist,
    folder: temporaryFolder(),
    config: {
      metrics: { listen: `127.0.0.1:${metrics}` },
      limits: { connections: 10_000 },
      routes: [
        {
          listen: `127.0.0.1:${port}`,
          upstream: `imaps://localhost:${serverPort}`,
          trust: 'pinned',
          pins: [pin],
        },
      ],
    },
  });
  const clients = forked('growth-clients.mjs', [String(port)]);
  await clients.next();
  const rows = [];
  try {
    // What is loaded and compiled at the first sessions is no cost of a session.
    await clients.ask(['open', 1]);
    await fetchOver(metrics, { path: '/metrics' });
    await fetchOver(daemon.socket, { path: '/v1/status' });
    const empty = await daemon.ask('settle');
    let before = 1;
    for (const count of fitting(given ?? (quick ? sizes.quick : sizes.full))) {
      const opened = await step(daemon, () => clients.ask(['open', count]));
      if (opened.error !== undefined) throw new Error(opened.error);
      await pause(1000);
      const { rss } = await daemon.ask('settle');
      const row = {
        count,
        opened,
        cpuPerSession: count > before ? opened.cpuMs / (count - before) : null,
        kibPerSession: count > 1 ? (rss - empty.rss) / 1024 / (count - 1) : null,
        rss,
        sessions: await step(daemon, () => fetchOver(daemon.socket, { path: '/v1/sessions' })),
        status: await step(daemon, () => fetchOver(daemon.socket, { path: '/v1/status' })),
        metrics: await step(daemon, () => fetchOver(metrics, { path: '/metrics' })),
        one: await step(daemon, () => clients.ask(['open', count + 1])),
        echo: (await clients.ask(['echo', 500])).took,
        ...(await everySession(daemon, clients)),
      };
      before = count + 1;
      rows.push(row);
      say(
        `connections ${count}: ${(row.cpuPerSession ?? 0).toFixed(2)} ms each, ${(row.kibPerSession ?? 0).toFixed(0)} KiB each, open ${cell(row.opened)} (collector ${row.opened.gcMs.toFixed(0)}), ${headings.map(([key, name]) => `${name} ${cell(row[key])}`).join(', ')}, line p50 ${row.echo[250].toFixed(1)} max ${row.echo.at(-1).toFixed(1)} ms, a byte on each ${row.every.bytes.at(-1).toFixed(1)}, a line ${row.every.lines.at(-1).toFixed(1)} ms at most`,
      );
    }
  } finally {
    clients.child.disconnect();
    upstream.child.disconnect();
    await daemon.stop();
  }
  return {
    title: 'Idle connections (ms / CPU ms / longest hold ms)',
    header: [
      'sessions',
      'CPU ms each',
      'longest hold while opening (of the collector)',
      'KiB each',
      'RSS MiB',
      ...headings.map(([, name]) => name),
      'a line and back p50 / p99 / longest',
      'a byte, a line on each, one after another: longest',
      'hold meanwhile',
    ],
    rows: rows.map((row) => [
      row.count,
      row.cpuPerSession?.toFixed(2) ?? '-',
      `${row.opened.holdMs.toFixed(0)} (${row.opened.gcMs.toFixed(0)})`,
      row.kibPerSession?.toFixed(0) ?? '-',
      mebibytes(row.rss),
      ...headings.map(([key]) => cell(row[key])),
      `${row.echo[250].toFixed(1)} / ${row.echo[495].toFixed(1)} / ${row.echo.at(-1).toFixed(1)} ms`,
      `${row.every.bytes.at(-1).toFixed(1)}, ${row.every.lines.at(-1).toFixed(1)} ms`,
      row.every.holdMs.toFixed(0),
    ]),
    raw: rows,
  };
}

/**
 * A line, then a byte, on each session, one after another; how long the daemon's loop was held meanwhile. The line comes
 * first: until its first line is known to be mail, a client's bytes wait.
 */
async function everySession(daemon, clients) {
  const every = await step(daemon, async () => {
    const { took: lines } = await clients.ask(['every', 8]);
    const { took: bytes, lost } = await clients.ask(['every', 1]);
    return { bytes, lines, lost };
  });
  if (every.lost > 0) throw new Error(`${every.lost} sessions were lost`);
  return { every };
}

/** A session has two descriptors in the daemon. */
function fitting(wanted) {
  const limit = Number(
    /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024,
  );
  const most = Math.floor((limit - 200) / 2);
  const kept = wanted.filter((size) => size <= most);
  if (kept.length < wanted.length)
    process.stderr.write(
      `${limit} descriptors are enough for ${most} sessions: raise ulimit -n for the larger steps\n`,
    );
  return kept;
}

function forked(file, args) {
  const child = fork(join(here, file), args, {
    env: cleanEnv(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const next = () => new Promise((resolve) => child.once('message', resolve));
  return {
    child,
    next,
    ask: (words) => {
      const answer = next();
      child.send(words);
      return answer;
    },
  };
}
