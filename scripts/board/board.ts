// The board for Grafana, as a value: config/grafana/letterlock.json is this, printed. test/monitoring/board.test.ts
// writes it (vitest -u) and checks every query in it against what letterlock exports.

import { glance } from './glance.ts';
import { datasource, type Panel, type Sized } from './grafana.ts';
import { here } from './expressions.ts';
import { service, store } from './inside.ts';
import { latency, sessions } from './traffic.ts';
import { trust } from './trust.ts';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}
type Placed = { readonly id: number; readonly gridPos: Place } & (
  | Panel
  | { readonly type: 'row'; readonly title: string; readonly collapsed: false; readonly panels: readonly [] }
);

const columns = 24;

const rows: readonly (readonly [string, readonly Sized[]])[] = [
  ['At a glance', glance],
  ['Trust', trust],
  ['Sessions', sessions],
  ['Latency (empty at metrics.level: minimal)', latency],
  ['Pin store', store],
  ['Service and process', service],
];

/** From left to right, then a line lower; a line is as high as the highest panel in it. */
function place(): readonly Placed[] {
  const placed: Placed[] = [];
  let y = 0;
  for (const [title, panels] of rows) {
    const id = placed.length + 1;
    placed.push({
      id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: columns, h: 1 },
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const { width, height, panel } of panels) {
      if (x + width > columns) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      placed.push({ id: placed.length + 1, ...panel, gridPos: { x, y, w: width, h: height } });
      x += width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  return placed;
}

const valuesOf = (name: string, label: string, series: string): object => ({
  name: label,
  label: name,
  type: 'query',
  datasource,
  query: { query: `label_values(${series}, ${label})`, refId: `variable-${label}` },
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: ['All'], value: ['$__all'] },
});

const variables: readonly object[] = [
  { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
  valuesOf('job', 'job', 'letterlock_build_info'),
  valuesOf('instance', 'instance', 'letterlock_build_info{job=~"$job"}'),
  valuesOf('route', 'route', `letterlock_client_connections_total{${here}}`),
  valuesOf('server', 'upstream', `letterlock_verdicts_total{${here}}`),
  {
    name: 'runbooks',
    label: 'runbooks at',
    type: 'textbox',
    query: 'https://docs.example.org/letterlock/runbooks',
    current: {
      text: 'https://docs.example.org/letterlock/runbooks',
      value: 'https://docs.example.org/letterlock/runbooks',
    },
  },
];

const mark = (name: string, expr: string, iconColor: string): object => ({
  name,
  datasource,
  enable: true,
  iconColor,
  target: { expr, refId: name },
  expr,
  step: '60s',
  titleFormat: `${name}: {{instance}}`,
  useValueForTime: true,
});

/** Vertical lines where a process started or took a configuration. */
const annotations: readonly object[] = [
  mark('started', `letterlock_start_time_seconds{${here}} * 1000`, 'blue'),
  mark('configured', `letterlock_config_last_reload_success_timestamp_seconds{${here}} * 1000`, 'purple'),
];

/** The whole board, ready to be printed as JSON. */
export const board = (): object => ({
  uid: 'letterlock',
  title: 'letterlock',
  description: 'What letterlock trusts, refuses and carries. Generated from scripts/board/.',
  tags: ['letterlock', 'mail', 'tls'],
  schemaVersion: 39,
  version: 1,
  editable: true,
  graphTooltip: 1,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  timezone: 'browser',
  templating: { list: variables },
  annotations: { list: annotations },
  links: [],
  panels: place(),
});
