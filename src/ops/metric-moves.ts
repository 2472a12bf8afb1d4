// Which series each event moves, and by how much: one case for each event, and nothing else moves a counter.
// Counters of a route or upstream beyond the label limit go to `other`; its gauges and histograms are absent.

import type { Gauge } from 'prom-client';
import type { ProxyEvent } from '../proxy/events.ts';
import type { PinChangeEvent } from '../store/pin-store.ts';
import { faults, type Fault } from '../trust/fault.ts';
import type { LabelBound } from './label-bound.ts';
import type { Families, HistogramName, MetricsLevel } from './metric-families.ts';

const byOperator = ['cli', 'admin'] as const;
/** Changes of pins that count, with the origins each can have; learning a CA or a candidate changes no pin. */
export const changeRows: readonly (readonly [PinChangeEvent, readonly string[]])[] = [
  ['first-use', ['proxy']],
  ['approved', byOperator],
  ['added', byOperator],
  ['imported', byOperator],
  ['matched', ['proxy']],
  ['promoted', ['proxy']],
  ['handed-over', ['proxy']],
  ['retired', ['proxy', ...byOperator]],
  ['rejected', byOperator],
  ['unrejected', byOperator],
  ['forgotten', byOperator],
  ['expired', ['proxy', ...byOperator]],
  ['undone', byOperator],
];
const countedChanges: ReadonlySet<PinChangeEvent> = new Set(changeRows.map(([event]) => event));

interface Bounds {
  readonly route: LabelBound;
  readonly upstream: LabelBound;
  readonly hook: LabelBound;
}

export interface MoverParts {
  readonly bounds: Bounds;
  readonly level: MetricsLevel;
  readonly now: () => number;
  readonly backend: () => string;
}

type Of<T extends ProxyEvent['type']> = Extract<ProxyEvent, { readonly type: T }>;

