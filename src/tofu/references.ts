// Finds the key behind a reference. References are keyed by the secret of the store, so that nobody can make a
// key that carries a wanted one; they find keys and never approve them.

import { Pace } from '../pace.ts';
import type { SealedKeys, StoredRecord } from '../store/pin-store.ts';
import { normalizeReference } from '../trust/fingerprint.ts';

interface Shelf {
  readonly entries: readonly StoredRecord[];
  readonly sealed: (endpoint: string) => SealedKeys;
  readonly referenceOf: (endpoint: string, spki: string) => string;
}

export interface KnownKey {
  readonly endpoint: string;
  readonly spki: string;
}

/** Null when the text is no reference or no key on record has it. */
export function keyByReference(text: string, shelf: Shelf): KnownKey | null {
  for (const found of tries(text, shelf)) if (found !== null) return found;
  return null;
}

/** As `keyByReference`, with turns of the event loop between: each key on record costs a hash. */
export async function seekByReference(text: string, shelf: Shelf): Promise<KnownKey | null> {
  const pace = new Pace();
  for (const found of tries(text, shelf)) {
    if (found !== null) return found;
    if (pace.isDue) await pace.rest();
  }
  return null;
}

/** One for each record looked at. Keys that wait come first: they are few, and what people ask about. */
function* tries(text: string, { entries, sealed, referenceOf }: Shelf): Generator<KnownKey | null> {
  const wanted = normalizeReference(text);
  if (wanted === null) return;
  const among = (endpoint: string, keys: readonly string[]): KnownKey | null => {
    const spki = keys.find((key) => referenceOf(endpoint, key) === wanted);
    return spki === undefined ? null : { endpoint, spki };
  };
  for (const { endpoint, record } of entries) {
    if (record !== null && record.candidates.length > 0) yield among(endpoint, keysIn(record.candidates));
  }
  for (const { endpoint, record } of entries) {
    const rest = [...(record?.pins ?? []), ...(record?.rejected ?? [])];
    yield among(endpoint, [...keysIn(rest), ...sealed(endpoint).rejected]);
  }
}

const keysIn = (keys: readonly { readonly spki: string }[]): readonly string[] =>
  keys.map(({ spki }) => spki);
