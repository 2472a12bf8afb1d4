// The pin store, the admin API, hooks, and the process itself.

import { chart, stat, table, type Sized, type Threshold } from './grafana.ts';
import { here, increase, quantile, rate, sumBy } from './expressions.ts';

const noneIsGood: readonly Threshold[] = [
  { value: null, color: 'green' },
  { value: 1, color: 'red' },
];

const written = `letterlock_store_operation_duration_seconds{${here}}`;

export const store: readonly Sized[] = [
  stat(
    {
      title: 'Stores that are down',
      description: 'Pin stores that cannot be read or written. Clients are refused as store-unavailable.',
      width: 6,
      unit: 'short',
      steps: noneIsGood,
      runbooks: ['StoreDown'],
    },
    `count(letterlock_store_up{${here}}) - sum(letterlock_store_up{${here}})`,
  ),
  stat(
    {
      title: 'Stores that are damaged',
      description: 'Pin stores whose records are missing or altered. They learn nothing.',
      width: 6,
      unit: 'short',
      steps: noneIsGood,
      runbooks: ['StoreDamaged'],
    },
    `sum(letterlock_store_damaged{${here}})`,
  ),
  stat(
    {
      title: 'Configurations not taken',
      description: 'Instances whose last reload failed: the old configuration is in force.',
      width: 6,
      unit: 'short',
      steps: noneIsGood,
      runbooks: ['ConfigReloadFailed'],
    },
    `count(letterlock_config_last_reload_successful{${here}}) - sum(letterlock_config_last_reload_successful{${here}})`,
  ),
  stat(
    {
      title: 'Since the last write',
      description:
        'Since a change was last made durable, the longest of all instances. Quiet is normal on one machine.',
      width: 6,
      unit: 's',
      runbooks: ['PinCacheStale'],
    },
    `max(time() - letterlock_store_last_sync_timestamp_seconds{${here}})`,
  ),
  chart(
    {
      title: 'Durable writes',
      description: 'How long a change takes until it is on the disk; a first use waits for it.',
      width: 12,
      unit: 's',
      runbooks: ['StoreFailing'],
    },
    [
      [quantile(0.5, written), 'median'],
      [quantile(0.99, written), '99 %'],
    ],
  ),
  chart(
    {
      title: 'Writes that failed',
      description: 'Nothing of them was acknowledged. Mostly a full disk.',
      width: 12,
      unit: 'short',
      draw: 'bars',
      runbooks: ['StoreFailing'],
    },
    [[`${sumBy('instance', increase(`letterlock_store_errors_total{${here}}`))} > 0`, '{{instance}}']],
  ),
];

export const service: readonly Sized[] = [
  table(
    {
      title: 'What runs',
      description: 'Versions, start, last configuration taken, and routes without series of their own.',
      width: 24,
      height: 5,
      unit: 'none',
      columns: [
        { field: 'instance', title: 'instance' },
        { field: 'version', title: 'letterlock' },
        { field: 'node_version', title: 'Node' },
        { field: 'openssl_version', title: 'OpenSSL' },
        { field: 'Value #B', title: 'up for', unit: 's' },
        { field: 'Value #C', title: 'configured for', unit: 's' },
        { field: 'Value #D', title: 'series dropped', unit: 'short' },
      ],
      runbooks: ['ConfigReloadFailed', 'LabelsDropped'],
    },
    [
      `max by (instance, version, node_version, openssl_version) (letterlock_build_info{${here}})`,
      `time() - max by (instance) (letterlock_start_time_seconds{${here}})`,
      `time() - max by (instance) (letterlock_config_last_reload_success_timestamp_seconds{${here}})`,
      `max by (instance) (letterlock_labels_dropped{${here}})`,
    ],
  ),
  chart(
    {
      title: 'Hooks',
      description: 'Notices by hook and result, and how many wait. No verdict waits for them.',
      unit: 'short',
      runbooks: ['HookFailing'],
    },
    [
      [
        `${sumBy('hook, result', increase(`letterlock_hook_deliveries_total{${here}}`))} > 0`,
        '{{hook}} {{result}}',
      ],
      [`${sumBy('hook', `letterlock_hook_queue_length{${here}}`)} > 0`, '{{hook}} waiting'],
    ],
  ),
  chart(
    {
      title: 'Admin API',
      description: 'Requests by route, and those turned away before any.',
      unit: 'ops',
      runbooks: ['AdminRejected'],
    },
    [
      [sumBy('route', rate(`letterlock_admin_requests_total{${here}}`)), '{{route}}'],
      [
        `${sumBy('reason', rate(`letterlock_admin_requests_rejected_total{${here}}`))} > 0`,
        'turned away: {{reason}}',
      ],
    ],
  ),
  chart(
    {
      title: 'Event loop',
      description: 'How long the one thread was held up between two turns, since the scrape before.',
      unit: 's',
      runbooks: ['EventLoopLag'],
    },
    [
      [`max(nodejs_eventloop_lag_p50_seconds{${here}})`, 'median'],
      [`max(nodejs_eventloop_lag_p99_seconds{${here}})`, '99 %'],
      [`max(nodejs_eventloop_lag_max_seconds{${here}})`, 'longest'],
    ],
  ),
  chart({ title: 'CPU', description: 'Share of one processor.', unit: 'percentunit' }, [
    [rate(`process_cpu_seconds_total{${here}}`), '{{instance}}'],
  ]),
  chart({ title: 'Memory', description: 'Resident memory.', unit: 'bytes' }, [
    [`process_resident_memory_bytes{${here}}`, '{{instance}}'],
  ]),
  chart(
    {
      title: 'File descriptors',
      description: 'Open ones as a share of the limit. A session needs two.',
      unit: 'percentunit',
      runbooks: ['FileDescriptors'],
    },
    [[`process_open_fds{${here}} / process_max_fds{${here}}`, '{{instance}}']],
  ),
  chart(
    {
      title: 'Garbage collection',
      description: 'Share of time spent in it, by kind.',
      width: 12,
      unit: 'percentunit',
    },
    [[sumBy('kind', rate(`nodejs_gc_duration_seconds_sum{${here}}`)), '{{kind}}']],
  ),
  chart(
    {
      title: 'Trust anchors',
      description: 'CA certificates loaded, by source. 0 of all: no server can be CA-verified.',
      width: 12,
      unit: 'short',
      runbooks: ['NoTrustAnchors'],
    },
    [[`max by (source) (letterlock_trust_anchors{${here}})`, '{{source}}']],
  ),
];
