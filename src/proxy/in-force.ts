// What each endpoint is judged by now, and whether what a session began with is still that. A reload must not
// leave anybody behind who would judge, or ask another server, by settings and anchors that went.

import { isDeepStrictEqual } from 'node:util';
import type { AcceptBasis } from '../trust/evidence.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';

/** By the endpoint's name; the configuration saw to it that routes with one endpoint agree on its trust. */
export type InForce = ReadonlyMap<string, TargetDesk>;

export function enterInForce(inForce: Map<string, TargetDesk>, { targets }: RouteDesk): void {
  for (const desk of targets) inForce.set(desk.target.endpoint.name, desk);
}

/** Its endpoint is no longer served, or by other trust settings or anchors. */
export function isOutdated(own: TargetDesk, inForce: InForce): boolean {
  const now = inForce.get(own.target.endpoint.name);
  return now === undefined || anchorsMoved(own, now) || trustMoved(own, now);
}

/** For a session that is relayed: what it was accepted on may have been the word of a CA that went. */
export function mayHaveLostItsCa(
  own: TargetDesk,
  { basis, inForce }: { readonly basis: AcceptBasis | null; readonly inForce: InForce },
): boolean {
  const now = inForce.get(own.target.endpoint.name);
  if (now === undefined || !anchorsMoved(own, now)) return false;
  // Under ca+tofu a pin is accepted on the word of a CA too; and what other settings say of the session's key was
  // asked of the evidence there is, which is of the anchors that went.
  return basis === 'ca' || own.target.trust.policy === 'ca+tofu' || trustMoved(own, now);
}

const anchorsMoved = (own: TargetDesk, now: TargetDesk): boolean => own.anchors.digest !== now.anchors.digest;

/** Thousands of desks are compared in the tick in which a configuration comes into force. */
const trustMoved = (own: TargetDesk, now: TargetDesk): boolean =>
  own.trustText !== now.trustText && !isDeepStrictEqual(own.target.trust, now.target.trust);
