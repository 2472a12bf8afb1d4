// The keys of an endpoint that were rejected or given an end: what must outlive a lost record, because
// forgetting it would open a door. Of two sayings about one key the stricter counts.

import type { EndpointRecord } from '../trust/record.ts';
import type { SealedKeys } from './pin-store.ts';

export const noSealedKeys: SealedKeys = { rejected: new Set(), until: new Map() };

/** Every key of `record` that is rejected, and every one with an end, planned or noticed. */
export function sealedKeysOf(record: EndpointRecord | null): SealedKeys {
  if (record === null) return noSealedKeys;
  const until = new Map<string, number>();
  for (const pin of record.pins) {
    const ends = [pin.until, pin.endedAt, until.get(pin.spki)].filter((at) => typeof at === 'number');
    if (ends.length > 0) until.set(pin.spki, Math.min(...ends));
  }
  if (record.rejected.length === 0 && until.size === 0) return noSealedKeys;
  return { rejected: new Set(record.rejected.map(({ spki }) => spki)), until };
}

/** The union; of two ends the earlier. */
export function stricter(one: SealedKeys, other: SealedKeys): SealedKeys {
  const until = new Map(one.until);
  for (const [spki, at] of other.until) until.set(spki, Math.min(at, until.get(spki) ?? at));
  return { rejected: new Set([...one.rejected, ...other.rejected]), until };
}
