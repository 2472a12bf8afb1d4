// The engine of a daemon: the pin store, what judges with it, the proxy that asks, and who hears of it.

import { hostname } from 'node:os';
import { Feed } from '../admin/feed.ts';
import type { Probing } from '../admin/probing.ts';
import { sharedEntries } from '../ops/log-entry.ts';
import { openLog } from '../ops/log.ts';
import type { Log } from '../ops/log.ts';
import type { Build } from '../ops/build.ts';
import type { ReadyHook } from '../ops/hooks/delivery.ts';
import { Hooks } from '../ops/hooks/hooks.ts';
import { openMetrics } from '../ops/metrics.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Config } from '../config.ts';
import { CommandError } from '../errors.ts';
import { LocalTls } from '../local-ca/local-tls.ts';
import type { PreparedTls } from '../local-ca/local-tls.ts';
import type { AnchorSet } from '../net/anchors.ts';
import type { TlsaFinder } from '../net/tlsa.ts';
import { ConnectionIds } from '../proxy/connection-id.ts';
import { fanOut } from '../proxy/events.ts';
import type { Listener, ProxyEvent } from '../proxy/events.ts';
import type { EarlyDoors } from '../proxy/early-doors.ts';
import { Inherited, takeInherited } from '../proxy/inherited.ts';
import { Proxy } from '../proxy/proxy.ts';
import type { ProxyOptions } from '../proxy/proxy.ts';
import type { Target } from '../proxy/route.ts';
import type { EmbeddedStore } from '../store/level.ts';
import { Tofu } from '../tofu.ts';
import type { AnchorSets } from './anchor-sets.ts';
import type { Closing } from './closing.ts';
import { Connections } from './connections.ts';
import { settingsOf } from './facts.ts';
import { probingOf } from './probing.ts';
import { openStore } from './store.ts';
import { trustView } from './trust-view.ts';
import { Verdicts } from './verdicts.ts';

/** What the configuration in force gives; replaced as a whole. */
export interface Force {
  readonly config: Config;
  readonly anchors: AnchorSets;
  /** Null where no resolver is configured. */
  readonly tlsa: TlsaFinder | null;
  readonly hooks: readonly ReadyHook[];
}

/** What everything of one daemon stands on. */
export interface Ground {
  readonly build: Build;
  readonly now: () => number;
  readonly startedAt: number;
  readonly closing: Closing;
  readonly timing: ProxyOptions['timing'] | null;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
  /** Where clients wait already; null where the proxy binds itself. */
  readonly doors: EarlyDoors | null;
  /** Hears of every event after log and metrics. */
  readonly also: Listener<ProxyEvent> | null;
  force: Force;
  /** Of a configuration that is just being put in force. */
  incoming: Incoming | null;
}

export interface Incoming {
  readonly anchors: AnchorSets;
  readonly tls: PreparedTls;
}

export interface Engine {
  readonly store: EmbeddedStore;
  readonly tofu: Tofu;
  readonly proxy: Proxy;
  readonly localTls: LocalTls;
  /** Of the configuration the daemon starts with: neither in force nor in its place on the disk yet. */
  readonly firstTls: PreparedTls;
  readonly metrics: Metrics | null;
  readonly feed: Feed;
  readonly verdicts: Verdicts;
  readonly connections: Connections;
  readonly probing: Probing;
  readonly hooks: Hooks;
  readonly on: Listener<ProxyEvent>;
}

/** Nothing listens yet. What was opened is closed with the ground's `closing`. */
export async function openEngine(ground: Ground): Promise<Engine> {
  const { closing, now, build } = ground;
  const { config } = ground.force;
  const store = await openStore(config.state, now);
  closing.add(() => store.close());
  const late: Late = { tofu: null, proxy: null, hooks: null };
  const metrics = await openOwnMetrics(ground, { store, late });
  const [feed, verdicts, ids] = [new Feed(now), new Verdicts(now), new ConnectionIds()];
  const connections = new Connections({ now, ids });
  const on = listenerOf(ground, { metrics, late, feed, verdicts, connections });
  const hooks = openHooks(ground, { on, late });
  const tofu = await Tofu.open({ store, secret: store.secret, now, builtAt: build.builtAt, on });
  closing.add(() => tofu.close());
  tofu.configure(settingsOf(config.routes));
  const { localTls, firstTls } = await openLocalTls(ground, on);
  const proxy = new Proxy({
    routes: config.routes,
    tofu,
    anchorsFor: (target) => anchorsOf(ground, target),
    findTlsa: async (endpoint) => (await ground.force.tlsa?.find(endpoint)) ?? noResolver,
    credentialsFor: (route) => (ground.incoming?.tls ?? firstTls).credentialsFor(route),
    on,
    now,
    ids,
    ...(ground.doors?.claim() ?? { inherited: new Inherited(takeInherited(ground.env, process.pid)) }),
    ...(ground.timing === null || ground.timing === undefined ? {} : { timing: ground.timing }),
  });
  closing.add(() => proxy.drain(0));
  late.tofu = tofu;
  late.proxy = proxy;
  return {
    store,
    tofu,
    proxy,
    localTls,
    firstTls,
    metrics,
    hooks,
    feed,
    verdicts,
    connections,
    probing: probingOf(proxy.prober),
    on,
  };
}

