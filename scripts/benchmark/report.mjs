// What is printed at the end of a run.

import { goalTable, judged } from './goals.mjs';
import { figuresTable, machineLine } from './tables.mjs';

export function report(outcome) {
  console.log(text(outcome));
}

function text({ machine, mode, seconds, runtimes, results }) {
  const goals = runtimes.flatMap((major) => {
    const rows = judged(results, { ours: `letterlock (Node ${major})`, major });
    return rows.length === 0 ? [] : [`### Goals, Node ${major}`, goalTable(rows)];
  });
  return [
    ...goals,
    '### Figures: median (range)',
    figuresTable(results),
    `${machineLine(machine)} ${mode === 'full' ? 'Full' : 'Quick'} mode, ${seconds} s.`,
  ].join('\n\n');
}
