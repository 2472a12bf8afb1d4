// Metrics: a listener that moves series, and the text a scrape gets. Counters exist at 0 before their first
// event (else `increase()` misses it); gauges exist only once their value is known. Labels come from closed
// sets and the configuration, never from a peer.

import type { Rejection } from '../admin/rejection.ts';
import { Pace } from '../pace.ts';
import type { ProxyEvent } from '../proxy/events.ts';
import type { Route } from '../proxy/route.ts';
import type { StoreHealth } from '../store/pin-store.ts';
import type { Build } from './build.ts';
import { boundLabels } from './label-bound.ts';
import type { LabelBound } from './label-bound.ts';
import { registerFamilies } from './metric-families.ts';
import type { Families, MetricsLevel } from './metric-families.ts';
import { eventMover, setDate } from './metric-moves.ts';
import { configureHookRows, configureRows, createCommonRows } from './metric-rows.ts';
import { pageText } from './metric-text.ts';
import { registerProcess } from './process-metrics.ts';

export type KeyState = 'pinned' | 'rejected' | 'candidate' | 'expired';
export type AnchorCounts = Readonly<Record<'system' | 'bundled' | 'file', number>>;

export interface TrustFacts {
  readonly keys: Readonly<Record<KeyState, number>>;
  /** Of every configured endpoint, one of `states`. */
  readonly endpoints: ReadonlyMap<string, string>;
  /** Of pinned endpoints whose live pins all have an end, when the last one ends; milliseconds. */
  readonly pinsEnd: ReadonlyMap<string, number>;
}

/** What is read at the moment of a scrape instead of being told by events. */
export interface MetricsView {
  health(): StoreHealth;
  trust(): Promise<TrustFacts>;
  readonly states: readonly string[];
  /** Has the proxy tell what open sessions carried since they were last asked. */
  tellCarried(): Promise<void>;
  /** How many notices wait for each hook. */
  hooks(): readonly { readonly hook: string; readonly waiting: number }[];
}

export interface Metrics {
  /** Listener for the proxy's events. */
  event(event: ProxyEvent): void;
  /** The routes that count from now on, and the sizes of the anchor sets in use. */
  configure(routes: readonly Route[], anchors: readonly AnchorCounts[]): Promise<void>;
  /** The hooks that count from now on, by name. */
  configureHooks(names: readonly string[]): Promise<void>;
  ready(state: 'ready' | 'not-ready'): void;
  adminServed(route: string, status: number): void;
  adminRejected(reason: Rejection): void;
  readonly contentType: string;
  text(): Promise<string>;
  /** Stops what measures the process. */
  close(): void;
}

export interface MetricsOptions {
  readonly build: Build;
  readonly view: MetricsView;
  readonly now: () => number;
  readonly level: MetricsLevel;
  /** Bounds the values of the labels route and upstream, each. */
  readonly maxLabelValues: number;
}

/** Loads the metrics library, which nothing else does. */
export async function openMetrics(options: MetricsOptions): Promise<Metrics> {
  const library = await import('prom-client');
  const registry = new library.Registry();
  const { level, maxLabelValues } = options;
  const families = registerFamilies(library, registry, level);
  const itself = registerProcess(library, registry, level);
  const bounds = {
    route: boundLabels(maxLabelValues),
    upstream: boundLabels(maxLabelValues),
    hook: boundLabels(maxLabelValues),
  };
  describe(families, options);
  const move = eventMover(families, {
    bounds,
    level,
    now: options.now,
    backend: () => options.view.health().backend,
  });
  return {
    event: (event) => {
      itself.stir();
      move(event);
    },
    configure: async (routes, anchors) => {
      await configureRows(families, { bounds, level }, routes);
      for (const source of ['system', 'bundled', 'file'] as const) {
        families.gauge.trust_anchors.set({ source }, Math.max(0, ...anchors.map((counts) => counts[source])));
      }
    },
    configureHooks: (names) => configureHookRows(families, bounds.hook, names),
    ready: (state) => families.gauge.ready.set(state === 'ready' ? 1 : 0),
    adminServed: (route, code) => families.counter.admin_requests_total.inc({ route, code: String(code) }),
    adminRejected: (reason) => families.counter.admin_requests_rejected_total.inc({ reason }),
    contentType: registry.contentType,
    text: async () => {
      await look(families, { ...options, upstream: bounds.upstream });
      return pageText(registry);
    },
    close: () => itself.close(),
  };
}

function describe(families: Families, { build, now, level }: MetricsOptions): void {
  const { gauge } = families;
  const { node, openssl } = process.versions;
  gauge.build_info.set({ version: build.version, node_version: node, openssl_version: openssl }, 1);
  gauge.start_time_seconds.set(Math.floor(now() / 1000 - process.uptime()));
  gauge.config_last_reload_successful.set(1);
  gauge.config_last_reload_success_timestamp_seconds.set(now() / 1000);
  createCommonRows(families, level);
}

/** Sets what a scrape reads from the present state. */
async function look(
  families: Families,
  at: { readonly view: MetricsView; readonly level: MetricsLevel; readonly upstream: LabelBound },
): Promise<void> {
  const { counter, gauge } = families;
  await at.view.tellCarried();
  const { backend, state: health } = at.view.health();
  gauge.store_up.set({ backend }, health === 'unavailable' ? 0 : 1);
  gauge.store_damaged.set({ backend }, health === 'damaged' ? 1 : 0);
  counter.store_errors_total.inc({ backend }, 0);
  for (const { hook, waiting } of at.view.hooks()) gauge.hook_queue_length.set({ hook }, waiting);
  const { keys, endpoints, pinsEnd } = await at.view.trust();
  for (const [key, count] of Object.entries(keys)) gauge.pins.set({ state: key }, count);
  const pace = new Pace();
  for (const upstream of at.upstream.names) {
    // A reload while the loop turned may have taken its rows away.
    if (at.upstream.admit(upstream) === null) continue;
    setDate(gauge.pins_end_timestamp_seconds, upstream, pinsEnd.get(upstream) ?? null);
    const current = endpoints.get(upstream);
    for (const state of at.view.states) {
      if (state === current) gauge.endpoint_state.set({ upstream, state }, 1);
      else if (at.level === 'full') gauge.endpoint_state.set({ upstream, state }, 0);
      else gauge.endpoint_state.remove({ upstream, state });
    }
    if (pace.isDue) await pace.rest();
  }
}
