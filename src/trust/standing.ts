// How a record stands at one moment: which keys count, which are over, which are rejected, and which column
// of the verdict table a key falls into. Store and seal are read together and the stricter wins. Pure.

import { isShown, type ShownKeys } from './continuity.ts';
import type { Column, Evidence } from './evidence.ts';
import type { EndpointRecord, Pin } from './record.ts';

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
}

/** Where `spki` stands, shown with these anchors. */
export function standingOf(
  grounds: Grounds,
  spki: string,
  { anchorKeys }: Pick<ShownKeys, 'anchorKeys'> = {},
): Standing {
  const live = liveKeys(grounds);
  const record = reliableRecord(grounds);
  const matching = live.filter((pin) => isShown(pin, { spki, anchorKeys }, grounds.settings));
  return {
    column: columnOf(grounds, { matches: matching.length > 0, anyLivePin: live.length > 0 }),
    live: matching.length > 0,
    approved: matching.some((pin) => pin.origin !== 'first-use'),
    rejected: isRejected(grounds, spki),
    anyLivePin: live.length > 0,
    anyPin: (record?.pins.length ?? 0) > 0 || grounds.settings.configPins.length > 0,
  };
}

type LiveKey = Pick<Pin, 'spki' | 'kind' | 'origin'>;

/** Pins that count now, those of the configuration included. An `anchor` pin counts, but matches no leaf. */
export function liveKeys(grounds: Grounds): readonly LiveKey[] {
  const remembered = (reliableRecord(grounds)?.pins ?? []).filter(
    // What the configuration pins counts only as long as the configuration says so.
    (pin) => pin.origin !== 'config' && !isOver(pin, grounds),
  );
  const configured = grounds.settings.configPins.map((spki): LiveKey => ({
    spki,
    kind: 'leaf',
    origin: 'config',
  }));
  return [...remembered, ...configured].filter((pin) => !isRejected(grounds, pin.spki));
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
      // No command leaves pins without a basis; should one ever, they must not read as "never seen".
      return record.pins.length > 0 ? pinned : 'none';
  }
}
