// The trust anchors of every route: each distinct list of sources is loaded once. A reload loads all of them
// again, because a CA file may have changed under the same name.

import type { AnchorSet } from '../net/anchors.ts';
import { loadAnchors } from '../net/anchors.ts';
import type { Route } from '../proxy/route.ts';

/** By route object, so that the sets of the old configuration and of the new one stand side by side. */
export type AnchorSets = ReadonlyMap<Route, AnchorSet>;

/** @throws AnchorError when a source cannot be used */
export async function loadAnchorSets(routes: readonly Route[]): Promise<AnchorSets> {
  const loading = new Map<string, Promise<AnchorSet>>();
  const sets = new Map<Route, AnchorSet>();
  for (const route of routes) {
    const key = JSON.stringify(route.anchors);
    const set = loading.get(key) ?? loadAnchors(route.anchors);
    loading.set(key, set);
    sets.set(route, await set);
  }
  return sets;
}
