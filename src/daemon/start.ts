// Starts a daemon out of its parts: engine, listening addresses, admin API and metrics page. Everything or
// nothing: a start that fails half way closes what it opened. A reload takes all of a configuration or none.

import type { Operator } from '../admin/operator.ts';
import { serveAdmin } from '../admin/server.ts';
import type { WebDoor } from '../admin/web/door.ts';
import type { ReloadShape } from '../admin/shapes.ts';
import { commandErrorOf } from '../admin/tofu-operator.ts';
import type { Config } from '../config.ts';
import { readBuild, type Build } from '../ops/build.ts';
import { readyHooks } from '../ops/hooks/delivery.ts';
import type { Log } from '../ops/log.ts';
import type { MetricsServer } from '../ops/metrics-server.ts';
import type { EarlyDoors } from '../proxy/early-doors.ts';
import type { Listener, ProxyEvent } from '../proxy/events.ts';
import type { ProxyOptions, RouteStatus } from '../proxy/proxy.ts';
import { openTlsa } from '../net/open-tlsa.ts';
import { loadAnchorSets } from './anchor-sets.ts';
import { apply, countRoutes } from './apply.ts';
import { Closing } from './closing.ts';
import { openConfiguredLog, openEngine } from './engine.ts';
import type { Engine, Ground } from './engine.ts';
import { ambientTrust, refuseUnsafeSwitches } from './environment.ts';
import { linkMaker, openDashboard } from './dashboard.ts';
import { tellUnannounced } from './facts.ts';
import { openPage } from './metrics-page.ts';
import { ownOperators } from './operators.ts';
import { reloader } from './reloading.ts';
import type { Reread } from './reloading.ts';
import { sharePins } from './sharing.ts';
import { startSweeping } from './sweeping.ts';

export interface DaemonOptions {
  /** Reads the configuration again for a reload, for this build; without it there is nothing to reload. */
  readonly reread?: (build: Build) => Promise<Reread>;
  readonly env?: NodeJS.ProcessEnv;
  /** The doors of these routes where they are open already: the daemon closes them. Default: opened last of all. */
  readonly doors?: EarlyDoors;
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

/**
 * Starts everything or nothing.
 * @throws CommandError: `config` (switches, anchors, socket), `store`, `network` (a listening address)
 */
export async function startDaemon(config: Config, options: DaemonOptions = {}): Promise<Daemon> {
  const closing = new Closing();
  closing.add(() => options.doors?.close());
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
    doors: options.doors ?? null,
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
  const { reread = null } = options;
  const reload = reloader({
    reread: reread === null ? null : () => reread(ground.build),
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
