// Hand-over: a pinned key that signed the certificate of its successor vouches for it, where the operator switched
// that on. One hop, everything presented and checked; whatever is not plainly in order is another key. Pure.

import type { Dates, Signer } from './analysis.ts';
import type { Evidence } from './evidence.ts';
import type { Fault } from './fault.ts';
import type { EndpointRecord, Pin } from './record.ts';
import { retired } from './retirement.ts';
import { isOver, isRejected } from './standing.ts';

/** What a certificate signed by a server's key always shows, and what says nothing about its successor. */
const expected: ReadonlySet<Fault> = new Set<Fault>([
  'unknown-issuer',
  'incomplete-chain',
  'not-a-ca',
  'path-too-long',
]);

const isInDate = (dates: Dates, now: number): boolean =>
  dates !== null && dates.notBefore <= now && now < dates.notAfter + 1000;

/** Keys of `signers` that may hand over to a certificate of this name with these faults, at `now`. */
export function predecessors(
  signers: readonly Signer[],
  leaf: { readonly named: boolean; readonly faults: Iterable<Fault>; readonly now: number },
): readonly string[] {
  if (!leaf.named || [...leaf.faults].some((fault) => !expected.has(fault))) return [];
  return signers.filter(({ dates }) => isInDate(dates, leaf.now)).map(({ spki }) => spki);
}

/**
 * The live leaf pin without an end date that hands over to the key of this evidence; null where there is none. A
 * key that was ever a pin here is no successor: what ended does not come back by a signature made earlier.
 */
export function predecessorOf(evidence: Evidence): Pin | null {
  const { settings, profile, store, record, recordVerified, examined, sealed, spki } = evidence;
  if (settings.handOver !== true || profile !== 'modern' || store !== 'good' || !recordVerified) return null;
  if (record === null || spki === null || sealed.until.has(spki)) return null;
  if (record.pins.some((pin) => pin.spki === spki)) return null;
  const signers = new Set(examined?.handedOverBy);
  return record.pins.find((pin) => signers.has(pin.spki) && mayHandOver(pin, evidence)) ?? null;
}

/** A pin of the configuration is named by a line, and only a line replaces it. */
const mayHandOver = (pin: Pin, evidence: Evidence): boolean =>
  pin.kind === 'leaf' &&
  pin.origin !== 'config' &&
  pin.until === null &&
  !isOver(pin, evidence) &&
  !evidence.sealed.until.has(pin.spki) &&
  !isRejected(evidence, pin.spki);

/** The pins after `parent` handed over to `child`, and the end that `parent` has now. */
export function handedOver(
  pins: readonly Pin[],
  {
    parent,
    child,
    now,
  }: { readonly parent: string; readonly child: Omit<Pin, 'origin'>; readonly now: number },
): { readonly pins: readonly Pin[]; readonly until: number } {
  const old = pins.find(({ spki, kind }) => spki === parent && kind === 'leaf');
  if (old === undefined) throw new TypeError('only a pinned key hands over');
  const ending = retired(old, now);
  if (ending.until === null) throw new TypeError('a retired pin has an end');
  const rest = pins.map((pin) => (pin === old ? ending : pin));
  return { pins: [...rest, { ...child, origin: old.origin, parent }], until: ending.until };
}

/** Keys that still count and that `spki` handed over to, or that those did. */
export function successorsOf({ pins }: Pick<EndpointRecord, 'pins'>, spki: string): readonly string[] {
  const found = new Set<string>();
  const walk = (parent: string): void => {
    for (const pin of pins) {
      if (pin.parent !== parent || found.has(pin.spki)) continue;
      found.add(pin.spki);
      walk(pin.spki);
    }
  };
  walk(spki);
  found.delete(spki);
  return pins.filter((pin) => pin.endedAt === null && found.has(pin.spki)).map((pin) => pin.spki);
}
