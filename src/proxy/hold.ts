// After a refusal a route answers from memory for a while instead of dialling again, so that a client which
// reconnects in a loop does not become a flood towards the server. It never turns a refusal into an
// acceptance, and it never outlives a change of trust: a memory of another epoch is no answer.

import type { RefusalReason } from '../errors.ts';
import type { Tofu } from '../tofu.ts';

/** What was decided, enough to say it again. */
export interface RememberedRefusal {
  readonly reason: RefusalReason;
  readonly reference: string | null;
  readonly spki: string | null;
}

/** The state of trust a refusal was made in: the endpoint's epoch and the store's state. */
export type Era = string;

export const eraOf = (tofu: Pick<Tofu, 'record' | 'health'>, endpoint: string): Era =>
  `${tofu.record(endpoint)?.epoch ?? 0}/${tofu.health().state}`;

interface Memory {
  readonly refusal: RememberedRefusal;
  readonly era: Era;
  readonly lengthMs: number;
  readonly until: number;
  /** When the last connection was refused, from memory or by the judge. */
  readonly lastAt: number;
}

const firstMs = 2_000;
const longestMs = 60_000;

/** The refusal hold of one route. Times are milliseconds since 1970. */
export class RefusalHold {
  #memory: Memory | null = null;

  /** A refusal was just made by the judge or before it; doubles the hold while refused connections keep coming. */
  refused(refusal: RememberedRefusal, at: { readonly now: number; readonly era: Era }): void {
    const before = this.#memory;
    const going =
      before !== null &&
      before.era === at.era &&
      inOrder(before.lastAt, at.now) &&
      at.now - before.lastAt <= longestMs;
    // Two sessions that dialled at once are one refusal: only one made after the hold ended makes it longer.
    const overlaps = going && at.now < before.until;
    const lengthMs = !going ? firstMs : overlaps ? before.lengthMs : Math.min(before.lengthMs * 2, longestMs);
    const until = overlaps ? before.until : at.now + lengthMs;
    this.#memory = { refusal, era: at.era, lengthMs, until, lastAt: at.now };
  }

  /** The refusal to repeat now without dialling, or null when it is time to ask the server again. */
  answer(at: { readonly now: number; readonly era: Era }): RememberedRefusal | null {
    const memory = this.#memory;
    if (memory === null) return null;
    if (memory.era !== at.era) {
      this.#memory = null;
      return null;
    }
    if (at.now >= memory.until || !inOrder(memory.lastAt, at.now)) return null;
    this.#memory = { ...memory, lastAt: at.now };
    return memory.refusal;
  }

  /** Whether the last verdict of this era was a refusal; asking does not count as a connection. */
  stands(era: Era): boolean {
    return this.#memory?.era === era;
  }

  /** True while it would be repeated, whatever trust it was made under. */
  isHolding(now: number): boolean {
    return this.#memory !== null && now < this.#memory.until;
  }

  /** The last verdict was accept, or the configuration was read again. */
  clear(): void {
    this.#memory = null;
  }
}

/** A clock set back must not make a hold of hours out of one of seconds. */
const inOrder = (earlier: number, later: number): boolean => earlier <= later;