const noResolver = { state: 'failed', detail: 'no resolver is configured' } as const;

/** Under the lock of the store: no other daemon writes to the local CA of this state. */
async function openLocalTls(
  { force: { config }, now, closing }: Ground,
  on: Listener<ProxyEvent>,
): Promise<Pick<Engine, 'localTls' | 'firstTls'>> {
  const localTls = new LocalTls({ state: config.state, on, now });
  closing.add(() => localTls.close());
  return { localTls, firstTls: await localTls.prepare(config) };
}

/** The log a configuration asks for, on the daemon's own stream; another configuration changes it. */
export const openConfiguredLog = (
  config: Config,
  { env, logFd }: { readonly env: NodeJS.ProcessEnv; readonly logFd: number | null },
): Log => openLog({ ...config.log, env, ...(logFd === null ? {} : { fd: logFd }) });

/** What is made after its listeners. */
interface Late {
  tofu: Tofu | null;
  proxy: Proxy | null;
  hooks: Hooks | null;
}

function anchorsOf({ force, incoming }: Ground, target: Target): AnchorSet {
  const anchors = incoming?.anchors.get(target) ?? force.anchors.get(target);
  if (anchors === undefined)
    throw new CommandError('internal', `no trust anchors were loaded for ${target.endpoint.name}`);
  return anchors;
}

/** They hear of what the store says when it is opened. */
function openHooks(
  ground: Ground,
  { on, late }: { readonly on: Listener<ProxyEvent>; readonly late: Late },
): Hooks {
  const { build, now, closing } = ground;
  const hooks = new Hooks({
    on,
    now,
    teller: { machine: hostname(), version: build.version },
    referenceOf: (endpoint, spki) => late.tofu?.reference(endpoint, spki) ?? null,
    wrote: (hook, output) =>
      ground.log.write('debug', {
        event: 'hook-output',
        message: `hook ${hook} wrote: ${output}`,
        fields: { hook },
      }),
  });
  closing.add(() => hooks.close());
  hooks.configure(ground.force.hooks);
  late.hooks = hooks;
  return hooks;
}

async function openOwnMetrics(
  ground: Ground,
  { store, late }: { readonly store: EmbeddedStore; readonly late: Late },
): Promise<Metrics | null> {
  const { config } = ground.force;
  if (config.metrics === null) return null;
  const { build, now } = ground;
  const view = trustView({
    store,
    now,
    tofu: () => late.tofu,
    tellCarried: async () => late.proxy?.tellCarried(),
    hooks: () => late.hooks?.waiting() ?? [],
    settings: () => settingsOf(ground.force.config.routes),
  });
  const { level, maxLabelValues } = config.metrics;
  const metrics = await openMetrics({ build, view, now, level, maxLabelValues });
  ground.closing.add(() => metrics.close());
  return metrics;
}

interface Listening extends Pick<Engine, 'metrics' | 'feed' | 'verdicts' | 'connections'> {
  readonly late: Late;
}

/** The listeners, in this order. The proxy is one of them: a key that lost its trust ends its sessions at once. */
function listenerOf(
  ground: Ground,
  { metrics, late, feed, verdicts, connections }: Listening,
): Listener<ProxyEvent> {
  const revoke = (event: ProxyEvent): void => {
    if (event.type === 'key-untrusted') late.proxy?.revoke(event.endpoint, event.spki);
  };
  const failed = (error: unknown): void =>
    ground.log.write('error', {
      event: 'listener-failed',
      message: error instanceof Error ? error.name : 'unknown',
    });
  const entry = sharedEntries();
  return fanOut<ProxyEvent>(
    [
      revoke,
      (event) => ground.log.event(event, entry),
      (event) => metrics?.event(event),
      (event) => verdicts.take(event),
      (event) => connections.take(event),
      (event) => feed.take(event, entry),
      (event) => ground.also?.(event),
      // Last: what they tell of their own work comes after the event itself.
      (event) => late.hooks?.event(event),
    ],
    failed,
  );
}
