// When a key was last seen, and how often: kept beside the records, outside digest and audit, because a
// synced write for every session would be waste and a lost hour of it opens nothing.

import type { EndpointRecord } from '../trust/record.ts';
import type { Touch } from './pin-store.ts';
import { isCount } from './codec.ts';
import { keys } from './database.ts';

/** Sightings of one endpoint by key. */
export type Sightings = ReadonlyMap<string, { readonly lastSeen: number; readonly seenCount: number }>;

/** `touches` of one endpoint on top of `before`; neither time nor count ever goes back. */
function addTouches(before: Sightings, touches: readonly Touch[]): Sightings {
  const after = new Map(before);
  for (const { spki, lastSeen, seenCount } of touches) {
    const old = after.get(spki) ?? { lastSeen: 0, seenCount: 0 };
    after.set(spki, {
      lastSeen: Math.max(old.lastSeen, lastSeen),
      seenCount: Math.max(old.seenCount, seenCount),
    });
  }
  return after;
}

/** `record` as a reader shall see it: its own times, or later sightings. */
export function withSightings(
  record: EndpointRecord | null,
  sightings: Sightings | undefined,
): EndpointRecord | null {
  if (record === null || sightings === undefined || sightings.size === 0) return record;
  return {
    ...record,
    pins: record.pins.map((pin) => {
      const seen = sightings.get(pin.spki);
      return seen === undefined ? pin : { ...pin, lastSeen: Math.max(pin.lastSeen ?? 0, seen.lastSeen) };
    }),
    candidates: record.candidates.map((candidate) => {
      const seen = sightings.get(candidate.spki);
      if (seen === undefined) return candidate;
      return {
        ...candidate,
        lastSeen: Math.max(candidate.lastSeen, seen.lastSeen),
        seenCount: Math.max(candidate.seenCount, seen.seenCount),
      };
    }),
  };
}

const encodeSightings = (sightings: Sightings): string =>
  JSON.stringify([...sightings].map(([spki, { lastSeen, seenCount }]) => [spki, lastSeen, seenCount]));

/** Sightings that cannot be read are none. */
export function decodeSightings(text: string): Sightings {
  try {
    const rows: unknown = JSON.parse(text);
    if (!Array.isArray(rows)) return new Map();
    return new Map(
      rows.filter(isSighting).map(([spki, lastSeen, seenCount]) => [spki, { lastSeen, seenCount }]),
    );
  } catch {
    return new Map();
  }
}

const isSighting = (row: unknown): row is [string, number, number] =>
  Array.isArray(row) && typeof row[0] === 'string' && isCount(row[1]) && isCount(row[2]);

/** What `touches` make of `before`, for the endpoints that have a record. */
export function touched(
  before: ReadonlyMap<string, Sightings>,
  touches: readonly Touch[],
  exists: (endpoint: string) => boolean,
): readonly (readonly [string, Sightings])[] {
  return [...byEndpoint(touches)]
    .filter(([endpoint]) => exists(endpoint))
    .map(([endpoint, group]) => [endpoint, addTouches(before.get(endpoint) ?? new Map(), group)] as const);
}

export const touchOperations = (moved: readonly (readonly [string, Sightings])[]) =>
  moved.map(([endpoint, sightings]) => ({
    type: 'put' as const,
    key: keys.touch(endpoint),
    value: encodeSightings(sightings),
  }));

function byEndpoint(touches: readonly Touch[]): ReadonlyMap<string, readonly Touch[]> {
  const grouped = new Map<string, Touch[]>();
  for (const touch of touches) {
    const group = grouped.get(touch.endpoint);
    if (group === undefined) grouped.set(touch.endpoint, [touch]);
    else group.push(touch);
  }
  return grouped;
}
