// What letterlock is to reach, as ratios to what the peers needed in the same run, or as figures of its own. Pure.

import { median, ratio, shown } from './statistics.mjs';

const versus = (workload, must, reach) => ({ workload, must, reach });
/** Not above so many of its unit; by the major version of Node where it differs. */
const atMost = (workload, must, reach) => ({ workload, limit: must, reach: { limit: reach } });
const asImplicit = (workload) => ({
  workload: `starttls-${workload}`,
  implicit: workload,
  must: { 'implicit TLS': 1.05 },
  reach: { 'implicit TLS': 1 },
});

export const goals = [
  versus('down-16k', { stunnel: 1, haproxy: 1.1 }, { stunnel: 0.85, haproxy: 0.95, nginx: 0.95 }),
  versus('down-4k', { stunnel: 0.75, haproxy: 1.05 }, { stunnel: 0.65, haproxy: 0.95, nginx: 1 }),
  versus('down-1400', { stunnel: 0.5, haproxy: 0.9 }, { stunnel: 0.45, haproxy: 0.8, nginx: 1 }),
  versus('down-16k-8', { stunnel: 1.15, haproxy: 1.1 }, { stunnel: 1, haproxy: 1 }),
  versus('up-1', { stunnel: 1.05, haproxy: 1.1 }, { stunnel: 0.93, haproxy: 1 }),
  versus('up-8', { stunnel: 1.05, haproxy: 1.1 }, { stunnel: 0.93, haproxy: 1 }),
  ...['down-16k', 'down-4k', 'down-1400', 'down-16k-8', 'up-1', 'up-8'].map(asImplicit),
  versus('session-ec', { stunnel: 0.85 }, { stunnel: 0.75, haproxy: 1 }),
  versus('session-rsa', { stunnel: 0.85 }, { stunnel: 0.75, haproxy: 1 }),
  versus('session-starttls', { stunnel: 0.85 }, { stunnel: 0.75 }),
  atMost('latency p50', { any: 15 }, 10),
  atMost('latency p99', { any: 200 }, 100),
  atMost('memory-500', { 20: 50, any: 75 }, 38),
  atMost('memory-1000', { 20: 50, any: 75 }, 38),
  atMost('memory-5000', { 20: 50, any: 75 }, 38),
  atMost('memory-1000 idle', { any: 0.05 }, 0.05),
  atMost('start accept', { 20: 150, any: 90 }, 40),
  atMost('greeting warm', { any: 5 }, 5),
];

/**
 * How far each goal was reached by the entrant `ours` of that Node: rows of
 * `{workload, title, peer, measured, low, high, must, reach, met}`; what was not measured gives none.
 */
export function judged(results, { ours, major }) {
  return goals.flatMap((goal) => {
    const measured = results[goal.workload];
    const own = measured?.samples[ours];
    if (own === undefined) return [];
    const { title, unit } = measured;
    if (goal.limit !== undefined) {
      const must = goal.limit[major] ?? goal.limit.any;
      const value = median(own);
      const about = {
        measured: value,
        low: Math.min(...own),
        high: Math.max(...own),
        must,
        reach: goal.reach.limit,
      };
      return [{ workload: goal.workload, title, peer: null, unit, ...about, met: value <= must }];
    }
    const theirs =
      goal.implicit === undefined
        ? measured.samples
        : { 'implicit TLS': results[goal.implicit]?.samples[ours] };
    return ratioRows(goal, { title, own, theirs });
  });
}

function ratioRows({ workload, must, reach }, { title, own, theirs }) {
  return Object.keys({ ...must, ...reach }).flatMap((peer) => {
    const found = theirs[peer] && ratio(own, theirs[peer]);
    if (!found) return [];
    const { median: measured, low, high } = found;
    const limits = { must: must[peer] ?? null, reach: reach[peer] ?? null };
    const reached = limits.must === null ? null : measured <= limits.must;
    return [{ workload, title, peer, unit: null, measured, low, high, ...limits, met: reached }];
  });
}

/** One line of Markdown for each. */
export function goalTable(rows) {
  const lines = rows.map((row) => {
    const range = `${shown(row.low)} to ${shown(row.high)}`;
    const cells = [row.title, `**${shown(row.measured)}**`, range, row.unit ?? `x ${row.peer}`];
    return `| ${[...cells, limit(row.must), limit(row.reach), met(row.met)].join(' | ')} |`;
  });
  const head = [
    '| workload | measured | range | | goal | reach for | met |',
    '|---|---:|---|---|---:|---:|---|',
  ];
  return [...head, ...lines].join('\n');
}

const limit = (number) => (number === null ? '' : `<= ${shown(number)}`);

function met(answer) {
  if (answer === null) return '';
  return answer ? 'yes' : '**no**';
}
