// How much goes through now: two sparklines, each with its figures, and all samples as a table for whoever cannot see
// or wants to know.

import type { VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import type { Sample } from '../data/rates.ts';
import { bytesText } from '../words/format.ts';
import { Section } from './page.tsx';
import { Spark } from './spark.tsx';

interface Line {
  readonly title: string;
  readonly colour: string;
  readonly value: (sample: Sample) => number;
  readonly text: (value: number) => string;
}

const lines: readonly Line[] = [
  {
    title: 'Sessions',
    colour: '--accent',
    value: ({ sessions }) => sessions,
    text: (value) => String(Math.round(value)),
  },
  { title: 'Bytes a second', colour: '--pin', value: ({ rate }) => rate, text: bytesText },
];

export function Rates(): VNode {
  const { samples, theme } = useDesk();
  return (
    <Section title="Right now">
      <div class="charts">
        {lines.map((line) => (
          <Chart line={line} samples={samples} theme={theme} key={line.title} />
        ))}
      </div>
      <details>
        <summary>As a table</summary>
        <SampleTable samples={samples} />
      </details>
    </Section>
  );
}

interface ChartProps {
  readonly line: Line;
  readonly samples: readonly Sample[];
  readonly theme: string;
}

function Chart({ line, samples, theme }: ChartProps): VNode {
  const values = samples.map(line.value);
  const latest = values.at(-1);
  return (
    <figure class="chart">
      <figcaption>
        <span>{line.title}</span>
        <strong class="figure">{latest === undefined ? '–' : line.text(latest)}</strong>
      </figcaption>
      <Spark times={samples.map(({ at }) => at)} values={values} colour={line.colour} theme={theme} />
      <p class="quiet">{summary(values, line.text)}</p>
    </figure>
  );
}

function summary(values: readonly number[], text: (value: number) => string): string {
  if (values.length === 0) return 'first figures in a moment';
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `mean ${text(mean)}, most ${text(Math.max(...values))} in ${values.length * 2} seconds`;
}

const tableRows = 15;

function SampleTable({ samples }: { readonly samples: readonly Sample[] }): VNode {
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Sessions</th>
          <th scope="col">Bytes a second</th>
        </tr>
      </thead>
      <tbody>
        {samples
          .slice(-tableRows)
          .toReversed()
          .map(({ at, sessions, rate }) => (
            <tr key={at}>
              <td data-label="Time">{new Date(at).toISOString().slice(11, 19)} UTC</td>
              <td data-label="Sessions" class="number">
                {sessions}
              </td>
              <td data-label="Bytes a second" class="number">
                {bytesText(rate)}
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
