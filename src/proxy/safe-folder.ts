// Whether others could put something else where a socket file is to be. Every folder on the way from the root counts,
// and every link: whoever may rename one of them may lead clients elsewhere.

import { lstat, readlink } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandError } from '../errors.ts';
import { codeOf } from '../net/failure.ts';

/** As many as Linux follows. */
const mostLinks = 40;

/** Throws CommandError `listen-unsafe`, or `listen-failed` where there is no folder; else what the system says. */
export async function refuseUnsafeFolder(path: string): Promise<void> {
  const steps = namesIn(dirname(path));
  let at = '/';
  let links = 0;
  refuseOpen(await lstat(at), { here: at, path });
  for (let name = steps.shift(); name !== undefined; name = steps.shift()) {
    // What `at` names has no links left in it.
    if (name === '..') at = dirname(at);
    if (name === '.' || name === '..') continue;
    const here = join(at, name);
    const facts = await factsOf(here, path);
    refuseForeign(facts, { here, path });
    if (facts.isSymbolicLink()) {
      links += 1;
      if (links > mostLinks) throw noFolder(here, path);
      const to = await readlink(here);
      if (to.startsWith('/')) at = '/';
      steps.splice(0, 0, ...namesIn(to));
    } else {
      if (!facts.isDirectory()) throw noFolder(here, path);
      refuseOpen(facts, { here, path });
      at = here;
    }
  }
}

const namesIn = (path: string): string[] => path.split('/').filter((name) => name !== '');

async function factsOf(here: string, path: string): Promise<Stats> {
  try {
    return await lstat(here);
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? missing(dirname(path), path) : error;
  }
}

interface Step {
  readonly here: string;
  /** Of the socket file. */
  readonly path: string;
}

/** What somebody else owns is replaced as that one likes. */
function refuseForeign(facts: Stats, { here, path }: Step): void {
  const own = process.geteuid?.() ?? -1;
  if (facts.uid === 0 || facts.uid === own) return;
  const [what, option] = facts.isSymbolicLink() ? ['link', ' -h'] : ['folder', ''];
  throw unsafe(path, `the ${what} ${here} belongs to uid ${facts.uid}`, `chown${option} ${own} ${here}`);
}

/** In a sticky folder what is ours can be renamed and removed by us and its owner alone. */
function refuseOpen({ mode, gid }: Stats, { here, path }: Step): void {
  if ((mode & 0o1000) !== 0) return;
  if ((mode & 0o002) !== 0) throw unsafe(path, `everybody may replace files in ${here}`, `chmod o-w ${here}`);
  if ((mode & 0o020) !== 0 && gid !== 0)
    throw unsafe(path, `group ${gid} may replace files in ${here}`, `chmod g-w ${here}`);
}

const missing = (folder: string, path: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: the folder ${folder} does not exist`, {
    code: 'listen-failed',
    hint: `mkdir -p -m 0755 ${folder} (as the user letterlock runs as), or RuntimeDirectory= in its service unit.`,
  });

const noFolder = (here: string, path: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: ${here} is not a folder`, {
    code: 'listen-failed',
  });

const unsafe = (path: string, why: string, mend: string): CommandError =>
  new CommandError('config', `cannot listen on unix:${path}: ${why}`, {
    code: 'listen-unsafe',
    hint: `Somebody else could put a socket of their own there and read passwords: ${mend}, or choose a folder that is letterlock's or root's, with all above it.`,
  });
