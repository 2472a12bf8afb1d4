// A part of the program that is loaded when somebody needs it first. That it cannot be loaded is no mistake of his order, and
// none of ours: he is told so, and to try again.

import { CommandError } from '../errors.ts';

/** @throws CommandError `not-loaded` */
export async function latePart<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (cause) {
    throw new CommandError('internal', `a part of letterlock could not be loaded (${reasonOf(cause)})`, {
      code: 'not-loaded',
      cause,
      hint: 'Nothing was done. Try again in a moment; where that does not help, restart letterlock.',
    });
  }
}

/** The message would show where letterlock lies. */
const reasonOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown error';
