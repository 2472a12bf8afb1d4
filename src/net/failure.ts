// Turns whatever was thrown by Node or given as an abort reason into an Error of ours, once, at the edge.

import { Failure, LetterlockError } from '../errors.ts';

/** Errors of ours pass; everything else becomes Failure('relay') with its cause kept. */
export function asFailure(error: unknown): LetterlockError {
  return error instanceof LetterlockError ? error : new Failure('relay', undefined, { cause: error });
}

/** Node's or the system's error code, bounded to what may stand in a log line. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code.slice(0, 80) : 'unknown';
}
