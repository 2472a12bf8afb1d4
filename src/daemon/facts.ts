// Small facts a daemon tells of itself, its routes and what an earlier run could not tell any more.

import { userInfo } from 'node:os';
import type { StatusShape } from '../admin/shapes.ts';
import { isoDate } from '../admin/rows.ts';
import { storeRow } from '../admin/tofu-operator.ts';
import type { Build } from '../ops/build.ts';
import type { Listener, ProxyEvent } from '../proxy/events.ts';
import type { RouteStatus } from '../proxy/proxy.ts';
import { targetsOf, type Route } from '../proxy/route.ts';
import type { StoreHealth } from '../store/pin-store.ts';
import type { EmbeddedStore } from '../store/level.ts';
import type { TrustSettings } from '../trust/evidence.ts';

/** Trust belongs to the endpoint: the configuration saw to it that its routes agree. */
export const settingsOf = (routes: readonly Route[]): ReadonlyMap<string, TrustSettings> =>
  new Map(routes.flatMap(targetsOf).map(({ endpoint, trust }) => [endpoint.name, trust] as const));

export interface StatusFacts {
  readonly build: Build;
  readonly startedAt: number;
  readonly stateDirectory: string;
  readonly metrics: string | null;
  readonly routes: readonly RouteStatus[];
  readonly health: StoreHealth;
}

export const daemonStatus = (facts: StatusFacts): StatusShape => ({
  version: facts.build.version,
  pid: process.pid,
  user: userName(),
  startedAt: isoDate(facts.startedAt),
  stateDirectory: facts.stateDirectory,
  metrics: facts.metrics,
  routes: facts.routes.map(({ name, listen, upstream, endpoint, protocol, sessions, state }) => ({
    name,
    listen,
    upstream,
    endpoint,
    protocol,
    sessions,
    state,
  })),
  store: storeRow(facts.health),
});

/** A uid without a name is common in containers. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** Changes that were made durable and then not told, because the process died in between. */
export async function tellUnannounced(store: EmbeddedStore, on: Listener<ProxyEvent>): Promise<void> {
  for (const { endpoint, event, origin, spki, detail } of store.unannounced) {
    on({ type: 'pin-changed', endpoint, event, origin, spki, detail });
  }
  if (store.unannounced.length > 0) await store.announced();
}
