// Finds the key behind a reference. References are keyed by the secret of the store, so that nobody can make a
// key that carries a wanted one; they find keys and never approve them.

import type { SealedKeys, StoredRecord } from '../store/pin-store.ts';
import { normalizeReference } from '../trust/fingerprint.ts';

interface Shelf {
  readonly entries: readonly StoredRecord[];
  readonly sealed: (endpoint: string) => SealedKeys;
  readonly referenceOf: (endpoint: string, spki: string) => string;
}

/** Null when the text is no reference or no key on record has it. */
export function keyByReference(
  text: string,
  shelf: Shelf,
): { readonly endpoint: string; readonly spki: string } | null {
  const wanted = normalizeReference(text);
  if (wanted === null) return null;
  for (const entry of shelf.entries) {
    const spki = keysOf(entry, shelf).find((key) => shelf.referenceOf(entry.endpoint, key) === wanted);
    if (spki !== undefined) return { endpoint: entry.endpoint, spki };
  }
  return null;
}

function keysOf({ endpoint, record }: StoredRecord, { sealed }: Shelf): readonly string[] {
  const listed = [...(record?.candidates ?? []), ...(record?.pins ?? []), ...(record?.rejected ?? [])];
  return [...listed.map((key) => key.spki), ...sealed(endpoint).rejected];
}
