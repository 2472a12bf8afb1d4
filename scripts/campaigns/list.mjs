// All campaigns, in the order in which they run. Each module has an export `campaign`:
//
//   name      of --only
//   title     a few words
//   short     seconds, for CI
//   long      seconds, for docs/assurance.md
//   proof     seconds in which a planted fault is found
//   planted   `{name, file, find, replace}` each: a place of the sources that is broken on purpose (planted.mjs); with `says`, a
//             pattern, where only findings that match it are of that place
//   run       `({build, seconds, seed, folder, signal, say}) => Promise<{figures, findings, tables?}>`
//             build     the folder of the build: cmd/letterlock.js in it is what runs, src/ is the library
//             seconds   to spend; it ends within a third more
//             seed      for everything that is drawn by chance
//             folder    empty, its own, removed afterwards
//             signal    aborted when somebody wants it to end: it ends what it started and returns
//             say       prints a line of progress to standard error
//             figures   `[label, value]` each, in the order to print; values are numbers or short words
//             tables    what --json holds besides
//             findings  sentences that say what was done, what was expected and what came; empty: nothing was found
//
// What a campaign cannot do on a machine (a program is missing, it is not root) is a figure that says so, and a finding
// where CI is set: there everything has to run.

import { campaign as clients } from './clients.mjs';
import { campaign as faults } from './faults.mjs';
import { campaign as fuzz } from './fuzz.mjs';
import { campaign as load } from './load.mjs';
import { campaign as secrets } from './secrets.mjs';
import { campaign as supply } from './supply.mjs';
import { campaign as upstream } from './upstream.mjs';

export const campaigns = [upstream, clients, fuzz, faults, load, secrets, supply];
