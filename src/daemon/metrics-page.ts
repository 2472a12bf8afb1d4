// The page a daemon's metrics are read from, and what a busy port means for it.

import type { Config } from '../config.ts';
import { CommandError } from '../errors.ts';
import type { Metrics } from '../ops/metrics.ts';
import { serveMetrics } from '../ops/metrics-server.ts';
import type { MetricsServer } from '../ops/metrics-server.ts';
import type { Engine, Ground } from './engine.ts';

interface PageFacts {
  /** Listeners bound and store usable. */
  readonly ready: () => boolean;
  readonly warn: (message: string) => void;
}

/** As the configuration says; closed with the daemon. Null without metrics, or where their default port is busy. */
export async function openPage(
  ground: Ground,
  { metrics, proxy, store, on }: Engine,
): Promise<MetricsServer | null> {
  const place = ground.force.config.metrics;
  if (metrics === null || place === null) return null;
  const server = await servePage(place, metrics, {
    ready: () =>
      proxy.status().some(({ state }) => state !== 'draining') && store.health().state !== 'unavailable',
    warn: (message) => on({ type: 'warning', code: 'metrics-port-busy', message }),
  });
  if (server !== null) ground.closing.add(() => server.close());
  return server;
}

/**
 * Serves the page; null, after telling `warn`, when the default port is busy.
 * @throws CommandError `network` when the address was asked for and cannot be had
 */
async function servePage(
  place: NonNullable<Config['metrics']>,
  metrics: Metrics,
  { ready, warn }: PageFacts,
): Promise<MetricsServer | null> {
  try {
    const { contentType } = metrics;
    return await serveMetrics(place, { contentType, ready, text: () => pageText(metrics, ready) });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const why = code === 'EADDRINUSE' ? 'the port is in use' : code;
    const message = `cannot serve metrics on ${place.host}:${place.port}: ${why}`;
    if (place.explicit || code !== 'EADDRINUSE') throw unavailable(message, cause);
    warn(`${message}; running without (metrics: {listen: …} names another)`);
    return null;
  }
}

const unavailable = (message: string, cause: unknown): CommandError =>
  new CommandError('network', message, {
    code: 'listen-failed',
    cause,
    hint: 'Name another address with metrics: {listen: …}, or switch them off with metrics: null.',
  });

/** Readiness is looked at when asked, like everything that is a state. */
function pageText(metrics: Metrics, ready: () => boolean): Promise<string> {
  metrics.ready(ready() ? 'ready' : 'not-ready');
  return metrics.text();
}