/** The listener. Sessions open when it is made are not known to it. */
export function eventMover(families: Families, parts: MoverParts): (event: ProxyEvent) => void {
  const { counter, gauge, histogram } = families;
  const { route, upstream } = parts.bounds;
  const judging = { ...parts, upstream, faults: new LastFaults(upstream) };
  const open = new Map<string, { readonly route: string; readonly protocol: string }>();
  const observe = (
    name: HistogramName,
    labels: { readonly [label: string]: string } | null,
    seconds: number,
  ): void => {
    if (labels !== null) histogram[name]?.observe(labels, seconds);
  };
  const ofRoute = (name: string): { readonly route: string } | null => {
    const admitted = route.admit(name);
    return admitted === null ? null : { route: admitted };
  };
  const ofUpstream = (name: string): { readonly upstream: string } | null => {
    const admitted = upstream.admit(name);
    return admitted === null ? null : { upstream: admitted };
  };
  return (event) => {
    switch (event.type) {
      case 'session-started':
        return sessionStarted(families, { open, route }, event);
      case 'session-ended':
        if (event.outcome === 'refused') refusing(gauge, ofUpstream(event.endpoint), { now: 1 });
        return sessionEnded(families, { open, ...parts.bounds }, event);
      case 'greeted':
        return observe('time_to_greeting_seconds', ofRoute(event.route), event.seconds);
      case 'dialled':
        counter.upstream_dials_total.inc({
          upstream: upstream.counted(event.endpoint),
          result: event.result,
        });
        if (event.result !== 'connected') return;
        return observe('upstream_connect_duration_seconds', ofUpstream(event.endpoint), event.seconds);
      case 'tlsa-looked-up':
        return counter.tlsa_lookups_total.inc({
          upstream: upstream.counted(event.endpoint),
          result: event.result,
        });
      case 'handshaken':
        counter.tls_handshakes_total.inc({
          upstream: upstream.counted(event.endpoint),
          version: event.version,
        });
        return observe('tls_handshake_duration_seconds', ofUpstream(event.endpoint), event.seconds);
      case 'carried':
        counter.relayed_bytes_total.inc(
          { route: route.counted(event.route), direction: 'upstream' },
          event.bytesUp,
        );
        counter.relayed_bytes_total.inc(
          { route: route.counted(event.route), direction: 'downstream' },
          event.bytesDown,
        );
        return;
      case 'judged':
        return judged(families, judging, event);
      case 'probed':
        return probed(families, judging, event);
      case 'pin-changed':
        // Somebody decided: what is said of it next is a new verdict. A candidate is what a refusal leaves.
        if (event.event !== 'candidate' && judging.faults.knows(event.endpoint))
          refusing(gauge, ofUpstream(event.endpoint), { now: 0 });
        if (countedChanges.has(event.event))
          counter.pin_changes_total.inc({ event: event.event, origin: event.origin });
        return;
      case 'store-operation':
        return storeWritten(families, { backend: parts.backend(), now: parts.now }, event);
      case 'reloaded':
        gauge.config_last_reload_successful.set(event.ok ? 1 : 0);
        if (event.ok) gauge.config_last_reload_success_timestamp_seconds.set(parts.now() / 1000);
        return;
      case 'hook-delivered':
        // One that was taken away may still end what it began: its series are gone.
        if (parts.bounds.hook.admit(event.hook) !== null)
          counter.hook_deliveries_total.inc({ hook: event.hook, result: event.result });
        return;
      case 'session-revoked':
        return counter.sessions_revoked_total.inc({ upstream: upstream.counted(event.endpoint) });
      case 'corroborated':
        for (const result of ['agreed', 'differing', 'unreached'] as const)
          counter.corroborations_total.inc(
            { upstream: upstream.counted(event.endpoint), result },
            event[result].length,
          );
        return;
      case 'crl-reloaded':
      case 'dashboard-opened':
      case 'certificate-renewed':
      case 'retiring-key-in-use':
      case 'key-untrusted':
      case 'store-health':
      case 'listening':
      case 'listen-skipped':
      case 'warning':
        return;
    }
  };
}

type OpenSessions = Map<string, { readonly route: string; readonly protocol: string }>;

function sessionStarted(
  { counter, gauge }: Families,
  at: { readonly open: OpenSessions; readonly route: LabelBound },
  event: Of<'session-started'>,
): void {
  counter.client_connections_total.inc({ route: at.route.counted(event.route), protocol: event.protocol });
  const route = at.route.admit(event.route);
  if (route === null) return;
  at.open.set(event.session, { route, protocol: event.protocol });
  gauge.client_connections.inc({ route, protocol: event.protocol });
}

function sessionEnded(
  { counter, gauge, histogram }: Families,
  at: Bounds & { readonly open: OpenSessions },
  event: Of<'session-ended'>,
): void {
  const labels = at.open.get(event.session);
  at.open.delete(event.session);
  const admitted = at.route.admit(event.route);
  if (labels !== undefined && admitted !== null) gauge.client_connections.dec(labels);
  const route = at.route.counted(event.route);
  if (admitted !== null && event.outcome !== 'rejected')
    histogram.session_duration_seconds?.observe({ route }, event.seconds);
  switch (event.outcome) {
    case 'relayed':
      return;
    case 'refused':
      return counter.refusals_total.inc({
        upstream: at.upstream.counted(event.endpoint),
        reason: event.reason,
      });
    case 'failed':
      return counter.failures_total.inc({ route, reason: event.reason });
    case 'rejected':
      return counter.client_connections_rejected_total.inc({ route, reason: event.reason });
  }
}

interface Judging extends Pick<MoverParts, 'now' | 'level'> {
  readonly upstream: LabelBound;
  readonly faults: LastFaults;
}

/** What the fault series of each upstream say: they are many, and mostly the same as before. */
class LastFaults {
  readonly #upstream: LabelBound;
  #names: Iterable<string>;
  readonly #last = new Map<string, string>();

