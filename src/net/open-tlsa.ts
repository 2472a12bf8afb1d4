// Who looks up TLSA records, made from where the configuration says that the resolver is.

import { loadAnchors } from './anchors.ts';
import type { LoopbackResolver, TlsResolver } from './resolver.ts';
import { TlsaFinder } from './tlsa.ts';

/** A resolver whose trust anchors are named, not loaded: `system` or PEM file paths. */
export type ResolverPlace =
  LoopbackResolver | (Omit<TlsResolver, 'anchors'> & { readonly anchors: readonly string[] });

/** Null for none. @throws AnchorError when an anchor source cannot be used */
export async function openTlsa(place: ResolverPlace | null, now: () => number): Promise<TlsaFinder | null> {
  if (place === null) return null;
  if (place.kind === 'loopback') return new TlsaFinder(place, { now });
  return new TlsaFinder({ ...place, anchors: await loadAnchors(place.anchors) }, { now });
}
