// How a record stands at one moment: which keys count, which are over, which are rejected, and which column
// of the verdict table a key falls into. Store and seal are read together and the stricter wins. Pure.

import { isShown, type ShownKeys } from './continuity.ts';
import type { Column, Evidence } from './evidence.ts';
import { expectationsMet, liveExpectations, type ShownLeaf } from './expected.ts';
import type { EndpointRecord, Expectation, Pin } from './record.ts';

/** What a standing is read from; a part of Evidence. */
export type Grounds = Pick<Evidence, 'settings' | 'now' | 'record' | 'recordVerified' | 'sealed'>;

export interface Standing {
  readonly column: Column;
  /** The key presented is a live pin: of the record or of the configuration. */
  readonly live: boolean;
  /** The same, and its origin is not first use. */
  readonly approved: boolean;
  readonly rejected: boolean;
  readonly anyLivePin: boolean;
  /** A pin was ever set, live or over. */
  readonly anyPin: boolean;
  /** What was expected of the certificate shown: met, it counts as an approved pin. */
  readonly met: readonly Expectation[];
}

/** What was shown with the key. */
export interface Shown extends Pick<ShownKeys, 'anchorKeys'> {
  readonly leaf?: ShownLeaf | null;
}

export const shownIn = ({ examined }: Pick<Evidence, 'examined'>): Shown => ({
  leaf: examined?.chain[0] ?? null,
  anchorKeys: examined?.anchorKeys,
});

/** Where `spki` stands, shown with these; without the certificate no expectation is met. */
export function standingOf(
  grounds: Grounds,
  spki: string,
  { leaf = null, anchorKeys }: Shown = {},
): Standing {
  const live = liveKeys(grounds);
  const record = reliableRecord(grounds);
  const matching = live.filter((pin) => isShown(pin, { spki, anchorKeys }, grounds.settings));
  const met = expectationsMetBy(grounds, spki, leaf);
  const matches = matching.length > 0 || met.length > 0;
  const anyLivePin = live.length > 0 || liveExpectations(record, grounds.now).length > 0;
  return {
    column: columnOf(grounds, { matches, anyLivePin }),
    live: matches,
    approved: met.length > 0 || matching.some((pin) => pin.origin !== 'first-use'),
    rejected: isRejected(grounds, spki),
    anyLivePin,
    anyPin: hasAny(record?.pins) || hasAny(record?.expected) || hasAny(grounds.settings.configPins),
    met,
  };
}

const hasAny = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

/** No expectation brings back a key that was rejected or whose pin has ended. */
function expectationsMetBy(grounds: Grounds, spki: string, leaf: ShownLeaf | null): readonly Expectation[] {
  const record = reliableRecord(grounds);
  const isExpecting = hasAny(record?.expected);
  if (record === null || !isExpecting || leaf === null || leaf.spki !== spki) return [];
  if (isRejected(grounds, spki)) return [];
  const hasEnded = record.pins.some(
    (pin) => pin.spki === spki && pin.kind === 'leaf' && isOver(pin, grounds),
  );
  const sealedEnd = grounds.sealed.until.get(spki) ?? Infinity;
  return hasEnded || sealedEnd <= grounds.now
    ? []
    : expectationsMet(liveExpectations(record, grounds.now), leaf);
}

type LiveKey = Pick<Pin, 'spki' | 'kind' | 'origin'>;

/** Pins that count now, those of the configuration included. An `anchor` pin counts, but matches no leaf. */
export function liveKeys(grounds: Grounds): readonly LiveKey[] {
  const live: LiveKey[] = [];
  for (const pin of reliableRecord(grounds)?.pins ?? []) {
    // What the configuration pins counts only as long as the configuration says so.
    if (pin.origin !== 'config' && !isOver(pin, grounds) && !isRejected(grounds, pin.spki)) live.push(pin);
  }
  for (const spki of grounds.settings.configPins) {
    if (!isRejected(grounds, spki)) live.push({ spki, kind: 'leaf', origin: 'config' });
  }
  return live;
}

/** True when the pin's end was written down or has passed, by the record or by the seal. */
export function isOver(pin: Pin, { now, sealed }: Pick<Grounds, 'now' | 'sealed'>): boolean {
  const end = Math.min(pin.until ?? Infinity, sealed.until.get(pin.spki) ?? Infinity);
  return pin.endedAt !== null || end <= now;
}

/** A rejection counts even when it stands in a record that does not verify. */
export function isRejected(grounds: Pick<Grounds, 'record' | 'sealed'>, spki: string): boolean {
  const written = grounds.record?.rejected.some((rejection) => rejection.spki === spki) ?? false;
  return written || grounds.sealed.rejected.has(spki);
}

/** Nothing else was ever known of the endpoint than that DANE vouched for its keys: no pin, no CA, no configured key. */
export function isKnownByDane(grounds: Pick<Grounds, 'settings' | 'record' | 'recordVerified'>): boolean {
  const record = reliableRecord(grounds);
  if (record === null || grounds.settings.configPins.length > 0) return false;
  return record.byDane === true && record.basis === 'pinned' && record.pins.length === 0;
}

/** Null where nothing is remembered, or where what is remembered does not verify. */
const reliableRecord = (grounds: Pick<Grounds, 'record' | 'recordVerified'>): EndpointRecord | null =>
  grounds.recordVerified ? grounds.record : null;

function columnOf(
  grounds: Grounds,
  pins: { readonly matches: boolean; readonly anyLivePin: boolean },
): Column {
  const pinned = pins.anyLivePin ? (pins.matches ? 'live' : 'unknown') : 'emptied';
  if (grounds.settings.configPins.length > 0) return pinned;
  const record = reliableRecord(grounds);
  if (record === null) return 'none';
  switch (record.basis) {
    case 'pinned':
      return pinned;
    case 'ca':
      return 'ca';
    case 'none':
      // The ratchet: what was CA-verified once never falls back to an unverified first use.
      if (record.lastCa !== null) return 'ca';
      // No command leaves pins or expectations without a basis; should one, they must not read as "never seen".
      return record.pins.length > 0 || (record.expected ?? []).length > 0 ? pinned : 'none';
  }
}
