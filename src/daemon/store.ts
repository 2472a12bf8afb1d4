// Opens the pin store for a daemon, which may make one, and says in its own words when another has it.

import { CommandError } from '../errors.ts';
import { openLevelStore } from '../store/level.ts';
import type { EmbeddedStore } from '../store/level.ts';
import { StoreError } from '../store/store-error.ts';

/** @throws CommandError `store` when another daemon has it, StoreError for all else */
export async function openStore(directory: string, now: () => number): Promise<EmbeddedStore> {
  try {
    return await openLevelStore({ directory, create: true, now });
  } catch (error) {
    throw error instanceof StoreError && error.code === 'store-locked'
      ? alreadyRuns(error, directory)
      : error;
  }
}

function alreadyRuns(cause: StoreError, directory: string): CommandError {
  const { holder } = cause;
  const who =
    holder === null
      ? 'another process'
      : `pid ${holder.pid}${holder.user === null ? '' : ` (user ${holder.user})`}`;
  return new CommandError(
    'store',
    `${who} already runs letterlock with this state; add the URL to it or pass --state DIR`,
    { code: cause.code, cause, hint: `The state is ${directory}.` },
  );
}
