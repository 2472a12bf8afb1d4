// Every metric family letterlock exports, by name, type and labels: the table the reference page is made of.
// Names, labels and meanings are public. Never a user, an address, a serial or a fingerprint in a label.

import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type * as Prometheus from 'prom-client';

/**
 * `minimal`, for many small proxies under one scraper: no histograms, and a series at 0 only where a first event
 * must not be missed or nothing else would tell that there is none.
 */
export type MetricsLevel = 'full' | 'minimal';

type Library = typeof Prometheus;

const prefix = 'letterlock_';
const quick = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
const greeting = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const storage = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];
/** IMAP IDLE keeps a session open for hours. */
const sessions = [0.1, 1, 10, 60, 600, 3600, 21_600, 86_400];

export const counters = {
  client_connections_total: [['route', 'protocol'], 'Client connections accepted.'],
  client_connections_rejected_total: [['route', 'reason'], 'Client connections closed without relaying.'],
  relayed_bytes_total: [['route', 'direction'], 'Application bytes relayed.'],
  upstream_dials_total: [['upstream', 'result'], 'TCP connection attempts.'],
  tlsa_lookups_total: [['upstream', 'result'], 'Look-ups of TLSA records, answers kept in memory included.'],
  tls_handshakes_total: [['upstream', 'version'], 'TLS handshakes completed upstream.'],
  verdicts_total: [['upstream', 'basis'], 'Verdicts, one for each handshake judged.'],
  refusals_total: [['upstream', 'reason'], 'Clients refused.'],
  failures_total: [['route', 'reason'], 'Sessions the world did not let us have.'],
  sessions_revoked_total: [['upstream'], 'Open sessions ended because their key lost its trust.'],
  corroborations_total: [
    ['upstream', 'result'],
    'Looks at a new key from elsewhere, by result: agreed, differing, unreached.',
  ],
  probes_total: [['upstream', 'result'], 'Servers asked without a client, by what came of it.'],
  pin_changes_total: [['event', 'origin'], 'Changes of pins.'],
  store_errors_total: [['backend'], 'Pin store operations that failed.'],
  hook_deliveries_total: [['hook', 'result'], 'Notices to hooks, by what became of them.'],
  admin_requests_total: [['route', 'code'], 'Requests to the admin API, by route and HTTP status.'],
  admin_requests_rejected_total: [['reason'], 'Requests to the admin API turned away before any route.'],
} as const satisfies Record<string, readonly [readonly string[], string]>;

export const gauges = {
  build_info: [['version', 'node_version', 'openssl_version'], 'Always 1; what runs here.'],
  start_time_seconds: [[], 'When this process started, unix time.'],
  ready: [[], '1 when listeners are bound and the pin store is usable.'],
  config_last_reload_successful: [[], '1 when the last configuration load succeeded.'],
  config_last_reload_success_timestamp_seconds: [[], 'When the configuration was last loaded, unix time.'],
  client_connections: [['route', 'protocol'], 'Client connections open now.'],
  certificate_faults: [['upstream', 'fault'], 'Faults of the certificate last presented.'],
  pins: [['state'], 'Keys known, by state.'],
  endpoint_state: [['upstream', 'state'], 'State of each configured endpoint; exactly one is 1.'],
  endpoint_refusing: [['upstream'], '1 when the server was refused last and nobody decided since.'],
  endpoint_judged_timestamp_seconds: [['upstream'], 'When a certificate was last judged, unix time.'],
  pins_end_timestamp_seconds: [
    ['upstream'],
    'When the last live pin of a pinned endpoint ends, unix time; absent where one has no end.',
  ],
  pin_last_match_timestamp_seconds: [['upstream'], 'When a pinned key was last seen, unix time.'],
  peer_certificate_not_before_timestamp_seconds: [
    ['upstream'],
    'Start of the leaf last presented, refused or not.',
  ],
  peer_certificate_not_after_timestamp_seconds: [
    ['upstream'],
    'End of the leaf last presented, refused or not.',
  ],
  peer_chain_not_after_timestamp_seconds: [['upstream'], 'Earliest end in the chain last verified.'],
  trust_anchors: [['source'], 'Trust anchors loaded.'],
  store_up: [['backend'], '1 when the pin store can be read and written.'],
  store_damaged: [['backend'], '1 when the pin store is damaged.'],
  store_last_sync_timestamp_seconds: [['backend'], 'When the pin store was last written durably, unix time.'],
  hook_queue_length: [['hook'], 'Notices that wait for a hook.'],
  labels_dropped: [[], 'Routes and upstreams beyond the label limit, without series of their own.'],
} as const satisfies Record<string, readonly [readonly string[], string]>;

export const histograms = {
  session_duration_seconds: [['route'], 'Length of client sessions.', sessions],
  time_to_greeting_seconds: [['route'], 'From accepting a client to its greeting.', greeting],
  upstream_connect_duration_seconds: [['upstream'], 'Name look-up and TCP connection.', quick],
  tls_handshake_duration_seconds: [['upstream'], 'Prologue and TLS handshake.', quick],
  store_operation_duration_seconds: [['backend'], 'Durable writes of the pin store.', storage],
} as const satisfies Record<string, readonly [readonly string[], string, readonly number[]]>;

export type CounterName = keyof typeof counters;
export type GaugeName = keyof typeof gauges;
export type HistogramName = keyof typeof histograms;

export interface Families {
  readonly counter: Readonly<Record<CounterName, Counter>>;
  readonly gauge: Readonly<Record<GaugeName, Gauge>>;
  /** Empty at level `minimal`. */
  readonly histogram: Readonly<Partial<Record<HistogramName, Histogram>>>;
}

/** Registers every family, without a value yet: what is not known has no series. */
export function registerFamilies(library: Library, registry: Registry, level: MetricsLevel): Families {
  const registers = [registry];
  return {
    counter: each(
      counters,
      (name, [labelNames, help]) => new library.Counter({ name, help, labelNames, registers }),
    ),
    gauge: each(
      gauges,
      (name, [labelNames, help]) => new library.Gauge({ name, help, labelNames, registers }),
    ),
    histogram:
      level === 'minimal'
        ? {}
        : each(
            histograms,
            (name, [labelNames, help, buckets]) =>
              new library.Histogram({ name, help, labelNames, buckets: [...buckets], registers }),
          ),
  };
}

/** Object.entries and fromEntries forget the names; the same table gives them back. */
function each<K extends string, Row, Made>(
  table: Readonly<Record<K, Row>>,
  make: (name: string, row: Row) => Made,
): Record<K, Made> {
  const made = Object.entries<Row>(table).map(([name, row]) => [name, make(prefix + name, row)] as const);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(made) as Record<K, Made>;
}
