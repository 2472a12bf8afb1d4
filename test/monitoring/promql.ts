// What a PromQL expression names: read by Prometheus' own grammar, compared with what letterlock exports.

import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';
import { clientRejections, failures, refusals } from '../../src/errors.ts';
import { endpointStates } from '../../src/admin/shapes.ts';
import { counters, gauges, histograms } from '../../src/ops/metric-families.ts';
import { changeRows } from '../../src/ops/metric-moves.ts';
import { rejections } from '../../src/admin/rejection.ts';
import { faults } from '../../src/trust/fault.ts';

interface Matcher {
  readonly label: string;
  readonly values: readonly string[];
}
interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}
export interface Query {
  readonly selectors: readonly Selector[];
  /** Labels named in groupings, not in selectors. */
  readonly grouped: readonly string[];
}

/** @throws SyntaxError for what Prometheus could not parse */
export function readQuery(text: string): Query {
  const selectors: Selector[] = [];
  const grouped: string[] = [];
  const wordAt = (node: SyntaxNode): string => text.slice(node.from, node.to);
  parser.parse(text).iterate({
    enter: ({ type, node }) => {
      if (type.isError) throw new SyntaxError(`cannot be parsed at ${node.from}: ${text}`);
      if (type.name === 'GroupingLabels') grouped.push(...node.getChildren('LabelName').map(wordAt));
      if (type.name === 'VectorSelector') selectors.push(selectorOf(node, wordAt));
    },
  });
  return { selectors, grouped };
}

function selectorOf(node: SyntaxNode, wordAt: (node: SyntaxNode) => string): Selector {
  const name = node.getChild('Identifier');
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return {
    metric: name === null ? '' : wordAt(name),
    matchers: matchers.map((matcher) => {
      const label = matcher.getChild('LabelName');
      const value = matcher.getChild('StringLiteral');
      const literal = value === null ? '' : wordAt(value).slice(1, -1);
      return {
        label: label === null ? '' : wordAt(label),
        values: /[.*+]/.test(literal) ? [] : literal.split('|'),
      };
    }),
  };
}

/** Labels Prometheus itself puts on every series. */
const targetLabels = ['job', 'instance'];

const runtime: Readonly<Record<string, readonly string[]>> = {
  up: [],
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  process_open_fds: [],
  process_max_fds: [],
  nodejs_eventloop_lag_max_seconds: [],
  nodejs_eventloop_lag_p50_seconds: [],
  nodejs_eventloop_lag_p90_seconds: [],
  nodejs_eventloop_lag_p99_seconds: [],
  nodejs_gc_duration_seconds_bucket: ['kind', 'le'],
  nodejs_gc_duration_seconds_sum: ['kind'],
  nodejs_gc_duration_seconds_count: ['kind'],
};

/** Every series name there is, with its labels. */
export const exported: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...Object.entries(runtime),
  ...Object.entries({ ...counters, ...gauges }).map(
    ([name, [labels]]) => [`letterlock_${name}`, labels] as const,
  ),
  ...Object.entries(histograms).flatMap(([name, [labels]]) => [
    [`letterlock_${name}_bucket`, [...labels, 'le']] as const,
    [`letterlock_${name}_sum`, labels] as const,
    [`letterlock_${name}_count`, labels] as const,
  ]),
]);

/** Values of labels from closed sets, by series and label. */
export const closedLabels: Readonly<Record<string, readonly string[]>> = {
  'letterlock_refusals_total reason': Object.keys(refusals),
  'letterlock_failures_total reason': Object.keys(failures),
  'letterlock_client_connections_rejected_total reason': Object.keys(clientRejections),
  'letterlock_admin_requests_rejected_total reason': rejections,
  'letterlock_certificate_faults fault': Object.keys(faults),
  'letterlock_endpoint_state state': endpointStates,
  'letterlock_pins state': ['pinned', 'rejected', 'candidate', 'expired'],
  'letterlock_pin_changes_total event': changeRows.map(([event]) => event),
  'letterlock_pin_changes_total origin': changeRows.flatMap(([, origins]) => origins),
  'letterlock_verdicts_total basis': ['ca', 'pin', 'first-use', 'dane', 'refused'],
  'letterlock_probes_total result': ['accepted', 'refused', 'failed'],
  'letterlock_hook_deliveries_total result': ['delivered', 'failed', 'dropped', 'deduplicated'],
  'letterlock_corroborations_total result': ['agreed', 'differing', 'unreached'],
  'letterlock_relayed_bytes_total direction': ['upstream', 'downstream'],
  'letterlock_trust_anchors source': ['system', 'bundled', 'file'],
  'letterlock_upstream_dials_total result': [
    'connected',
    'refused',
    'timeout',
    'dns',
    'unreachable',
    'proxy',
  ],
};

/** Everything in `text` that letterlock does not export; `made` are names made on the way, by recording rules. */
export function unknownIn(text: string, made: ReadonlyMap<string, readonly string[]> = new Map()): string[] {
  const { selectors, grouped } = readQuery(text);
  const known = new Map([...exported, ...made]);
  const inReach = new Set(targetLabels);
  const problems = selectors.flatMap(({ metric, matchers }) => {
    const labels = known.get(metric);
    if (labels === undefined) return [`no metric ${metric}`];
    for (const label of labels) inReach.add(label);
    return matchers.flatMap(({ label, values }) => {
      if (![...labels, ...targetLabels].includes(label)) return [`${metric} has no label ${label}`];
      const set = closedLabels[`${metric} ${label}`];
      const odd = set === undefined ? [] : values.filter((value) => !set.includes(value));
      return odd.map((value) => `${metric} has no ${label}="${value}"`);
    });
  });
  return [
    ...problems,
    ...grouped.filter((label) => !inReach.has(label)).map((label) => `nothing here has a label ${label}`),
  ];
}
