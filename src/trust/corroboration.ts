// What a first use can rest on besides itself: the same key, seen from elsewhere. Who went and looked is none of this
// folder's business; here stands what was found, and what it comes to. Pure.

import type { Evidence } from './evidence.ts';

/** A key looked at from several vantage points at once. Each is named for people: `port 143`, `address 192.0.2.1`. */
export interface Corroboration {
  /** The key that was compared. */
  readonly spki: string;
  readonly agreed: readonly string[];
  /** `spki` null: a key that cannot be read. */
  readonly differing: readonly { readonly where: string; readonly spki: string | null }[];
  /** Could not be asked: no evidence either way. */
  readonly unreached: readonly string[];
}

/** Whether a first use of this evidence still has to be looked at from elsewhere. */
export const isUncorroborated = ({ settings, corroboration, spki }: Evidence): boolean =>
  settings.corroborate !== undefined && corroboration?.spki !== spki;

/** `2 of 3 vantage points showed the same key (port 143, port 995)`. */
export function corroborationText({ agreed, differing, unreached }: Corroboration): string {
  const all = agreed.length + differing.length + unreached.length;
  const names = agreed.length === 0 ? '' : ` (${agreed.join(', ')})`;
  const silent =
    unreached.length === 0 ? '' : `, ${unreached.length} could not be asked (${unreached.join(', ')})`;
  return `${agreed.length} of ${all} vantage points showed the same key${names}${silent}`;
}

/** Why what was seen from elsewhere holds a first use back; null when it does not, or nobody looked. */
export function contradiction({ settings, corroboration }: Evidence): string | null {
  if (settings.corroborate === undefined || corroboration === undefined) return null;
  const [first] = corroboration.differing;
  if (first !== undefined) {
    const shown = first.spki === null ? 'a key that cannot be read' : `another key, ${first.spki}`;
    const more = corroboration.differing.length - 1;
    const others = more === 0 ? '' : ` (and ${more} more)`;
    return `Seen from ${first.where}${others} the server shows ${shown}.`;
  }
  const { atLeast } = settings.corroborate;
  return corroboration.agreed.length >= atLeast
    ? null
    : `Too few vantage points could be asked, ${atLeast} must agree: ${corroborationText(corroboration)}.`;
}
