// How often the event loop turned while something was made: whoever makes much must let others have their turn.

import { setImmediate as turn } from 'node:timers/promises';

export async function turnsDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly turns: number; readonly result: T }> {
  let turns = 0;
  let over = false;
  const counting = (async () => {
    while (!over) {
      await turn();
      if (!over) turns += 1;
    }
  })();
  const result = await work();
  over = true;
  await counting;
  return { turns, result };
}
