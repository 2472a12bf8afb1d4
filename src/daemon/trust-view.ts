// The present state of trust as the metrics show it, made from the rows operators see.

import { endpointStates } from '../admin/shapes.ts';
import type { PinsRow } from '../admin/shapes.ts';
import { pinsRows } from '../admin/tofu-operator.ts';
import type { MetricsView } from '../ops/metrics.ts';
import type { PinStore } from '../store/pin-store.ts';
import type { Tofu } from '../tofu.ts';
import type { TrustSettings } from '../trust/evidence.ts';

export interface ViewParts {
  readonly store: PinStore;
  /** null while it is being opened: events come before it answers. */
  readonly tofu: () => Tofu | null;
  readonly settings: () => ReadonlyMap<string, TrustSettings>;
  readonly now: () => number;
  readonly tellCarried: () => void;
  readonly hooks: MetricsView['hooks'];
}

export const trustView = ({ store, tofu, settings, now, tellCarried, hooks }: ViewParts): MetricsView => ({
  health: () => store.health(),
  states: endpointStates,
  tellCarried,
  hooks,
  trust: () => {
    const engine = tofu();
    const rows = engine === null ? [] : pinsRows({ store, tofu: engine, settings, now });
    return {
      keys: countKeys(rows),
      endpoints: new Map(rows.map(({ endpoint, state }) => [endpoint, state] as const)),
      pinsEnd: new Map(
        rows.flatMap((row) => {
          const end = pinsEnd(row);
          return end === null ? [] : [[row.endpoint, end] as const];
        }),
      ),
    };
  },
});

/** When nothing will vouch for the endpoint any more; null while something will without end. */
function pinsEnd({ state, pins, expected }: PinsRow): number | null {
  const live = pins.filter((pin) => pin.live);
  if (state !== 'pinned' || live.length === 0 || expected.length > 0) return null;
  return live.reduce<number | null>(
    (latest, { until }) => (latest === null || until === null ? null : Math.max(latest, Date.parse(until))),
    0,
  );
}

function countKeys(rows: readonly PinsRow[]): ReturnType<MetricsView['trust']>['keys'] {
  const count = (of: (row: PinsRow) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
  return {
    pinned: count(({ pins }) => pins.filter(({ live }) => live).length),
    expired: count(
      ({ pins, rejected }) => pins.filter(({ live, spki }) => !live && !rejected.includes(spki)).length,
    ),
    rejected: count(({ rejected }) => rejected.length),
    candidate: count(({ candidates }) => candidates.length),
  };
}
