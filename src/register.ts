// `node --import letterlock/register app.mjs`: every TLS connection of an unchanged program goes through letterlock, those
// of its workers and child processes too. The store is opened at the first one.

import { install } from './library/install.ts';
import { inheritedSurroundings, modulesBeside, preloadOffspring } from './library/offspring.ts';
import { Preload } from './library/preload.ts';
import { readSurroundings } from './library/surroundings.ts';

const surroundings = inheritedSurroundings() ?? (await readSurroundings(process.env));
const preload = new Preload(surroundings);
if (install((options) => preload.connect(options)))
  preloadOffspring(modulesBeside(import.meta.url), surroundings);
