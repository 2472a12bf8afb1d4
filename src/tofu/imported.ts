// What an import comes to: the plans of all its endpoints, and what is written when none of them is blocked.

import type { ImportPlan } from '../trust/import-order.ts';
import type { Writing } from './ledger.ts';

export interface Imported {
  /** Stored, or nothing to store. False for what was only asked about, and for what is blocked. */
  readonly applied: boolean;
  readonly plans: readonly ImportPlan[];
}

/** What to write for each endpoint that changes; null when one of the plans is blocked, and so all are. */
export function writingsOf(plans: readonly ImportPlan[]): ReadonlyMap<string, Writing> | null {
  const outcomes = plans.flatMap(({ endpoint, outcome }) =>
    outcome === null ? [] : [[endpoint, outcome] as const],
  );
  if (outcomes.length < plans.length) return null;
  return new Map(outcomes.filter(([, { audit }]) => audit.length > 0));
}
