// What was last judged of each server, for the people who look on: a listener of events. Bounded, and of no weight:
// nothing is decided by it.

import type { LastVerdict, LeafShape } from '../admin/live-shapes.ts';
import { isoDate } from '../admin/rows.ts';
import type { RefusalReason } from '../errors.ts';
import type { ProxyEvent } from '../proxy/events.ts';
import type { PinChangeEvent } from '../trust/change.ts';
import type { Occasion } from '../trust/evidence.ts';

type Of<T extends ProxyEvent['type']> = Extract<ProxyEvent, { readonly type: T }>;

export interface Standing {
  readonly last: LastVerdict;
  /** It was refused, and no change of its trust since could let it in. */
  readonly refusing: boolean;
}

interface Known extends Standing {
  /** The session it was judged for; null for none, and once its trust has changed. */
  readonly session: string | null;
  /** When it was judged or its trust changed, milliseconds since 1970. */
  readonly movedAt: number;
}

/** After these the server is refused as before. */
const lettingNothingIn: ReadonlySet<PinChangeEvent> = new Set<PinChangeEvent>([
  'candidate',
  'rejected',
  'expired',
]);

/** More servers than anybody configures; those of earlier configurations are forgotten first. */
const maxEndpoints = 8192;

export class Verdicts {
  readonly #now: () => number;
  readonly #standings = new Map<string, Known>();

  constructor(now: () => number) {
    this.#now = now;
  }

  of(endpoint: string): Standing | null {
    return this.#standings.get(endpoint) ?? null;
  }

  take(event: ProxyEvent): void {
    if (event.type === 'judged') this.#judged(event);
    else if (event.type === 'session-ended' && event.outcome === 'refused') this.#left(event);
    else if (event.type === 'probed' && event.result === 'refused') this.#refused(event, 'probe');
    else if (event.type === 'pin-changed') this.#changed(event);
  }

  #judged(event: Of<'judged'>): void {
    const { endpoint, verdict, reason, by, spki, faults, session = null } = event;
    const at = isoDate(this.#now());
    const [certificate, chainNotAfter] = [leafOf(event), dateOf(event.pathNotAfter)];
    this.#set(endpoint, session, { at, verdict, reason, by, spki, faults, certificate, chainNotAfter });
  }

  /** A refused client is let go seconds after the verdict; by then another one may count, or its key be approved. */
  #left(event: Extract<Of<'session-ended'>, { readonly outcome: 'refused' }>): void {
    const known = this.#standings.get(event.endpoint);
    const isLate =
      known !== undefined &&
      event.spki !== null &&
      known.session !== event.session &&
      known.movedAt > this.#now() - event.seconds * 1000;
    if (!isLate) this.#refused(event, 'session');
  }

  /** What is refused before there is a key to judge, such as STARTTLS that is missing, is told of by whoever asked alone. */
  #refused(
    { endpoint, reason }: { readonly endpoint: string; readonly reason: RefusalReason },
    by: Occasion,
  ): void {
    const known = this.#standings.get(endpoint);
    if (known?.refusing === true && known.last.reason === reason) return;
    const last = { verdict: 'refused', reason, by, spki: null, faults: [] } as const;
    this.#set(endpoint, null, {
      at: isoDate(this.#now()),
      ...last,
      certificate: null,
      chainNotAfter: null,
    });
  }

  #changed({ endpoint, event, spki }: Of<'pin-changed'>): void {
    const known = this.#standings.get(endpoint);
    if (known === undefined || event === 'candidate') return;
    const rejectsShown = event === 'rejected' && spki === known.last.spki;
    const refusing = rejectsShown || (known.refusing && lettingNothingIn.has(event));
    this.#standings.set(endpoint, { ...known, refusing, session: null, movedAt: this.#now() });
  }

  #set(endpoint: string, session: string | null, last: LastVerdict): void {
    this.#standings.delete(endpoint);
    const refusing = last.verdict === 'refused';
    this.#standings.set(endpoint, { last, refusing, session, movedAt: this.#now() });
    const oldest = this.#standings.keys().next();
    if (this.#standings.size > maxEndpoints && oldest.done !== true) this.#standings.delete(oldest.value);
  }
}

const dateOf = (at: number | null): string | null => (at === null ? null : isoDate(at));

const leafOf = ({ leaf, notBefore, notAfter }: Of<'judged'>): LeafShape | null =>
  leaf === null ? null : { ...leaf, notBefore: dateOf(notBefore), notAfter: dateOf(notAfter) };
