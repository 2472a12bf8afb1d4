// When a command cannot be stored: said before anything is tried where that is known, and after it failed.

import { CommandError } from '../errors.ts';
import type { StoreHealth } from '../store/pin-store.ts';
import type { Entry } from './mirror.ts';

/** @throws CommandError `store` where a change could not be trusted to last */
export function checkWritable({ state, detail }: StoreHealth, { verified }: Entry): void {
  if (state === 'good' && verified) return;
  throw new CommandError(
    'store',
    `nothing can be changed: the pin store is ${state === 'good' ? 'damaged' : state}`,
    { hint: detail ?? 'See letterlock pins verify and letterlock pins repair.' },
  );
}

export const notStored = (cause: unknown): CommandError =>
  new CommandError('store', 'the change could not be stored, so nothing changed', {
    cause,
    hint: 'See letterlock status and letterlock pins verify.',
  });
