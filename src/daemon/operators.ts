// The operators of a daemon: the one behind the socket, and the one behind the page. They differ in what is written
// down of an order, and in that the page makes no addresses that open it.

import type { Operator } from '../admin/operator.ts';
import type { PinsRow, ReloadShape } from '../admin/shapes.ts';
import { gatherPinsRows } from '../admin/pins-rows.ts';
import { operateOn } from '../admin/tofu-operator.ts';
import type { Route } from '../proxy/route.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { notFromPage } from './dashboard.ts';
import type { Engine, Ground } from './engine.ts';
import { daemonStatus, settingsOf } from './facts.ts';
import { liveParts } from './live.ts';

export function ownOperators(
  ground: Ground,
  parts: {
    readonly engine: Engine;
    readonly reload: () => Promise<ReloadShape>;
    readonly metrics: () => string | null;
    readonly dashboard: Operator['dashboard'];
  },
): { readonly operator: Operator; readonly pageOperator: Operator } {
  const { tofu, store, proxy } = parts.engine;
  const { now } = ground;
  const routes = (): readonly Route[] => ground.force.config.routes;
  const settings = (): ReadonlyMap<string, TrustSettings> => settingsOf(routes());
  const pins = (): Promise<readonly PinsRow[]> => gatherPinsRows({ tofu, store, now, settings });
  const live = liveParts({ ...parts.engine, routes, pins });
  const common = {
    source: 'daemon',
    tofu,
    store,
    now,
    settings,
    status: async () =>
      daemonStatus({
        build: ground.build,
        startedAt: ground.startedAt,
        stateDirectory: ground.force.config.state,
        metrics: parts.metrics(),
        routes: proxy.status(),
        health: store.health(),
      }),
    reload: parts.reload,
    close: async () => undefined,
  } as const;
  return {
    operator: operateOn({ ...common, origin: 'cli', live: { ...live, dashboard: parts.dashboard } }),
    pageOperator: operateOn({ ...common, origin: 'admin', live: { ...live, dashboard: notFromPage } }),
  };
}
