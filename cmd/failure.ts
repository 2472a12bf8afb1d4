// The one place that says an error and picks its exit code. What is not ours shows nothing of its inside unless
// asked for, and asks to be reported.

import { CommandError, Failure, LetterlockError, Refusal } from '../src/errors.ts';
import type { ExitName } from '../src/errors.ts';
import type { ConfigProblem } from '../src/config.ts';
import { renderProblem } from '../src/config/problem.ts';
import { StoreError } from '../src/store/store-error.ts';
import { jsonText } from './io.ts';
import type { Io } from './io.ts';

/** The configuration cannot be used; exit 3. All its problems are shown. */
export class ConfigError extends CommandError {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[], hint = 'Nothing was started or changed.') {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super('config', `the configuration has ${count}`, { hint });
    this.problems = problems;
  }
}

export function reportError(
  cause: unknown,
  { io, json }: { readonly io: Io; readonly json: boolean },
): ExitName {
  const error = isShortOfFiles(cause) ? tooFewFiles(cause) : cause;
  if (json) io.note(...jsonText({ error: errorBody(error) }).split('\n'));
  else io.note(...errorLines(error, io));
  return exitOf(error);
}

/** Also parts of the program itself are files to open. */
const isShortOfFiles = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');

const tooFewFiles = (cause: unknown): CommandError =>
  new CommandError('config', 'letterlock may not open as many files as it needs', {
    cause,
    hint: 'Raise the limit: ulimit -n 1024, or LimitNOFILE= in the systemd unit.',
  });

function exitOf(error: unknown): ExitName {
  if (error instanceof CommandError) return error.exit;
  if (error instanceof StoreError) return 'store';
  if (error instanceof Refusal) return 'refused';
  if (error instanceof Failure) return error.code === 'internal' ? 'internal' : 'network';
  if (error instanceof LetterlockError) return error.code === 'anchors' ? 'config' : 'internal';
  return 'internal';
}

function errorBody(error: unknown): Record<string, unknown> {
  if (!(error instanceof LetterlockError))
    return { code: 'internal', message: 'letterlock made a mistake', hint: bugHint };
  const problems = error instanceof ConfigError ? { problems: error.problems } : {};
  return { code: error.code, message: error.message, hint: error.hint, ...problems };
}

const bugHint = 'This is a bug: please report it. LETTERLOCK_LOG_LEVEL=debug shows where it happened.';

/** Each part of a rendered problem is escaped already, so a line end in it is ours. */
export const problemLines = (problem: ConfigProblem): readonly string[] => renderProblem(problem).split('\n');

function errorLines(error: unknown, io: Io): readonly string[] {
  if (error instanceof ConfigError) return [...error.problems.flatMap(problemLines), ...told(error)];
  if (error instanceof LetterlockError) return told(error);
  const where =
    io.env['LETTERLOCK_LOG_LEVEL'] === 'debug' && error instanceof Error
      ? [error.stack ?? error.message]
      : [];
  return ['letterlock: letterlock made a mistake', ...where, `hint: ${bugHint}`];
}

const told = (error: LetterlockError): readonly string[] => [
  ...`letterlock: ${error.message}`.split('\n'),
  ...(error.hint === null ? [] : `hint: ${error.hint}`.split('\n')),
];
