// What was measured, as Markdown: a row for each workload, a column for each entrant. Pure.

import { shown, summary } from './statistics.mjs';

/** `results`: `{id: {title, unit, samples: {entrant: [number]}}}`. */
export function figuresTable(results) {
  const rows = Object.values(results);
  const entrants = [...new Set(rows.flatMap(({ samples }) => Object.keys(samples)))];
  return [
    `| workload | unit | ${entrants.join(' | ')} |`,
    `|---|---|${entrants.map(() => '---').join('|')}|`,
    ...rows.map(
      ({ title, unit, samples }) =>
        `| ${title} | ${unit} | ${entrants.map((name) => cell(samples[name])).join(' | ')} |`,
    ),
  ].join('\n');
}

function cell(samples) {
  const found = summary(samples ?? []);
  return found === null ? '' : `${shown(found.median)} (${shown(found.low)}-${shown(found.high)})`;
}

export function machineLine(machine) {
  const { cpu, cores, kernel, programs, pinned, precision } = machine;
  const place = pinned ? 'client, proxy and server on one core' : 'client, proxy and server on all cores';
  return `${cpu}, ${cores} cores, Linux ${kernel}; ${place}; processor time to ${precision}. ${programs.join('; ')}.`;
}
