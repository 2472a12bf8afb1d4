// Variables and switches of Node that others use to widen what is trusted. letterlock goes by its configuration alone.

import { finding, type Finding } from '../finding.ts';

export interface EnvironmentFacts {
  /** Trust variables that are set. */
  readonly ambient: readonly string[];
  /** Why `run` would refuse to start; null where it would not. */
  readonly refused: { readonly message: string; readonly hint: string | null } | null;
}

export function checkEnvironment({ ambient, refused }: EnvironmentFacts): readonly Finding[] {
  const found: Finding[] = [];
  if (refused !== null)
    found.push(
      finding('environment', 'fault', {
        message: refused.message,
        meaning: 'letterlock run refuses to start like this.',
        ...(refused.hint === null ? {} : { advice: refused.hint }),
      }),
    );
  if (ambient.length > 0)
    found.push(
      finding('environment', 'note', {
        message: `set and ignored: ${ambient.join(', ')}`,
        meaning: 'What is trusted stands in the configuration alone.',
        advice:
          'If a CA of your own is meant: caFile: [system, FILE]. Else unset them, for other programs of Node obey them.',
      }),
    );
  if (found.length > 0) return found;
  return [
    finding('environment', 'ok', { message: 'nothing in it would widen what other programs of Node trust' }),
  ];
}
