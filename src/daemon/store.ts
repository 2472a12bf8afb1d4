// Opens the pin store for a daemon, which may make one, and says in its own words when another has it. Library
// processes that hold the database for each other give way to a daemon, and become its guests.

import { CommandError } from '../errors.ts';
import { pause } from '../sharing/pause.ts';
import { openLevelStore } from '../store/level.ts';
import type { EmbeddedStore } from '../store/level.ts';
import { StoreError } from '../store/store-error.ts';

/** Until a process that said it gives way has closed the database. */
const givingMs = 5000;
const againMs = 20;

/** @throws CommandError `store` when another daemon has it, StoreError for all else */
export async function openStore(directory: string, now: () => number): Promise<EmbeddedStore> {
  const first = await tryOpen(directory, now);
  if (!(first instanceof StoreError)) return first;
  const { askToGiveWay } = await import('../sharing/guest.ts');
  if ((await askToGiveWay(directory)) === 'kept') throw alreadyRuns(first, directory);
  const until = performance.now() + givingMs;
  while (performance.now() < until) {
    const store = await tryOpen(directory, now);
    if (!(store instanceof StoreError)) return store;
    await pause(againMs, { refs: 'ref', signal: null });
  }
  throw alreadyRuns(first, directory);
}

/** The error only where it is locked. */
async function tryOpen(directory: string, now: () => number): Promise<EmbeddedStore | StoreError> {
  try {
    return await openLevelStore({ directory, create: true, now });
  } catch (error) {
    if (error instanceof StoreError && error.code === 'store-locked') return error;
    throw error;
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
