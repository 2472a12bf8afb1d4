// Is the configuration one that `run` would take? The same reading as `letterlock check`.

import { finding, type Finding } from '../finding.ts';

/** A problem or a warning, as one line with its place. */
export interface ConfigurationLine {
  readonly text: string;
  readonly advice: string | null;
}

export interface ConfigurationFacts {
  /** The file read; null where there is none. */
  readonly file: string | null;
  /** Where one was looked for. */
  readonly lookedAt: readonly string[];
  readonly routes: number;
  readonly problems: readonly ConfigurationLine[];
  readonly warnings: readonly ConfigurationLine[];
}

export function checkConfiguration(facts: ConfigurationFacts): readonly Finding[] {
  const { file, lookedAt, routes, problems, warnings } = facts;
  const told = [
    ...problems.map((problem) => lineFinding('fault', problem)),
    ...warnings.map((warning) => lineFinding('warning', warning)),
  ];
  if (problems.length > 0) return told;
  if (file === null && routes === 0)
    return [
      ...told,
      finding('configuration', 'note', {
        message: `there is no configuration file at ${lookedAt.join(' or ')}`,
        meaning: 'Nothing is proxied until routes are given; the other checks go by the defaults.',
        advice:
          'Start with letterlock run imaps://YOUR.SERVER, or write a file and name it: letterlock doctor -c FILE.',
      }),
    ];
  if (routes === 0)
    return [
      ...told,
      finding('configuration', 'warning', {
        message: `${file ?? 'the configuration'} has no route`,
        meaning: 'Nothing is proxied.',
        advice: 'Add one under routes: with its upstream.',
      }),
    ];
  const count = `${routes} ${routes === 1 ? 'route' : 'routes'}`;
  return [
    ...told,
    finding('configuration', 'ok', { message: `${file ?? 'what was given'} is good: ${count}` }),
  ];
}

const meanings = {
  fault: 'letterlock run and reload take a configuration whole or not at all: this one is refused.',
  warning: 'It works as it is written, and may not be what was meant.',
} as const;

const lineFinding = (level: 'fault' | 'warning', { text, advice }: ConfigurationLine): Finding =>
  finding('configuration', level, {
    message: text,
    meaning: meanings[level],
    ...(advice === null ? {} : { advice }),
  });
