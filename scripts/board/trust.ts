// What is trusted, on what grounds, for how long, and who changed it.

import { bars, chart, table, type Sized } from './grafana.ts';
import { here, increase, lifetimeLeft, ofUpstream, rate, sumBy } from './expressions.ts';
import { lifetimeSteps } from './glance.ts';

export const trust: readonly Sized[] = [
  table(
    {
      title: 'Servers',
      description:
        'How each configured server stands: verified by a CA, pinned, or in need of somebody (emptied, conflict, damaged).',
      unit: 'none',
      width: 16,
      columns: [
        { field: 'upstream', title: 'server' },
        { field: 'state', title: 'state' },
        { field: 'Value #B', title: 'last judged', unit: 's' },
        { field: 'Value #C', title: 'pin seen', unit: 's' },
        { field: 'Value #D', title: 'lifetime left', unit: 'percentunit', steps: lifetimeSteps },
        { field: 'Value #E', title: 'last pin ends in', unit: 's' },
      ],
      runbooks: ['PinsEnding'],
    },
    [
      `max by (upstream, state) (letterlock_endpoint_state{${ofUpstream}} == 1)`,
      `time() - max by (upstream) (letterlock_endpoint_judged_timestamp_seconds{${ofUpstream}})`,
      `time() - max by (upstream) (letterlock_pin_last_match_timestamp_seconds{${ofUpstream}})`,
      lifetimeLeft,
      `min by (upstream) (letterlock_pins_end_timestamp_seconds{${ofUpstream}}) - time()`,
    ],
  ),
  bars(
    {
      title: 'Lifetime left',
      description:
        'Share of the lifetime that is left of the certificate presented last, also when it was refused. Self-signed ones are here too.',
      unit: 'percentunit',
      min: 0,
      max: 1,
      steps: lifetimeSteps,
      runbooks: ['PeerCertificateExpiring'],
    },
    [`sort(bottomk(20, ${lifetimeLeft}))`, '{{upstream}}'],
  ),
  table(
    {
      title: 'Faults of certificates',
      description:
        'What is wrong with the certificate presented last. A pinned key is accepted with any of these.',
      unit: 'none',
      columns: [
        { field: 'upstream', title: 'server' },
        { field: 'fault', title: 'fault' },
      ],
      runbooks: ['CaLost'],
    },
    [`max by (upstream, fault) (letterlock_certificate_faults{${ofUpstream}} == 1)`],
  ),
  chart(
    {
      title: 'Changes of pins',
      description:
        'By event and by who made it: the proxy itself by a rule, a person at the command line, the page.',
      unit: 'short',
      draw: 'bars',
      runbooks: ['FirstUse'],
    },
    [
      [
        `${sumBy('event, origin', increase(`letterlock_pin_changes_total{${here}}`))} > 0`,
        '{{event}} by {{origin}}',
      ],
    ],
  ),
  chart(
    {
      title: 'Keys by state',
      description:
        'All keys known: live pins, pins that ended, rejected keys, keys that wait for a decision.',
      unit: 'short',
    },
    [[sumBy('state', `letterlock_pins{${here}}`), '{{state}}']],
  ),
  chart(
    {
      title: 'Probes',
      description: 'Looks at servers without a client, by what came of them. A probe pins nothing.',
      unit: 'short',
      draw: 'bars',
      runbooks: ['ProbeRefused'],
    },
    [[`${sumBy('result', increase(`letterlock_probes_total{${ofUpstream}}`))} > 0`, '{{result}}']],
  ),
  chart(
    {
      title: 'Looks from elsewhere, TLSA look-ups',
      description:
        'New keys compared over other paths (corroborate), and TLSA records asked for (dane), by result.',
      unit: 'ops',
    },
    [
      [sumBy('result', rate(`letterlock_corroborations_total{${ofUpstream}}`)), 'from elsewhere: {{result}}'],
      [sumBy('result', rate(`letterlock_tlsa_lookups_total{${ofUpstream}}`)), 'TLSA: {{result}}'],
    ],
  ),
  chart(
    {
      title: 'Sessions ended for trust',
      description: 'Open sessions ended because their key was rejected, ended or revoked meanwhile.',
      unit: 'short',
      draw: 'bars',
    },
    [
      [
        `${sumBy('upstream', increase(`letterlock_sessions_revoked_total{${ofUpstream}}`))} > 0`,
        '{{upstream}}',
      ],
    ],
  ),
];
