// Which series exist before anything happened, and which go with the configuration. Counters of what is
// configured stand at 0 before their first event, else `increase()` misses it; nobody else makes rows at 0.

import { rejections } from '../admin/rejection.ts';
import { clientRejections, failures, refusals } from '../errors.ts';
import { hookResults } from '../proxy/events.ts';
import { Pace } from '../pace.ts';
import { targetsOf, type Route } from '../proxy/route.ts';
import type { LabelBound } from './label-bound.ts';
import { changeRows } from './metric-moves.ts';
import type { Families, MetricsLevel } from './metric-families.ts';

export interface Bounds {
  readonly route: LabelBound;
  readonly upstream: LabelBound;
}

/** Makes the rows of `routes`, and takes away those of what is configured no more. */
export async function configureRows(
  families: Families,
  { bounds, level }: { readonly bounds: Bounds; readonly level: MetricsLevel },
  routes: readonly Route[],
): Promise<void> {
  const goneRoutes = bounds.route.replace(routes.map((route) => route.name));
  const targets = routes.flatMap(targetsOf);
  const goneUpstreams = bounds.upstream.replace(targets.map(({ endpoint }) => endpoint.name));
  const pace = new Pace();
  await pace.rest();
  await forget(families, 'route', goneRoutes);
  await forget(families, 'upstream', goneUpstreams);
  families.gauge.labels_dropped.set(bounds.route.dropped + bounds.upstream.dropped);
  for (const route of routes) {
    createRouteRows(families, { bound: bounds.route, level }, route);
    if (pace.isDue) await pace.rest();
  }
  for (const { endpoint, vantages = [] } of targets) {
    createUpstreamRows(families.counter, {
      upstream: bounds.upstream.counted(endpoint.name),
      level,
      looksElsewhere: vantages.length > 0,
    });
    if (pace.isDue) await pace.rest();
  }
}

/** Rows that belong to no route. */
export function createCommonRows({ counter }: Families, level: MetricsLevel): void {
  for (const reason of rejections) counter.admin_requests_rejected_total.inc({ reason }, 0);
  for (const [event, origins] of changeRows) {
    if (level === 'minimal' && event !== 'first-use') continue;
    for (const origin of origins) counter.pin_changes_total.inc({ event, origin }, 0);
  }
}

/** Makes the rows of the hooks there are now, and takes away those of others. */
export async function configureHookRows(
  families: Families,
  bound: LabelBound,
  names: readonly string[],
): Promise<void> {
  await forget(families, 'hook', bound.replace(names));
  for (const hook of names)
    for (const result of hookResults) families.counter.hook_deliveries_total.inc({ hook, result }, 0);
}

/** Series of what is configured no more would stand still for ever, and be alarmed about. */
async function forget(
  families: Families,
  label: 'route' | 'upstream' | 'hook',
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const gone = new Set<unknown>(names);
  const pace = new Pace();
  for (const metric of [...Object.values(families.gauge), ...Object.values(families.counter)]) {
    for (const { labels } of (await metric.get()).values) {
      if (gone.has(labels[label])) metric.remove(labels);
      if (pace.isDue) await pace.rest();
    }
    await pace.rest();
  }
  for (const metric of Object.values(families.histogram)) {
    const own = (await metric.get()).values.filter(({ labels }) => gone.has(labels[label]));
    for (const name of new Set(own.map(({ labels }) => labels[label]))) {
      if (name !== undefined) metric.remove({ [label]: name });
    }
    await pace.rest();
  }
}

function createRouteRows(
  { counter, gauge }: Families,
  { bound, level }: { readonly bound: LabelBound; readonly level: MetricsLevel },
  { name, protocol }: Route,
): void {
  const route = bound.counted(name);
  counter.client_connections_total.inc({ route, protocol }, 0);
  if (bound.admit(name) !== null) gauge.client_connections.inc({ route, protocol }, 0);
  if (level === 'minimal') return;
  for (const reason of Object.keys(clientRejections))
    counter.client_connections_rejected_total.inc({ route, reason }, 0);
  for (const reason of Object.keys(failures)) counter.failures_total.inc({ route, reason }, 0);
  for (const direction of ['upstream', 'downstream'])
    counter.relayed_bytes_total.inc({ route, direction }, 0);
}

function createUpstreamRows(
  counter: Families['counter'],
  facts: { readonly upstream: string; readonly level: MetricsLevel; readonly looksElsewhere: boolean },
): void {
  const { upstream, level } = facts;
  for (const reason of Object.keys(refusals)) counter.refusals_total.inc({ upstream, reason }, 0);
  for (const basis of ['ca', 'pin', 'first-use', 'dane', 'refused'])
    counter.verdicts_total.inc({ upstream, basis }, 0);
  for (const result of ['accepted', 'refused', 'failed']) counter.probes_total.inc({ upstream, result }, 0);
  if (facts.looksElsewhere)
    for (const result of ['agreed', 'differing', 'unreached'])
      counter.corroborations_total.inc({ upstream, result }, 0);
  if (level === 'minimal') return;
  counter.sessions_revoked_total.inc({ upstream }, 0);
  for (const result of ['connected', 'refused', 'timeout', 'dns', 'unreachable', 'proxy'])
    counter.upstream_dials_total.inc({ upstream, result }, 0);
  for (const version of ['TLSv1.2', 'TLSv1.3']) counter.tls_handshakes_total.inc({ upstream, version }, 0);
}
