// What is printed at the end of a run, and what is written into docs/performance.md of it.

import { goalTable, judged } from './goals.mjs';
import { alarming } from './record.mjs';
import { shown } from './statistics.mjs';
import { figuresTable, machineLine } from './tables.mjs';

const begin = '<!-- measured by scripts/bench --full --write: begin -->';
const end = '<!-- measured: end -->';

/** How far each goal was reached: `{major, rows}` for each Node. */
export function goalsOf({ runtimes, results }) {
  return runtimes.map((major) => ({
    major,
    rows: judged(results, { ours: `letterlock (Node ${major})`, major }),
  }));
}

/** The tables of a run, as Markdown. */
export function tables(outcome) {
  const { machine, mode, seconds, at, results } = outcome;
  const goals = goalsOf(outcome)
    .filter(({ rows }) => rows.length > 0)
    .flatMap(({ major, rows }) => [`### Goals, Node ${major}`, goalTable(rows)]);
  const when = `${mode === 'full' ? 'Full' : 'Quick'} mode, ${seconds} s, ${at.slice(0, 10)}.`;
  return [
    ...goals,
    '### Figures: median (range)',
    figuresTable(results),
    `${machineLine(machine)} ${when}`,
  ].join('\n\n');
}

/** The rows of `comparison`, as Markdown; empty for none. */
export function besideRecord(rows) {
  if (rows.length === 0) return '';
  const lines = rows.map(
    ({ title, name, peer, now, before, excess }) =>
      `| ${title} | ${name} x ${peer} | ${shown(now)} | ${shown(before)} | ${shown(excess)} |`,
  );
  const head = '| workload | ratio | now | recorded | now / recorded |\n|---|---|---:|---:|---:|';
  return [`### Beside what was recorded`, '', head, ...lines].join('\n');
}

/** A line for each workload that became much slower. */
export function warnings(rows) {
  return rows
    .filter(({ excess }) => excess > alarming)
    .map(
      ({ title, name, peer, now, before, excess }) =>
        `WARNING: ${title}: ${name} costs ${shown(now)} times ${peer}, recorded were ${shown(before)}: ` +
        `${shown(excess)} times as much`,
    );
}

/** The page with these tables between its marks; throws for a page that has none. */
export function written(page, outcome) {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error('docs/performance.md has lost the marks of what is measured');
  return `${page.slice(0, from + begin.length)}\n\n${tables(outcome)}\n\n${page.slice(to)}`;
}
