// For workers made of text: they run no preload, so that their text begins with a call of this. It waits for nothing, which
// is why it may be required.

import { install } from './library/install.ts';
import { Preload } from './library/preload.ts';
import type { Surroundings } from './library/surroundings.ts';

export function secure(surroundings: Surroundings): void {
  const preload = new Preload(surroundings);
  install((options) => preload.connect(options));
}
