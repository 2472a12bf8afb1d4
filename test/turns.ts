// How often the event loop turned while something was made: whoever makes much must let others have their turn.

import { vi } from 'vitest';

export async function turnsDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly turns: number; readonly result: T }> {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  try {
    return { result: await work(), turns };
  } finally {
    clearImmediate(next);
  }
}

/** The same where every piece of work takes longer than one may, as long as `work` lasts. */
export async function turnsOfSlow<T>(work: () => Promise<T>): ReturnType<typeof turnsDuring<T>> {
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000));
  try {
    return await turnsDuring(work);
  } finally {
    clock.mockRestore();
  }
}
