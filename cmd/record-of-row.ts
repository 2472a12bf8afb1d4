// The record behind a row an operator is shown, as far as a judgement needs it: inspect asks what each policy
// would say also where a daemon holds the store, and then rows are all there is.

import type { PinRow, PinsRow } from '../src/admin/shapes.ts';
import { emptyRecord } from '../src/trust/record.ts';
import type { EndpointRecord, Expectation, LastCa, Pin } from '../src/trust/record.ts';

export function recordOfRow(row: PinsRow): EndpointRecord {
  return {
    ...emptyRecord(row.endpoint),
    basis: row.basis,
    ...(row.byDane === undefined ? {} : { byDane: row.byDane }),
    pins: row.pins.filter(({ origin, firstSeen }) => origin !== 'config' || firstSeen !== null).map(pinOf),
    rejected: row.rejected.map((spki) => ({ spki, at: 0 })),
    lastCa: lastCaOf(row),
    expected: row.expected.map(expectationOf),
  };
}

/** Keys the configuration of the daemon pins: an overlay on the record, not part of it. */
export const configPinsOfRow = (row: PinsRow): readonly string[] =>
  row.pins
    .filter(({ origin, firstSeen }) => origin === 'config' && firstSeen === null)
    .map(({ spki }) => spki);

const pinOf = (row: PinRow): Pin => ({
  spki: row.spki,
  kind: row.kind,
  origin: row.origin,
  firstSeen: millisecondsOf(row.firstSeen) ?? 0,
  lastSeen: millisecondsOf(row.lastSeen),
  until: millisecondsOf(row.until),
  // A pin that no longer counts has ended, whatever made it end: nothing here may bring it back.
  endedAt: row.live ? null : 0,
  evidence: null,
  ...(row.parent === undefined ? {} : { parent: row.parent }),
});

const expectationOf = ({ importedAt, until, ...same }: PinsRow['expected'][number]): Expectation => ({
  ...same,
  importedAt: Date.parse(importedAt),
  until: millisecondsOf(until),
});

function lastCaOf({ lastCa }: PinsRow): LastCa | null {
  if (lastCa === null) return null;
  const { notAfter, seenAt, pem = '', ...same } = lastCa;
  return { ...same, notAfter: Date.parse(notAfter), seenAt: Date.parse(seenAt), pem };
}

const millisecondsOf = (date: string | null): number | null => (date === null ? null : Date.parse(date));
