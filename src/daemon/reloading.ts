// A reload: read the configuration again, take the whole of it or none. One at a time, in the order asked.

import type { ReloadShape } from '../admin/shapes.ts';
import type { Config, ConfigProblem } from '../config.ts';
import { LetterlockError } from '../errors.ts';
import { printable } from '../ops/printable.ts';

/** What reading the configuration again gives: a whole one, or every problem. */
export type Reread =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export interface ReloadParts {
  readonly reread: (() => Promise<Reread>) | null;
  readonly current: () => Config;
  /** Puts the configuration in force, or throws and leaves the old one. */
  readonly apply: (config: Config) => Promise<void>;
  readonly told: (answer: ReloadShape) => void;
}

/** The answer's function never rejects. */
export function reloader(parts: ReloadParts): () => Promise<ReloadShape> {
  let turn: Promise<unknown> = Promise.resolve();
  return () => {
    const answer = turn.then(() => reload(parts));
    turn = answer;
    return answer;
  };
}

async function reload(parts: ReloadParts): Promise<ReloadShape> {
  const problems = await attempt(parts);
  const answer = { reloaded: problems.length === 0, problems };
  parts.told(answer);
  return answer;
}

async function attempt({ reread, current, apply }: ReloadParts): Promise<readonly ConfigProblem[]> {
  if (reread === null)
    return [problem('this daemon was started without a configuration that can be read again')];
  try {
    const read = await reread();
    if (!read.ok) return read.problems;
    const fixed = fixedProblems(current(), read.config);
    if (fixed.length === 0) await apply(read.config);
    return fixed;
  } catch (error) {
    const known = error instanceof LetterlockError;
    return [
      problem(
        known ? error.message : `letterlock made a mistake: ${nameOf(error)}`,
        known ? error.hint : null,
      ),
    ];
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What is bound to the running process: another state is another daemon. */
function fixedProblems(old: Config, next: Config): readonly ConfigProblem[] {
  const moved = [
    ...(old.state === next.state ? [] : ['state']),
    ...(same(old.admin, next.admin) ? [] : ['admin']),
    ...(same(old.metrics, next.metrics) ? [] : ['metrics']),
  ];
  return moved.map((key) =>
    problem(`${key} cannot change while letterlock runs`, 'Restart letterlock for it.'),
  );
}

const problem = (message: string, suggestion: string | null = null): ConfigProblem => ({
  source: 'reload',
  line: null,
  column: null,
  message: printable(message),
  suggestion,
  excerpt: null,
});

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown error');
