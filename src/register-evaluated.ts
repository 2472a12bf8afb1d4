// For workers made of text: they run no preload, so that their text begins with a call of this. It waits for nothing, which
// is why it may be required.

import { install } from './library/install.ts';
import { modulesBeside, preloadOffspring } from './library/offspring.ts';
import { Preload } from './library/preload.ts';
import type { Surroundings } from './library/surroundings.ts';

export function secure(surroundings: Surroundings): void {
  const preload = new Preload(surroundings);
  if (install((options) => preload.connect(options)))
    preloadOffspring(modulesBeside(import.meta.url), surroundings);
}
