// What a backup holds: every record as it is, and every rejection, also those that only the seal still knows.

import type { PinStore } from '../store/pin-store.ts';
import type { Tofu } from '../tofu.ts';
import { emptyRecord, type EndpointRecord } from '../trust/record.ts';
import type { BackupShape } from './shapes.ts';

interface Parts {
  readonly tofu: Tofu;
  readonly store: Pick<PinStore, 'sealed'>;
  readonly now: () => number;
}

export function backup({ tofu, store, now }: Parts): BackupShape {
  const entries = tofu.records();
  const records = entries.map(({ endpoint, record, verified }) => {
    const reliable = verified && record !== null ? record : emptyRecord(endpoint);
    return withRejections(reliable, [...store.sealed(endpoint).rejected], now());
  });
  return {
    records: records.filter((record) => !isBlank(record)).toSorted(byName),
    damaged: entries.filter(({ verified }) => !verified).map(({ endpoint }) => endpoint),
  };
}

function withRejections(record: EndpointRecord, sealed: readonly string[], at: number): EndpointRecord {
  const known = new Set(record.rejected.map(({ spki }) => spki));
  const lost = sealed.filter((spki) => !known.has(spki)).map((spki) => ({ spki, at }));
  return lost.length === 0 ? record : { ...record, rejected: [...record.rejected, ...lost] };
}

const isBlank = ({ basis, pins, rejected, candidates, lastCa, expected = [] }: EndpointRecord): boolean =>
  basis === 'none' && lastCa === null && [...pins, ...rejected, ...candidates, ...expected].length === 0;

const byName = (one: EndpointRecord, other: EndpointRecord): number =>
  one.endpoint < other.endpoint ? -1 : 1;
