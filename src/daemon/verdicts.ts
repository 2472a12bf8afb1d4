// What was last judged of each server, for the people who look on: a listener of events. Bounded, and of no weight:
// nothing is decided by it.

import type { LastVerdict, LeafShape } from '../admin/live-shapes.ts';
import { isoDate } from '../admin/rows.ts';
import type { RefusalReason } from '../errors.ts';
import type { ProxyEvent } from '../proxy/events.ts';
import type { Occasion } from '../trust/evidence.ts';

type Of<T extends ProxyEvent['type']> = Extract<ProxyEvent, { readonly type: T }>;

export interface Standing {
  readonly last: LastVerdict;
  /** It was refused, and nothing changed about its trust since. */
  readonly refusing: boolean;
}

/** More servers than anybody configures; those of earlier configurations are forgotten first. */
const maxEndpoints = 8192;

export class Verdicts {
  readonly #now: () => number;
  readonly #standings = new Map<string, Standing>();

  constructor(now: () => number) {
    this.#now = now;
  }

  of(endpoint: string): Standing | null {
    return this.#standings.get(endpoint) ?? null;
  }

  take(event: ProxyEvent): void {
    if (event.type === 'judged') this.#judged(event);
    else if (event.type === 'session-ended' && event.outcome === 'refused') this.#refused(event, 'session');
    else if (event.type === 'probed' && event.result === 'refused') this.#refused(event, 'probe');
    else if (event.type === 'pin-changed') this.#changed(event);
  }

  #judged(event: Of<'judged'>): void {
    const { endpoint, verdict, reason, by, spki, faults } = event;
    this.#set(endpoint, {
      at: isoDate(this.#now()),
      verdict,
      reason,
      by,
      spki,
      faults,
      certificate: leafOf(event),
      chainNotAfter: dateOf(event.pathNotAfter),
    });
  }

  /** What is refused before there is a key to judge, such as STARTTLS that is missing, is told of by whoever asked alone. */
  #refused(
    { endpoint, reason }: { readonly endpoint: string; readonly reason: RefusalReason },
    by: Occasion,
  ): void {
    const known = this.#standings.get(endpoint);
    if (known?.refusing === true && known.last.reason === reason) return;
    const last = { verdict: 'refused', reason, by, spki: null, faults: [] } as const;
    this.#set(endpoint, { at: isoDate(this.#now()), ...last, certificate: null, chainNotAfter: null });
  }

  /** A candidate is what a refusal leaves, not a change of trust. */
  #changed({ endpoint, event }: Of<'pin-changed'>): void {
    const known = this.#standings.get(endpoint);
    if (known === undefined || event === 'candidate') return;
    this.#standings.set(endpoint, { ...known, refusing: false });
  }

  #set(endpoint: string, last: LastVerdict): void {
    this.#standings.delete(endpoint);
    this.#standings.set(endpoint, { last, refusing: last.verdict === 'refused' });
    const oldest = this.#standings.keys().next();
    if (this.#standings.size > maxEndpoints && oldest.done !== true) this.#standings.delete(oldest.value);
  }
}

const dateOf = (at: number | null): string | null => (at === null ? null : isoDate(at));

const leafOf = ({ leaf, notBefore, notAfter }: Of<'judged'>): LeafShape | null =>
  leaf === null ? null : { ...leaf, notBefore: dateOf(notBefore), notAfter: dateOf(notAfter) };
