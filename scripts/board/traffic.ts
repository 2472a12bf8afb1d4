// Sessions: who connects, what is carried, what fails, how long things take.

import { chart, type Sized } from './grafana.ts';
import { increase, most, ofRoute, ofUpstream, quantile, rate, sumBy } from './expressions.ts';

export const sessions: readonly Sized[] = [
  chart(
    {
      title: 'Open sessions',
      description: 'Client connections open, by route.',
      unit: 'short',
      draw: 'stack',
      runbooks: ['ConnectionLimit'],
    },
    [[most(sumBy('route', `letterlock_client_connections{${ofRoute}}`)), '{{route}}']],
  ),
  chart({ title: 'New sessions', description: 'Client connections accepted, by route.', unit: 'ops' }, [
    [most(sumBy('route', rate(`letterlock_client_connections_total{${ofRoute}}`))), '{{route}}'],
  ]),
  chart(
    {
      title: 'Relayed',
      description: 'Application bytes in both directions. Open sessions are counted as they go.',
      unit: 'Bps',
    },
    [[sumBy('direction', rate(`letterlock_relayed_bytes_total{${ofRoute}}`)), '{{direction}}']],
  ),
  chart(
    {
      title: 'Failures by reason',
      description: 'Sessions the world did not let us have. Not refusals: nobody decided anything.',
      width: 6,
      unit: 'short',
      draw: 'bars',
      runbooks: ['UpstreamUnreachable', 'InternalError'],
    },
    [[`${sumBy('reason', increase(`letterlock_failures_total{${ofRoute}}`))} > 0`, '{{reason}}']],
  ),
  chart(
    {
      title: 'Clients turned away',
      description:
        'Closed without relaying, by reason: over the limit, a web browser, TLS where none is spoken.',
      width: 6,
      unit: 'short',
      draw: 'bars',
      runbooks: ['ConnectionLimit'],
    },
    [
      [
        `${sumBy('reason', increase(`letterlock_client_connections_rejected_total{${ofRoute}}`))} > 0`,
        '{{reason}}',
      ],
    ],
  ),
  chart(
    {
      title: 'TLS versions',
      description: 'Handshakes completed towards servers, by version.',
      width: 6,
      unit: 'ops',
      draw: 'stack',
    },
    [[sumBy('version', rate(`letterlock_tls_handshakes_total{${ofUpstream}}`)), '{{version}}']],
  ),
  chart(
    {
      title: 'Dials by result',
      description: 'TCP connections tried towards servers.',
      width: 6,
      unit: 'ops',
      draw: 'stack',
      runbooks: ['UpstreamUnreachable'],
    },
    [[sumBy('result', rate(`letterlock_upstream_dials_total{${ofUpstream}}`)), '{{result}}']],
  ),
];

const greeting = `letterlock_time_to_greeting_seconds{${ofRoute}}`;

/** Empty at metrics.level minimal. */
export const latency: readonly Sized[] = [
  chart(
    {
      title: 'Time to greeting',
      description: 'From accepting a client to its greeting: what a user waits for. Includes the verdict.',
      unit: 's',
      runbooks: ['EventLoopLag'],
    },
    [
      [quantile(0.5, greeting), 'median'],
      [quantile(0.9, greeting), '90 %'],
      [quantile(0.99, greeting), '99 %'],
    ],
  ),
  chart(
    {
      title: 'Connecting, 90th percentile',
      description: 'Name look-up and TCP connection, and prologue with TLS handshake, by server.',
      unit: 's',
    },
    [
      [
        most(quantile(0.9, `letterlock_upstream_connect_duration_seconds{${ofUpstream}}`, 'upstream')),
        'TCP {{upstream}}',
      ],
      [
        most(quantile(0.9, `letterlock_tls_handshake_duration_seconds{${ofUpstream}}`, 'upstream')),
        'TLS {{upstream}}',
      ],
    ],
  ),
  chart(
    {
      title: 'Length of sessions',
      description: 'Of those that ended. IMAP IDLE keeps one open for hours.',
      unit: 's',
    },
    [
      [quantile(0.5, `letterlock_session_duration_seconds{${ofRoute}}`), 'median'],
      [quantile(0.9, `letterlock_session_duration_seconds{${ofRoute}}`), '90 %'],
    ],
  ),
];
