// Starts a daemon out of its parts: engine, listening addresses, admin API and metrics page. Everything or
// nothing: a start that fails half way closes what it opened. A reload takes all of a configuration or none.

import type { Operator } from '../admin/operator.ts';
import { gatherPinsRows } from '../admin/pins-rows.ts';
import { serveAdmin } from '../admin/server.ts';
import type { WebDoor } from '../admin/web/door.ts';
import type { PinsRow, ReloadShape } from '../admin/shapes.ts';
import { commandErrorOf, operateOn } from '../admin/tofu-operator.ts';
import type { Config } from '../config.ts';
import { readBuild } from '../ops/build.ts';
import { readyHooks } from '../ops/hooks/delivery.ts';
import type { Log } from '../ops/log.ts';
import type { MetricsServer } from '../ops/metrics-server.ts';
import type { Listener, ProxyEvent } from '../proxy/events.ts';
import type { ProxyOptions, RouteStatus } from '../proxy/proxy.ts';
import type { Route } from '../proxy/route.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { openTlsa } from '../net/open-tlsa.ts';
import { loadAnchorSets } from './anchor-sets.ts';
import { Closing } from './closing.ts';
import { CrlWatch } from './crl-watch.ts';
import { openConfiguredLog, openEngine } from './engine.ts';
import type { Engine, Ground } from './engine.ts';
import { ambientTrust, refuseUnsafeSwitches } from './environment.ts';
import { linkMaker, notFromPage, openDashboard } from './dashboard.ts';
import { daemonStatus, settingsOf, tellUnannounced } from './facts.ts';
import { liveParts } from './live.ts';
import { servePage } from './metrics-page.ts';
import { reloader } from './reloading.ts';
import type { Reread } from './reloading.ts';
import { sharePins } from './sharing.ts';

export interface DaemonOptions {
  /** Reads the configuration again for a reload; without it there is nothing to reload. */
  readonly reread?: () => Promise<Reread>;
  readonly env?: NodeJS.ProcessEnv;
  readonly execArgv?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Where the log goes; default stderr. */
  readonly logFd?: number;
  /** Shorter waits for the proxy's sessions. */
  readonly timing?: NonNullable<ProxyOptions['timing']>;
  /** Called when everything listens, just before the log says so: whoever reads `ready` may send signals. */
  readonly listening?: (daemon: Daemon) => void;
  /** Hears of every event after log and metrics; must not throw. */
  readonly on?: Listener<ProxyEvent>;
}

/** A running daemon. Whoever started it closes it. */
export interface Daemon {
  /** The same answers as over the socket. It is closed with the daemon. */
  readonly operator: Operator;
  readonly log: Log;
  /** `127.0.0.1:9465`; null when metrics are off or their default port was busy. */
  readonly metrics: string | null;
  readonly adminSocket: string;
  /** `127.0.0.1:9466`; null when it serves no page. */
  readonly dashboard: string | null;
  /** Routes with the addresses and ports really bound. */
  routes(): readonly RouteStatus[];
  /** Never rejects: problems are in the answer, and the old configuration goes on. */
  reload(): Promise<ReloadShape>;
  /** Stops accepting, waits up to `drainMs` (default `shutdownSeconds`) for sessions, closes everything. Never rejects. */
  close(drainMs?: number): Promise<void>;
}

/** How often ends of pins are noticed and sightings written down. */
const sweepEveryMs = 60_000;

/**
 * Starts everything or nothing.
 * @throws CommandError: `config` (switches, anchors, socket), `store`, `network` (a listening address)
 */
export async function startDaemon(config: Config, options: DaemonOptions = {}): Promise<Daemon> {
  const closing = new Closing();
  try {
    const ground = await prepare(config, { options, closing });
    const engine = await openEngine(ground);
    warnOfEnvironment(ground.env, engine.on);
    return await serve(ground, { engine, options });
  } catch (error) {
    await closing.run();
    throw commandErrorOf(error);
  }
}

async function prepare(
  config: Config,
  { options, closing }: { readonly options: DaemonOptions; readonly closing: Closing },
): Promise<Ground> {
  const env = options.env ?? process.env;
  const now = options.now ?? Date.now;
  refuseUnsafeSwitches(options.execArgv ?? process.execArgv, env);
  const build = readBuild();
  const log = openConfiguredLog(config, { env, logFd: options.logFd ?? null });
  closing.add(() => log.close());
  return {
    build,
    now,
    startedAt: now(),
    closing,
    timing: options.timing ?? null,
    log,
    env,
    also: options.on ?? null,
    force: {
      config,
      anchors: await loadAnchorSets(config.routes),
      tlsa: await openTlsa(config.resolver, now),
      hooks: await readyHooks(config.hooks, { env, now, version: build.version }),
    },
    incoming: null,
  };
}

function warnOfEnvironment(env: NodeJS.ProcessEnv, on: Listener<ProxyEvent>): void {
  const names = ambientTrust(env);
  if (names.length === 0) return;
  const message = `ignored: ${names.join(', ')}; what is trusted stands in the configuration alone (caFile)`;
  on({ type: 'warning', code: 'ambient-trust', message });
}

