// The trust anchors of every route, with the revocation lists beside them: each distinct pair is loaded once. A
// reload loads all of them again, because a CA file may have changed under the same name; what is made of the same
// certificates is taken over.

import type { AnchorSet } from '../net/anchors.ts';
import { loadAnchors } from '../net/anchors.ts';
import { CrlFiles } from '../net/crl-files.ts';
import { Pace } from '../pace.ts';
import { targetsOf, type Route, type Target } from '../proxy/route.ts';

/** By target object (a route is its first one), so that the sets of the old configuration and of the new one stand side by side. */
export type AnchorSets = ReadonlyMap<Target, AnchorSet>;

/**
 * @param current those in force
 * @throws AnchorError, CrlError when a source cannot be used
 */
export async function loadAnchorSets(
  routes: readonly Route[],
  current: AnchorSets = new Map(),
): Promise<AnchorSets> {
  const known = new Set(current.values());
  const loading = new Map<string, Promise<AnchorSet>>();
  const sets = new Map<Target, AnchorSet>();
  const pace = new Pace();
  for (const target of routes.flatMap(targetsOf)) {
    const key = JSON.stringify([target.anchors, target.crlFiles ?? []]);
    const set = loading.get(key) ?? loadWithCrls(target, known);
    loading.set(key, set);
    sets.set(target, await set);
    if (pace.isDue) await pace.rest();
  }
  return sets;
}

/** @throws AnchorError, CrlError when a source cannot be used */
export async function loadWithCrls(
  { anchors, crlFiles = [] }: Pick<Target, 'anchors' | 'crlFiles'>,
  known: Iterable<AnchorSet> = [],
): Promise<AnchorSet> {
  const set = await loadAnchors(anchors, { known });
  return crlFiles.length === 0 ? set : { ...set, crls: await CrlFiles.open(crlFiles, set) };
}
