// What only a running proxy can tell an operator: its sessions, how its endpoints stand, what happens, and a probe on
// demand. Reads what others keep, and keeps nothing itself.

import type { Feed } from '../admin/feed.ts';
import type { EndpointRow, SessionRow } from '../admin/live-shapes.ts';
import type { Probing } from '../admin/probing.ts';
import { isoDate } from '../admin/rows.ts';
import type { PinsRow } from '../admin/shapes.ts';
import type { LiveParts } from '../admin/tofu-operator.ts';
import { Pace } from '../pace.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { targetsOf, type Route, type Target } from '../proxy/route.ts';
import type { SessionFacts } from '../proxy/session.ts';
import type { Connections } from './connections.ts';
import type { Verdicts } from './verdicts.ts';

export interface LiveFacts {
  readonly proxy: Pick<Proxy, 'sessions'>;
  readonly feed: Feed;
  readonly verdicts: Verdicts;
  readonly connections: Connections;
  readonly probing: Probing;
  /** Those in force now. */
  readonly routes: () => readonly Route[];
  readonly pins: () => Promise<readonly PinsRow[]>;
}

export const liveParts = (facts: LiveFacts): Omit<LiveParts, 'dashboard'> => ({
  sessions: () => sessionRows(facts),
  endpoints: () => endpointRows(facts),
  probe: (endpoint) => facts.probing.probe(endpoint),
  follow: (options) => facts.feed.follow(options),
  connection: (target) => facts.connections.explain(target),
});

const sessionRow = ({ startedAt, ...facts }: SessionFacts): SessionRow => ({
  ...facts,
  startedAt: isoDate(startedAt),
});

async function sessionRows({ proxy }: LiveFacts): Promise<readonly SessionRow[]> {
  const rows: SessionRow[] = [];
  const pace = new Pace();
  for (const session of proxy.sessions()) {
    rows.push(sessionRow(session));
    if (pace.isDue) await pace.rest();
  }
  return rows;
}

async function endpointRows(facts: LiveFacts): Promise<readonly EndpointRow[]> {
  const configured = configuredOf(facts.routes());
  const rows: EndpointRow[] = [];
  const pace = new Pace();
  for (const row of await facts.pins()) {
    rows.push(endpointRow(row, configured.get(row.endpoint) ?? null, facts));
    if (pace.isDue) await pace.rest();
  }
  return rows;
}

interface Configured {
  readonly trust: Target['trust'];
  readonly routes: string[];
}

function configuredOf(routes: readonly Route[]): ReadonlyMap<string, Configured> {
  const found = new Map<string, Configured>();
  for (const route of routes) {
    for (const { endpoint, trust } of targetsOf(route)) {
      const known = found.get(endpoint.name);
      if (known === undefined) found.set(endpoint.name, { trust, routes: [route.name] });
      else known.routes.push(route.name);
    }
  }
  return found;
}

function endpointRow(
  { endpoint, state, candidates }: PinsRow,
  configured: Configured | null,
  { verdicts, probing }: LiveFacts,
): EndpointRow {
  const standing = verdicts.of(endpoint);
  const next = probing.next(endpoint) ?? null;
  return {
    endpoint,
    configured: configured !== null,
    routes: configured?.routes ?? [],
    policy: configured?.trust.policy ?? null,
    firstUse: configured?.trust.firstUse ?? null,
    state,
    candidates: candidates.length,
    refusing: standing?.refusing ?? false,
    lastVerdict: standing?.last ?? null,
    lastProbe: probing.last(endpoint) ?? null,
    nextProbe: next === null ? null : isoDate(next),
  };
}
