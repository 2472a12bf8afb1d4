// A real Prometheus for the picture: it scrapes each second and is asked over HTTP what the panels ask.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const rateInterval = '10s';
const stepSeconds = 2;
const barSeconds = 10;

/** Starts it in the world's folder; resolves when it answers. */
export async function startPrometheus({ folder, metrics, port, environment }) {
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'letterlock', static_configs: [{ targets: [metrics] }] }],
    }),
  );
  const words = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ];
  const child = spawn('prometheus', words, { stdio: ['ignore', 'ignore', 'inherit'], env: environment });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries += 1) {
    if (
      await fetch(`${url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    if (tries > 200 || child.exitCode !== null) throw new Error('prometheus did not start');
    await delay(100);
  }
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/** The variables of the board, as when everything is chosen. */
const filled = (expr) =>
  expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__interval', `${barSeconds}s`)
    .replaceAll(/\$(?:job|instance|route|upstream)\b/g, '.*');

/** What each target of a panel answers: `{ target, series }`, over the range or at its end. */
export async function ask(url, panel, { start, end }) {
  const results = [];
  for (const target of panel.targets ?? []) {
    const query = new URLSearchParams({ query: filled(target.expr) });
    const path = target.range ? 'query_range' : 'query';
    if (target.range) {
      query.set('start', String(start));
      query.set('end', String(end));
      query.set('step', String(panel.interval === undefined ? stepSeconds : barSeconds));
    } else query.set('time', String(end));
    const answer = await (await fetch(`${url}/api/v1/${path}?${query}`)).json();
    if (answer.status !== 'success') throw new Error(`${panel.title}: ${answer.error}`);
    const series = answer.data.result.map(({ metric, values, value }) => ({
      labels: metric,
      points: (values ?? [value]).map(([at, text]) => [at, Number(text)]),
    }));
    results.push({ target, series });
  }
  return results;
}
