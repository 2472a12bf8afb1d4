// Metrics: a listener that moves series, and the text a scrape gets. Counters exist at 0 before their first
// event (else `increase()` misses it); gauges exist only once their value is known. Labels come from closed
// sets and the configuration, never from a peer.

import { rejections } from '../admin/rejection.ts';
import type { Rejection } from '../admin/rejection.ts';
import { clientRejections, failures, refusals } from '../errors.ts';
import type { ProxyEvent } from '../proxy/events.ts';
import { targetsOf, type Route } from '../proxy/route.ts';
import type { StoreHealth } from '../store/pin-store.ts';
import type { Build } from './build.ts';
import { boundLabels } from './label-bound.ts';
import type { LabelBound } from './label-bound.ts';
import { changeRows, eventMover } from './metric-moves.ts';
import type { MoverParts } from './metric-moves.ts';
import { registerFamilies } from './metric-families.ts';
import type { Families } from './metric-families.ts';
import { registerProcess } from './process-metrics.ts';

export type KeyState = 'pinned' | 'rejected' | 'candidate' | 'expired';
export type AnchorCounts = Readonly<Record<'system' | 'bundled' | 'file', number>>;

/** What is read at the moment of a scrape instead of being told by events. */
export interface MetricsView {
  health(): StoreHealth;
  trust(): {
    readonly keys: Readonly<Record<KeyState, number>>;
    /** Of every configured endpoint, one of `states`. */
    readonly endpoints: ReadonlyMap<string, string>;
  };
  readonly states: readonly string[];
  /** Has the proxy tell what open sessions carried since they were last asked. */
  tellCarried(): void;
}

export interface Metrics {
  /** Listener for the proxy's events. */
  event(event: ProxyEvent): void;
  /** The routes that count from now on, and the sizes of the anchor sets in use. */
  configure(routes: readonly Route[], anchors: readonly AnchorCounts[]): Promise<void>;
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
  /** Bounds the values of the labels route and upstream, each. */
  readonly maxLabelValues?: number;
}

/** Loads the metrics library, which nothing else does. */
export async function openMetrics(options: MetricsOptions): Promise<Metrics> {
  const library = await import('prom-client');
  const registry = new library.Registry();
  const families = registerFamilies(library, registry);
  const stop = registerProcess(library, registry);
  const bounds = {
    route: boundLabels(options.maxLabelValues ?? 1000),
    upstream: boundLabels(options.maxLabelValues ?? 1000),
  };
  describe(families, options);
  const move = eventMover(families, {
    bounds,
    now: options.now,
    backend: () => options.view.health().backend,
  });
  return {
    event: move,
    configure: async (routes, anchors) => {
      await configure(families, bounds, routes);
      for (const source of ['system', 'bundled', 'file'] as const) {
        families.gauge.trust_anchors.set({ source }, Math.max(0, ...anchors.map((counts) => counts[source])));
      }
    },
    ready: (state) => families.gauge.ready.set(state === 'ready' ? 1 : 0),
    adminServed: (route, code) => families.counter.admin_requests_total.inc({ route, code: String(code) }),
    adminRejected: (reason) => families.counter.admin_requests_rejected_total.inc({ reason }),
    contentType: registry.contentType,
    text: () => {
      options.view.tellCarried();
      look(families, { view: options.view, upstream: bounds.upstream });
      return registry.metrics();
    },
    close: stop,
  };
}

function describe({ gauge, counter }: Families, { build, now }: MetricsOptions): void {
  const { node, openssl } = process.versions;
  gauge.build_info.set({ version: build.version, node_version: node, openssl_version: openssl }, 1);
  gauge.start_time_seconds.set(Math.floor(now() / 1000 - process.uptime()));
  gauge.config_last_reload_successful.set(1);
  gauge.config_last_reload_success_timestamp_seconds.set(now() / 1000);
  for (const reason of rejections) counter.admin_requests_rejected_total.inc({ reason }, 0);
  for (const [event, origins] of changeRows) {
    for (const origin of origins) counter.pin_changes_total.inc({ event, origin }, 0);
  }
}

type Bounds = MoverParts['bounds'];

async function configure(families: Families, bounds: Bounds, routes: readonly Route[]): Promise<void> {
  const goneRoutes = bounds.route.replace(routes.map((route) => route.name));
  const goneUpstreams = bounds.upstream.replace(
    routes.flatMap(targetsOf).map(({ endpoint }) => endpoint.name),
  );
  await forget(families, 'route', goneRoutes);
  await forget(families, 'upstream', goneUpstreams);
  families.gauge.labels_dropped.set(bounds.route.dropped + bounds.upstream.dropped);
  for (const route of routes) createRows(families, bounds, route);
}

/** Series of what is configured no more would stand still for ever, and be alarmed about. */
async function forget(
  families: Families,
  label: 'route' | 'upstream',
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const gone = new Set<unknown>(names);
  for (const metric of [...Object.values(families.gauge), ...Object.values(families.counter)]) {
    for (const { labels } of (await metric.get()).values) if (gone.has(labels[label])) metric.remove(labels);
  }
  for (const metric of Object.values(families.histogram)) {
    const own = (await metric.get()).values.filter(({ labels }) => gone.has(labels[label]));
    for (const name of new Set(own.map(({ labels }) => labels[label]))) {
      if (name !== undefined) metric.remove({ [label]: name });
    }
  }
}

function createRows({ counter, gauge }: Families, bounds: Bounds, route: Route): void {
  const name = bounds.route.counted(route.name);
  counter.client_connections_total.inc({ route: name, protocol: route.protocol }, 0);
  if (bounds.route.admit(route.name) !== null)
    gauge.client_connections.inc({ route: name, protocol: route.protocol }, 0);
  for (const reason of Object.keys(clientRejections))
    counter.client_connections_rejected_total.inc({ route: name, reason }, 0);
  for (const reason of Object.keys(failures)) counter.failures_total.inc({ route: name, reason }, 0);
  for (const direction of ['upstream', 'downstream'])
    counter.relayed_bytes_total.inc({ route: name, direction }, 0);
  for (const { endpoint } of targetsOf(route))
    createUpstreamRows(counter, bounds.upstream.counted(endpoint.name));
}

function createUpstreamRows(counter: Families['counter'], upstream: string): void {
  for (const reason of Object.keys(refusals)) counter.refusals_total.inc({ upstream, reason }, 0);
  for (const basis of ['ca', 'pin', 'first-use', 'dane', 'refused'])
    counter.verdicts_total.inc({ upstream, basis }, 0);
  for (const result of ['connected', 'refused', 'timeout', 'dns', 'unreachable']) {
    counter.upstream_dials_total.inc({ upstream, result }, 0);
  }
  for (const version of ['TLSv1.2', 'TLSv1.3']) counter.tls_handshakes_total.inc({ upstream, version }, 0);
}

/** Sets what a scrape reads from the present state. */
function look(
  { counter, gauge }: Families,
  at: { readonly view: MetricsView; readonly upstream: LabelBound },
): void {
  const { backend, state: health } = at.view.health();
  gauge.store_up.set({ backend }, health === 'unavailable' ? 0 : 1);
  gauge.store_damaged.set({ backend }, health === 'damaged' ? 1 : 0);
  counter.store_errors_total.inc({ backend }, 0);
  const { keys, endpoints } = at.view.trust();
  for (const [key, count] of Object.entries(keys)) gauge.pins.set({ state: key }, count);
  for (const upstream of at.upstream.names) {
    const current = endpoints.get(upstream);
    for (const state of at.view.states)
      gauge.endpoint_state.set({ upstream, state }, state === current ? 1 : 0);
  }
}
