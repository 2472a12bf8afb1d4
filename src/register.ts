// `node --import letterlock/register app.mjs`: every TLS connection of an unchanged program goes through letterlock, those
// of its workers and child processes too. The store is opened at the first one.

import { install } from './library/install.ts';
import { preloadOffspring } from './library/offspring.ts';
import { Preload } from './library/preload.ts';
import { readSurroundings } from './library/surroundings.ts';

const surroundings = await readSurroundings(process.env);
const preload = new Preload(surroundings);
if (install((options) => preload.connect(options))) {
  // Beside this one, compiled or not.
  const evaluated = new URL(import.meta.url.replace(/\.(?=[jt]s$)/, '-evaluated.'));
  preloadOffspring({ register: new URL(import.meta.url), evaluated }, surroundings);
}
