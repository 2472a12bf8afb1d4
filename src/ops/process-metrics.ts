// What of the process itself is worth a series: CPU, memory, file descriptors, event-loop lag, garbage
// collection. The default set of the metrics library is not used: three of its gauges are named like
// counters, and it can never be switched off again.

import { readFileSync, readdirSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import type * as Prometheus from 'prom-client';
import { LoopLag } from './loop-lag.ts';
import type { MetricsLevel } from './metric-families.ts';

type Library = typeof Prometheus;

const gcKinds: Readonly<Record<number, string>> = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' };
const lagPercentiles = [50, 90, 99] as const;

export interface ProcessMetrics {
  /** Something happens in this process. */
  stir(): void;
  /** Stops what was started for the series. */
  close(): void;
}

/** Registers the process's series. */
export function registerProcess(library: Library, registry: Registry, level: MetricsLevel): ProcessMetrics {
  registerUsage(library, registry);
  const lag = registerLag(library, registry);
  const stopGc = level === 'minimal' ? null : registerGc(library, registry);
  return {
    stir: () => lag.stir(),
    close: () => {
      lag.close();
      stopGc?.();
    },
  };
}

function registerUsage({ Counter, Gauge }: Library, registry: Registry): void {
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time used, user and system.',
    registers: [],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const memory = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers: [],
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  const files = new Gauge({
    name: 'process_open_fds',
    help: 'Open file descriptors.',
    registers: [],
    collect() {
      this.set(openFiles() ?? 0);
    },
  });
  const limit = new Gauge({
    name: 'process_max_fds',
    help: 'Limit of open file descriptors.',
    registers: [],
  });
  for (const metric of [cpu, memory]) registry.registerMetric(metric);
  if (openFiles() !== null) registry.registerMetric(files);
  const maxFiles = openFileLimit();
  if (maxFiles === null) return;
  limit.set(maxFiles);
  registry.registerMetric(limit);
}

function openFiles(): number | null {
  try {
    // One of them is the directory being read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}

function openFileLimit(): number | null {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}

function registerLag({ Gauge }: Library, registry: Registry): LoopLag {
  const lag = new LoopLag();
  const gauges = lagPercentiles.map((percentile) => ({
    percentile,
    gauge: new Gauge({
      name: `nodejs_eventloop_lag_p${percentile}_seconds`,
      help: `Event-loop delay since the last scrape, ${percentile}th percentile.`,
      registers: [],
    }),
  }));
  const longest = new Gauge({
    name: 'nodejs_eventloop_lag_max_seconds',
    help: 'Event-loop delay since the last scrape, longest.',
    registers: [],
    collect() {
      for (const { percentile, gauge } of gauges) gauge.set(lag.percentile(percentile));
      this.set(lag.longest);
      lag.forget();
    },
  });
  // First, because it sets the others at a scrape.
  for (const metric of [longest, ...gauges.map(({ gauge }) => gauge)]) registry.registerMetric(metric);
  return lag;
}

function registerGc({ Histogram }: Library, registry: Registry): () => void {
  const durations = new Histogram({
    name: 'nodejs_gc_duration_seconds',
    help: 'Garbage collection pauses, by kind.',
    labelNames: ['kind'],
    buckets: [0.001, 0.01, 0.1, 1],
    registers: [registry],
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) durations.observe({ kind: gcKind(entry) }, entry.duration / 1000);
  });
  observer.observe({ entryTypes: ['gc'] });
  return () => {
    observer.disconnect();
  };
}

function gcKind(entry: object): string {
  const detail = 'detail' in entry ? entry.detail : null;
  const kind = typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : null;
  return gcKinds[Number(kind)] ?? 'other';
}
