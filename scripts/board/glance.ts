// First row: what a person looks at who has ten seconds, and where to go from there.

import { bands, chart, stat, table, type Sized, type Threshold } from './grafana.ts';
import { here, increase, lifetimeLeft, ofRoute, ofUpstream, rate, selfSigned, sumBy } from './expressions.ts';

const noneIsGood: readonly Threshold[] = [
  { value: null, color: 'green' },
  { value: 1, color: 'red' },
];
const noneIsCalm: readonly Threshold[] = [
  { value: null, color: 'green' },
  { value: 1, color: 'orange' },
];
export const lifetimeSteps: readonly Threshold[] = [
  { value: null, color: 'red' },
  { value: 0.05, color: 'orange' },
  { value: 0.2, color: 'green' },
];

const refusals = `letterlock_refusals_total{${ofUpstream}}`;

export const glance: readonly Sized[] = [
  stat(
    {
      title: 'Servers refused now',
      description:
        'Servers whose last verdict was a refusal. Their users have no mail until somebody decides.',
      unit: 'short',
      steps: noneIsGood,
      noValue: '0',
      runbooks: ['Refusing', 'PinMismatch', 'CaLost'],
    },
    `count(max by (upstream) (letterlock_endpoint_refusing{${ofUpstream}}) == 1)`,
  ),
  stat(
    {
      title: 'Refusals, last hour',
      description: 'Clients refused in the last hour. A mail program that tries again is counted each time.',
      unit: 'short',
      steps: noneIsGood,
      runbooks: ['Refusing'],
    },
    `round(sum(increase(${refusals}[1h])))`,
  ),
  stat(
    {
      title: 'Keys that wait for you',
      description:
        'Keys that were refused and neither approved nor rejected yet: letterlock pins list, or the page.',
      unit: 'short',
      steps: noneIsCalm,
      runbooks: ['PinMismatch', 'FirstUse'],
    },
    `sum(letterlock_pins{${here}, state="candidate"})`,
  ),
  stat(
    {
      title: 'Shortest lifetime left',
      description:
        'Of all certificates last presented, the least share of lifetime that is left. Self-signed ones do not count.',
      unit: 'percentunit',
      steps: lifetimeSteps,
      runbooks: ['PeerCertificateExpiring'],
    },
    `min(${lifetimeLeft} unless on (upstream) ${selfSigned})`,
  ),
  stat(
    {
      title: 'Open sessions',
      description: 'Client connections open now.',
      unit: 'short',
      runbooks: ['ConnectionLimit'],
    },
    `sum(letterlock_client_connections{${ofRoute}})`,
  ),
  stat(
    {
      title: 'Proxies not ready',
      description: 'Instances that listen on nothing or cannot use their pin store. Not about mail servers.',
      unit: 'short',
      steps: noneIsGood,
      runbooks: ['NotReady', 'Absent'],
    },
    `count(letterlock_ready{${here}}) - sum(letterlock_ready{${here}})`,
  ),
  bands(
    {
      title: 'Last verdict of each server',
      description:
        'Green bands: accepted; red ones: refused. A band that turns red is a decision to be made.',
      unit: 'none',
      steps: noneIsGood,
      mappings: [
        {
          type: 'value',
          options: { 0: { text: 'accepted', color: 'green' }, 1: { text: 'refused', color: 'red' } },
        },
      ],
      runbooks: ['Refusing'],
    },
    [`topk(25, max by (upstream) (letterlock_endpoint_refusing{${ofUpstream}}))`, '{{upstream}}'],
  ),
  table(
    {
      title: 'Refused, and why',
      description:
        'Refusals of the last hour by server and reason. letterlock explain REASON says what each means.',
      unit: 'short',
      columns: [
        { field: 'upstream', title: 'server' },
        { field: 'reason', title: 'reason' },
        { field: 'Value', title: 'clients', unit: 'short' },
      ],
      noValue: '',
      runbooks: ['Refusing'],
    },
    [`round(sum by (upstream, reason) (increase(${refusals}[1h]))) > 0`],
  ),
  chart(
    {
      title: 'Refusals by reason',
      description: 'Clients refused in each interval. Nothing of theirs was sent.',
      unit: 'short',
      draw: 'bars',
      width: 12,
      runbooks: ['PinMismatch', 'CaLost', 'KeyRejected', 'DaneMismatch', 'Tampering'],
    },
    [[`${sumBy('reason', increase(refusals))} > 0`, '{{reason}}']],
  ),
  chart(
    {
      title: 'Verdicts by basis',
      description:
        'Handshakes judged, by what vouched for the key: a CA, a pin, DANE, or nothing but a first use.',
      unit: 'ops',
      draw: 'stack',
      width: 12,
    },
    [[sumBy('basis', rate(`letterlock_verdicts_total{${ofUpstream}}`)), '{{basis}}']],
  ),
];
