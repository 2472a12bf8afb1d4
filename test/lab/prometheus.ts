// A real Prometheus that scrapes and evaluates rules each second, asked over its HTTP API.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { temporaryFolder } from './folder.ts';
import { freePorts } from './port.ts';
import { cleanEnvironment, start } from './run.ts';
import { until } from './wait.ts';

const answer = z.looseObject({ status: z.string(), error: z.string().optional(), data: z.unknown() });
const samples = z.looseObject({
  result: z.array(
    z.looseObject({
      metric: z.record(z.string(), z.string()),
      value: z.tuple([z.number(), z.string()]).optional(),
      values: z.array(z.tuple([z.number(), z.string()])).optional(),
    }),
  ),
});
const alertList = z.looseObject({
  alerts: z.array(
    z.looseObject({
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
      state: z.enum(['pending', 'firing']),
    }),
  ),
});

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** `[unix seconds, value]`, oldest first. */
  readonly points: readonly (readonly [number, number])[];
}
export type Alert = z.infer<typeof alertList>['alerts'][number];

export interface Prometheus {
  /** Throws with Prometheus' own words when it cannot evaluate `expr`. */
  query(expr: string): Promise<readonly Series[]>;
  firing(): Promise<readonly Alert[]>;
  stop(): Promise<void>;
}

/** Starts it with one target; resolves when the target was scraped. */
export async function startPrometheus(options: {
  readonly target: string;
  readonly rules: readonly string[];
}): Promise<Prometheus> {
  const folder = await temporaryFolder();
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const config = join(folder.path, 'prometheus.yml');
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: options.rules,
      scrape_configs: [{ job_name: 'letterlock', static_configs: [{ targets: [options.target] }] }],
    }),
  );
  const program = await start(
    [
      'prometheus',
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder.path, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { env: cleanEnvironment(folder.path) },
  );
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, error, data } = answer.parse(await response.json());
    if (status !== 'success') throw new Error(error ?? 'no success');
    return data;
  };
  const query: Prometheus['query'] = async (expr) => {
    const { result } = samples.parse(await api(`query?query=${encodeURIComponent(expr)}`));
    return result.map(({ metric, value, values }) => ({
      labels: metric,
      points: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => [at, Number(text)]),
    }));
  };
  const stop = async (): Promise<void> => {
    await program.stop();
    await folder.remove();
  };
  try {
    await until('the first scrape', async () => (await query('up == 1').catch(() => [])).length > 0, 30_000);
  } catch (error) {
    await stop();
    throw new Error(`prometheus: ${program.output()}`, { cause: error });
  }
  return {
    query,
    firing: async () => {
      const { alerts } = alertList.parse(await api('alerts'));
      return alerts.filter(({ state }) => state === 'firing');
    },
    stop,
  };
}
