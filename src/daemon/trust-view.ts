// The present state of trust as the metrics show it, made from the rows operators see. What a record adds is kept until
// the record, its settings or the store's state change, so that a scrape does not read a hundred thousand records again.

import { namesOf, rowOf } from '../admin/pins-rows.ts';
import { endpointStates } from '../admin/shapes.ts';
import type { PinsRow } from '../admin/shapes.ts';
import type { KeyState, MetricsView, TrustFacts } from '../ops/metrics.ts';
import { Pace } from '../pace.ts';
import type { PinStore, StoredRecord } from '../store/pin-store.ts';
import type { Tofu } from '../tofu.ts';
import type { TrustSettings } from '../trust/evidence.ts';

export interface ViewParts {
  readonly store: PinStore;
  /** null while it is being opened: events come before it answers. */
  readonly tofu: () => Tofu | null;
  readonly settings: () => ReadonlyMap<string, TrustSettings>;
  readonly now: () => number;
  readonly tellCarried: () => Promise<void>;
  readonly hooks: MetricsView['hooks'];
}

export function trustView({ store, tofu, settings, now, tellCarried, hooks }: ViewParts): MetricsView {
  const shares = new Shares({ store, now });
  return {
    health: () => store.health(),
    states: endpointStates,
    tellCarried,
    hooks,
    trust: async () => {
      const engine = tofu();
      return engine === null
        ? { keys: { ...noKeys }, endpoints: new Map(), pinsEnd: new Map() }
        : shares.sum(engine, settings());
    },
  };
}

const noKeys: Readonly<Record<KeyState, number>> = { pinned: 0, expired: 0, rejected: 0, candidate: 0 };
const keyStates = ['pinned', 'expired', 'rejected', 'candidate'] as const;

/** What one endpoint adds. */
interface Share {
  /** What it was made from. */
  readonly stored: StoredRecord | null;
  readonly settings: TrustSettings | null;
  readonly keys: Readonly<Record<KeyState, number>>;
  readonly state: PinsRow['state'];
  readonly end: number | null;
  /** It will be the same at any later time. */
  readonly lasts: boolean;
}

class Shares {
  readonly #parts: Pick<ViewParts, 'store' | 'now'>;
  #known: ReadonlyMap<string, Share> = new Map();

  constructor(parts: Pick<ViewParts, 'store' | 'now'>) {
    this.#parts = parts;
  }

  async sum(tofu: Tofu, settings: ReadonlyMap<string, TrustSettings>): Promise<TrustFacts> {
    const known = new Map<string, Share>();
    const keys = { ...noKeys };
    const pace = new Pace();
    for (const endpoint of namesOf({ tofu }, settings)) {
      const share = this.#shareOf(endpoint, { tofu, settings });
      known.set(endpoint, share);
      for (const state of keyStates) keys[state] += share.keys[state];
      if (pace.isDue) await pace.rest();
    }
    this.#known = known;
    return { keys, ...ofConfigured(known, settings.keys()) };
  }

  #shareOf(
    endpoint: string,
    { tofu, settings }: { readonly tofu: Tofu; readonly settings: ReadonlyMap<string, TrustSettings> },
  ): Share {
    const stored = tofu.stored(endpoint);
    const own = settings.get(endpoint) ?? null;
    const isGood = tofu.health().state === 'good';
    const before = this.#known.get(endpoint);
    if (isGood && before?.lasts === true && before.stored === stored && before.settings === own)
      return before;
    const row = rowOf({ ...this.#parts, tofu }, { endpoint, settings, detail: 'list' });
    return {
      stored,
      settings: own,
      keys: keysOf(row),
      state: row.state,
      end: pinsEnd(row),
      // Without a good store the seal has its say, which may change by itself.
      lasts: isGood && row.expected.length === 0 && row.pins.every(({ until }) => until === null),
    };
  }
}

function ofConfigured(
  known: ReadonlyMap<string, Share>,
  names: Iterable<string>,
): Pick<TrustFacts, 'endpoints' | 'pinsEnd'> {
  const endpoints = new Map<string, string>();
  const ends = new Map<string, number>();
  for (const endpoint of names) {
    const share = known.get(endpoint);
    if (share === undefined) continue;
    endpoints.set(endpoint, share.state);
    if (share.end !== null) ends.set(endpoint, share.end);
  }
  return { endpoints, pinsEnd: ends };
}

/** When nothing will vouch for the endpoint any more; null while something will without end. */
function pinsEnd({ state, pins, expected }: PinsRow): number | null {
  const live = pins.filter((pin) => pin.live);
  if (state !== 'pinned' || live.length === 0 || expected.length > 0) return null;
  return live.reduce<number | null>(
    (latest, { until }) => (latest === null || until === null ? null : Math.max(latest, Date.parse(until))),
    0,
  );
}

const keysOf = ({ pins, rejected, candidates }: PinsRow): Readonly<Record<KeyState, number>> => ({
  pinned: pins.filter(({ live }) => live).length,
  expired: pins.filter(({ live, spki }) => !live && !rejected.includes(spki)).length,
  rejected: rejected.length,
  candidate: candidates.length,
});
