// Finds the candidate a reference stands for, and what else is known of its key, for the comparison.

import { CommandError } from '../errors.ts';
import type { StoredRecord } from '../store/pin-store.ts';
import type { Situation } from '../trust/command.ts';
import { compare, type Comparison, type Elsewhere } from '../trust/comparison.ts';

interface Known {
  readonly byReference: (reference: string) => { readonly endpoint: string; readonly spki: string } | null;
  readonly situation: (endpoint: string) => Situation;
  readonly entries: readonly StoredRecord[];
  readonly referenceOf: (endpoint: string, spki: string) => string;
}

/** @throws CommandError `not-found` for a reference of no candidate */
export function compareKey(reference: string, known: Known): Comparison {
  const key = known.byReference(reference);
  if (key === null)
    throw new CommandError('not-found', `${JSON.stringify(reference)} is no reference of a key known here`, {
      hint: 'letterlock pins list shows the keys that wait; a reference has 8 characters.',
    });
  const { endpoint, spki } = key;
  const situation = known.situation(endpoint);
  const candidate = situation.record?.candidates.find((each) => each.spki === spki);
  if (candidate === undefined)
    throw new CommandError('not-found', `the key ${spki} of ${endpoint} does not wait for a decision`, {
      hint: `letterlock explain ${reference} says how it stands.`,
    });
  const elsewhere = known.entries.flatMap((entry) => standsElsewhere(entry, key));
  return compare({ situation, candidate, ref: known.referenceOf(endpoint, spki), elsewhere });
}

function standsElsewhere(
  { endpoint, record }: StoredRecord,
  key: { readonly endpoint: string; readonly spki: string },
): readonly Elsewhere[] {
  if (record === null || endpoint === key.endpoint) return [];
  const isIt = ({ spki }: { readonly spki: string }): boolean => spki === key.spki;
  if (record.rejected.some(isIt)) return [{ endpoint, as: 'rejected' }];
  if (record.pins.some((pin) => isIt(pin) && pin.endedAt === null)) return [{ endpoint, as: 'pinned' }];
  if (record.lastCa !== null && isIt(record.lastCa)) return [{ endpoint, as: 'ca' }];
  return record.candidates.some(isIt) ? [{ endpoint, as: 'waiting' }] : [];
}