async function serve(
  ground: Ground,
  { engine, options }: { readonly engine: Engine; readonly options: DaemonOptions },
): Promise<Daemon> {
  const { closing } = ground;
  const { config } = ground.force;
  const reload = reloader({
    reread: options.reread ?? null,
    current: () => ground.force.config,
    apply: (next) => apply(next, { ground, engine }),
    told: ({ reloaded, problems }) =>
      engine.on({ type: 'reloaded', ok: reloaded, problems: problems.length }),
  });
  const late: { metrics: MetricsServer | null; door: WebDoor | null } = { metrics: null, door: null };
  const { operator, pageOperator } = ownOperators(ground, {
    engine,
    reload,
    metrics: () => late.metrics?.address ?? null,
    dashboard: linkMaker(() => late.door),
  });
  await countRoutes(ground, engine);
  const shared = await sharePins(engine, { config, closing });
  const admin = await serveAdmin({
    socket: config.admin.socket,
    operator,
    pageOperator,
    upgrades: shared.admin,
    served: (route, status) => engine.metrics?.adminServed(route, status),
    rejected: (reason) => engine.metrics?.adminRejected(reason),
  });
  closing.add(() => admin.close());
  late.door = await openDashboard(ground, { engine, operator: pageOperator });
  closing.add(() => engine.feed.close());
  late.metrics = await openPage(ground, engine);
  await openDoors(engine, closing);
  const close = closer(ground, engine);
  await startSweeping(ground, engine);
  await tellUnannounced(engine.store, engine.on);
  const daemon: Daemon = {
    operator,
    get log() {
      return ground.log;
    },
    metrics: late.metrics?.address ?? null,
    dashboard: late.door?.address ?? null,
    adminSocket: admin.path,
    routes: () => engine.proxy.status(),
    reload,
    close,
  };
  options.listening?.(daemon);
  sayReady(ground, daemon);
  engine.hooks.started();
  return daemon;
}

/** A CA is made for good once everything listens: whoever tries again after a busy port has none to announce. */
async function openDoors({ proxy, localTls, firstTls }: Engine, closing: Closing): Promise<void> {
  closing.add(() => proxy.drain(0));
  try {
    await proxy.start();
    await firstTls.save();
  } catch (error) {
    await firstTls.drop();
    throw error;
  }
  firstTls.take();
  await localTls.look();
}

/** The one behind the socket, and the one behind the page: they differ in what is written down of an order. */
function ownOperators(
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

async function openPage(
  ground: Ground,
  { metrics, proxy, store, on }: Engine,
): Promise<MetricsServer | null> {
  const place = ground.force.config.metrics;
  if (metrics === null || place === null) return null;
  const server = await servePage(place, metrics, {
    ready: () =>
      proxy.status().some(({ state }) => state !== 'draining') && store.health().state !== 'unavailable',
    warn: (message) => on({ type: 'warning', code: 'metrics-port-busy', message }),
  });
  if (server !== null) ground.closing.add(() => server.close());
  return server;
}

async function countRoutes({ force }: Ground, { metrics }: Engine): Promise<void> {
  await metrics?.configure(
    force.config.routes,
    [...force.anchors.values()].map(({ counts }) => counts),
  );
  await metrics?.configureHooks(force.config.hooks.map(({ name }) => name));
}

/** Nothing is in force before the proxy has the new routes; nothing can fail after. */
async function apply(
  config: Config,
  { ground, engine }: { readonly ground: Ground; readonly engine: Engine },
): Promise<void> {
  const anchors = await loadAnchorSets(config.routes);
  const tlsa = await openTlsa(config.resolver, ground.now);
  const { env, now, build } = ground;
  const hooks = await readyHooks(config.hooks, { env, now, version: build.version });
  const tls = await engine.localTls.prepare(config);
  ground.incoming = { anchors, tls };
  try {
    await engine.proxy.replace(config.routes);
  } catch (error) {
    await tls.drop();
    throw error;
  } finally {
    ground.incoming = null;
  }
  tls.take();
  ground.force = { config, anchors, tlsa, hooks };
  ground.log.configure(config.log);
  engine.hooks.configure(hooks);
  engine.tofu.configure(settingsOf(config.routes));
  lookForRevoked(ground, engine.tofu);
  await engine.localTls.look();
  await countRoutes(ground, engine);
}

async function startSweeping(ground: Ground, { tofu, on }: Engine): Promise<void> {
  const crls = new CrlWatch(on);
  const look = async (): Promise<void> => {
    if (await crls.look(ground.force.anchors, ground.now())) lookForRevoked(ground, tofu);
  };
  await look();
  const timer = setInterval(() => {
    void look();
    tofu.sweep().catch(() =>
      ground.log.write('error', {
        event: 'sweep-failed',
        message: 'the pin store could not be tidied',
      }),
    );
  }, sweepEveryMs);
  timer.unref();
  ground.closing.add(() => clearInterval(timer));
}

/** Sessions on a certificate that was taken back end now, not with the client. */
function lookForRevoked({ force }: Ground, tofu: Engine['tofu']): void {
  const sets = new Map([...force.anchors].map(([{ endpoint }, set]) => [endpoint.name, set] as const));
  tofu.revocationsChanged((endpoint) => sets.get(endpoint) ?? null);
}

function closer(ground: Ground, { proxy }: Engine): Daemon['close'] {
  let drained: Promise<void> | null = null;
  return async (drainMs = ground.force.config.shutdownSeconds * 1000) => {
    drained ??= proxy.drain(drainMs).catch(() => undefined);
    await drained;
    await ground.closing.run();
  };
}

function sayReady({ log, build }: Ground, daemon: Daemon): void {
  const addresses = daemon.routes().map(({ name, listen }) => `${name} ${listen}`);
  log.write('info', {
    event: 'ready',
    message: `letterlock ${build.version} is ready`,
    fields: {
      version: build.version,
      pid: process.pid,
      addresses,
      admin: daemon.adminSocket,
      metrics: daemon.metrics,
      dashboard: daemon.dashboard,
    },
  });
}
