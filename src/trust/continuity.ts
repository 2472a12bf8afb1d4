// Which key of what was shown is the one that is remembered: the server's own, or, under continuity: anchor, that of
// the anchor where the checked path ends. Pins are of one kind or the other, and one never stands for the other. Pure.

import type { Evidence, TrustSettings } from './evidence.ts';
import type { KeyEvidence, Pin, PinKind } from './record.ts';

/** Keys shown: the leaf's, and those of the anchors that a path without a fault ends at, the best path's first. */
export interface ShownKeys {
  readonly spki: string;
  readonly anchorKeys?: readonly string[] | undefined;
}

export const pinsAnchors = ({ policy, continuity }: TrustSettings): boolean =>
  continuity === 'anchor' && policy === 'ca+tofu';

/** Whether this pin is of a key that was shown. Anchors count where the settings remember anchors, and nowhere else. */
export const isShown = (
  pin: Pick<Pin, 'spki' | 'kind'>,
  { spki, anchorKeys = [] }: ShownKeys,
  settings: TrustSettings,
): boolean =>
  pin.kind === 'leaf' ? pin.spki === spki : pinsAnchors(settings) && anchorKeys.includes(pin.spki);

export interface PinTarget {
  readonly spki: string;
  readonly kind: PinKind;
}

/** What a first use of this evidence pins; null where there is no such key. */
export const firstUseTarget = ({ settings, spki, examined }: Evidence): PinTarget | null => {
  if (spki === null || !pinsAnchors(settings)) return spki === null ? null : { spki, kind: 'leaf' };
  const [anchor] = examined?.anchorKeys ?? [];
  return anchor === undefined ? null : { spki: anchor, kind: 'anchor' };
};

/** What a command on this key pins: a key that no anchor vouched for when it was last seen is pinned itself. */
export const commandTarget = (
  spki: string,
  evidence: KeyEvidence | null,
  settings: TrustSettings,
): PinTarget =>
  pinsAnchors(settings) && evidence?.anchor !== undefined
    ? { spki: evidence.anchor, kind: 'anchor' }
    : { spki, kind: 'leaf' };

/** The key under which a sighting of this evidence is noted: that of the pin it matches, else the leaf's. */
export const sightedKey = ({ settings, record, examined }: Evidence, spki: string): string =>
  record?.pins.find(
    (pin) =>
      pin.kind === 'anchor' &&
      pin.endedAt === null &&
      isShown(pin, { spki, anchorKeys: examined?.anchorKeys }, settings),
  )?.spki ?? spki;
