// Whether others could put something else in the place of what stands at a path. Every folder on the way from the
// root counts, and every link: whoever may rename one of them may lead us elsewhere. It only looks, and only at the
// moment it is asked; where nothing is weak, nobody else can change that afterwards.

import type { Stats } from 'node:fs';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** As many as Linux follows. */
const mostLinks = 40;
/** The kernel shows this uid for every user whom this process's user namespace has no number for. */
const overflowUid = 65_534;

export type WeakStep =
  /** Somebody else owns it, and replaces it as he likes. */
  | {
      readonly kind: 'foreign';
      readonly here: string;
      readonly what: 'folder' | 'link';
      readonly uid: number;
    }
  | { readonly kind: 'everybody'; readonly here: string }
  | { readonly kind: 'group'; readonly here: string; readonly gid: number }
  /** The way ends here. */
  | { readonly kind: 'absent'; readonly here: string }
  | { readonly kind: 'no-folder'; readonly here: string };

export interface WayOptions {
  /** Groups whose members may replace what is in a folder; root's always may. */
  readonly groups: readonly number[];
}

/** The first folder or link on the way to `folder`, itself included, that others may replace, or that is none; null: there is none. Throws what the system says. */
export async function weakStep(folder: string, { groups }: WayOptions): Promise<WeakStep | null> {
  const owners = await trustedOwners();
  const steps = namesIn(folder);
  let at = '/';
  let links = 0;
  const root = openStep(await lstat(at), { here: at, groups });
  if (root !== null) return root;
  for (let name = steps.shift(); name !== undefined; name = steps.shift()) {
    // What `at` names has no links left in it.
    if (name === '..') at = dirname(at);
    if (name === '.' || name === '..') continue;
    const here = join(at, name);
    const facts = await factsOf(here);
    if (facts === null) return { kind: 'absent', here };
    const isLink = facts.isSymbolicLink();
    if (!owners.includes(facts.uid))
      return { kind: 'foreign', here, what: isLink ? 'link' : 'folder', uid: facts.uid };
    if (isLink) {
      links += 1;
      if (links > mostLinks) return { kind: 'no-folder', here };
      const to = await readlink(here);
      if (to.startsWith('/')) at = '/';
      steps.splice(0, 0, ...namesIn(to));
    } else {
      if (!facts.isDirectory()) return { kind: 'no-folder', here };
      const weak = openStep(facts, { here, groups });
      if (weak !== null) return weak;
      at = here;
    }
  }
  return null;
}

const namesIn = (path: string): string[] => path.split('/').filter((name) => name !== '');

async function factsOf(here: string): Promise<Stats | null> {
  try {
    return await lstat(here);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** In a sticky folder what is ours can be renamed and removed by us and its owner alone. */
function openStep(
  { mode, gid }: Stats,
  { here, groups }: WayOptions & { readonly here: string },
): WeakStep | null {
  if ((mode & 0o1000) !== 0) return null;
  if ((mode & 0o002) !== 0) return { kind: 'everybody', here };
  if ((mode & 0o020) !== 0 && gid !== 0 && !groups.includes(gid)) return { kind: 'group', here, gid };
  return null;
}

/** Ourselves and root; where this user namespace has no number for root, root is among those without one. */
async function trustedOwners(): Promise<readonly number[]> {
  const own = [0, process.geteuid?.() ?? -1];
  const map = await readFile('/proc/self/uid_map', 'latin1').catch(() => null);
  const hasRoot = map === null || /^ *0 /m.test(map);
  return hasRoot ? own : [...own, overflowUid];
}
