// What a backup holds: every record as it is, and every rejection, also those that only the seal still knows.

import { Pace } from '../pace.ts';
import type { PinStore } from '../store/pin-store.ts';
import type { Tofu } from '../tofu.ts';
import { emptyRecord, type EndpointRecord } from '../trust/record.ts';
import type { BackupShape } from './shapes.ts';

interface Parts {
  readonly tofu: Tofu;
  readonly store: Pick<PinStore, 'sealed'>;
  readonly now: () => number;
}

/** Of one moment: with turns of the event loop between, but what is written meanwhile is not in it. */
export async function backup({ tofu, store, now }: Parts): Promise<BackupShape> {
  const entries = tofu.records();
  const records: EndpointRecord[] = [];
  const pace = new Pace();
  for (const { endpoint, record, verified } of entries) {
    const reliable = verified && record !== null ? record : emptyRecord(endpoint);
    const whole = withRejections(reliable, [...store.sealed(endpoint).rejected], now());
    if (!isBlank(whole)) records.push(whole);
    if (pace.isDue) await pace.rest();
  }
  return {
    records: records.toSorted(byName),
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