  constructor(upstream: LabelBound) {
    this.#upstream = upstream;
    this.#names = upstream.names;
  }

  /** Whether a certificate of it was shown. */
  knows(upstream: string): boolean {
    return this.#last.has(upstream);
  }

  /** Whether they say so already; they do from now on. Another configuration may have taken series away. */
  same(upstream: string, found: readonly Fault[]): boolean {
    if (this.#names !== this.#upstream.names) this.#last.clear();
    this.#names = this.#upstream.names;
    const said = found.join(' ');
    if (this.#last.get(upstream) === said) return true;
    this.#last.set(upstream, said);
    return false;
  }
}

function judged({ counter, gauge }: Families, at: Judging, event: Of<'judged'>): void {
  counter.verdicts_total.inc({ upstream: at.upstream.counted(event.endpoint), basis: event.verdict });
  const upstream = at.upstream.admit(event.endpoint);
  if (upstream === null) return;
  gauge.endpoint_refusing.set({ upstream }, event.verdict === 'refused' ? 1 : 0);
  gauge.endpoint_judged_timestamp_seconds.set({ upstream }, at.now() / 1000);
  if (event.verdict === 'pin') gauge.pin_last_match_timestamp_seconds.set({ upstream }, at.now() / 1000);
  presented(gauge, { ...at, name: upstream }, event);
}

function refusing(
  { endpoint_refusing: metric }: Families['gauge'],
  labels: { readonly upstream: string } | null,
  { now }: { readonly now: 0 | 1 },
): void {
  if (labels !== null) metric.set(labels, now);
}

/** A probe that was judged moved what a verdict moves; what would be a first use is no verdict yet, but a certificate. */
function probed({ counter, gauge }: Families, at: Judging, event: Of<'probed'>): void {
  counter.probes_total.inc({ upstream: at.upstream.counted(event.endpoint), result: event.result });
  const upstream = at.upstream.admit(event.endpoint);
  if (upstream !== null && event.result === 'refused') refusing(gauge, { upstream }, { now: 1 });
  if (upstream !== null && event.spki !== null) presented(gauge, { ...at, name: upstream }, event);
}

/** Of the certificate that was shown last, whatever came of it. */
function presented(
  gauge: Families['gauge'],
  { name: upstream, level, faults: last }: Pick<Judging, 'level' | 'faults'> & { readonly name: string },
  event: Pick<Of<'judged'>, 'faults' | 'notBefore' | 'notAfter' | 'pathNotAfter'>,
): void {
  for (const fault of last.same(upstream, event.faults) ? [] : Object.keys(faults)) {
    if (event.faults.some((found) => found === fault)) gauge.certificate_faults.set({ upstream, fault }, 1);
    else if (level === 'full') gauge.certificate_faults.set({ upstream, fault }, 0);
    else gauge.certificate_faults.remove({ upstream, fault });
  }
  setDate(gauge.peer_certificate_not_before_timestamp_seconds, upstream, event.notBefore);
  setDate(gauge.peer_certificate_not_after_timestamp_seconds, upstream, event.notAfter);
  setDate(gauge.peer_chain_not_after_timestamp_seconds, upstream, event.pathNotAfter);
}

/** What is not known is absent: an old value would be about another certificate. */
export function setDate(metric: Gauge, upstream: string, at: number | null): void {
  if (at === null) metric.remove({ upstream });
  else metric.set({ upstream }, at / 1000);
}

function storeWritten(
  { counter, gauge, histogram }: Families,
  at: { readonly backend: string; readonly now: () => number },
  event: Of<'store-operation'>,
): void {
  const { backend } = at;
  histogram.store_operation_duration_seconds?.observe({ backend }, event.seconds);
  if (event.ok) gauge.store_last_sync_timestamp_seconds.set({ backend }, at.now() / 1000);
  else counter.store_errors_total.inc({ backend });
}
