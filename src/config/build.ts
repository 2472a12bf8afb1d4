// Makes the canonical configuration from checked layers: defaults, trust inheritance and the provider preset
// applied, every path absolute. It is total on what the checks let through; it reports nothing.

import type { Config } from '../config.ts';
import { canonicalHost } from '../endpoint.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Hook } from '../ops/hooks/hook.ts';
import type { Limits, Route, Target, Via } from '../proxy/route.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { isBigProvider } from '../trust/providers.ts';
import type { Draft, Drafts } from './drafts.ts';
import { parseWatch } from './duration.ts';
import { absolutePath } from './ground.ts';
import type { Ground } from './ground.ts';
import { canonicalPin, giverOf } from './neighbours.ts';
import { pageListenOf } from './page-listen.ts';
import { defaultSocket, defaultState } from './paths.ts';
import type { Path } from './problem.ts';
import { resolverOf } from './resolver-place.ts';
import { defaults } from './schema.ts';
import type { RawConfig } from './schema.ts';
import type { Server } from './servers.ts';
import { parseListen, upstreamUrl } from './upstream.ts';
import { vantagesOf, type Vantages } from './vantages.ts';

/** What other files say: names of users, proxies with the passwords kept there, hooks with their secrets. */
export interface Outside {
  readonly users: ReadonlyMap<string, number>;
  readonly vias: ReadonlyMap<number, Via>;
  readonly hooks: readonly Hook[];
}

export const buildConfig = (ground: Ground, drafts: Drafts, outside: Outside): Config => {
  const state = stateOf(ground);
  return {
    state,
    routes: drafts.map((draft) => buildRoute(draft, drafts, { ...ground, ...outside })),
    resolver: resolverOf(ground),
    metrics: metricsOf(ground),
    admin: { socket: socketOf(ground, state), listen: pageListenOf(ground) },
    localCa: { names: localNamesOf(ground) },
    hooks: outside.hooks,
    log: {
      level: ground.raw.log?.level ?? defaults.log.level,
      format: ground.raw.log?.format ?? defaults.log.format,
    },
    shutdownSeconds: ground.raw.shutdownSeconds ?? defaults.shutdownSeconds,
  };
};

const stateOf = (ground: Ground): string =>
  ground.raw.state === undefined
    ? defaultState(ground.home)
    : absolutePath(ground, ['state'], ground.raw.state);

/** From a file metrics are on; without one (`letterlock run URL`) only where asked for. */
function metricsOf({ raw, file }: Ground): Config['metrics'] {
  if (raw.metrics === null || (raw.metrics?.listen === undefined && file === null)) return null;
  const { listen, level, maxLabelValues } = raw.metrics ?? {};
  return {
    ...parseListen(listen ?? defaults.metrics.listen),
    explicit: listen !== undefined,
    level: level ?? defaults.metrics.level,
    maxLabelValues: maxLabelValues ?? defaults.metrics.maxLabelValues,
  };
}

function socketOf(ground: Ground, state: string): Config['admin']['socket'] {
  const socket = ground.raw.admin?.socket ?? 'default';
  if (socket === 'default') return { path: defaultSocket(state, ground.home), mode: 0o600, group: null };
  return {
    path: absolutePath(ground, ['admin', 'socket', 'path'], socket.path),
    mode: Number.parseInt(socket.mode ?? '0600', 8),
    group: socket.group ?? null,
  };
}

/** In their one spelling, each once. */
const localNamesOf = ({ raw }: Ground): readonly string[] => [
  ...new Set((raw.localCa?.names ?? defaults.localCa.names).map((name) => canonicalHost(name).host)),
];

function buildRoute(draft: Draft, all: Drafts, ground: Ground & Outside): Route {
  const { raw, servers, scheme } = draft;
  const [first, ...others] = servers;
  const target = (server: Server): Target => targetOf(server, all, ground);
  return {
    name: draft.name,
    listen: draft.listen.map(({ place }) => place),
    unsafeListen: raw.unsafeListen ?? false,
    allowUsers: allowedUsers(draft, ground.users),
    clientTls: clientTlsOf(draft, ground),
    ...target(first),
    addresses: draft.addresses,
    others: others.map(target),
    protocol: scheme.protocol,
    upstreamTls: scheme.upstreamTls,
    via: ground.vias.get(draft.index) ?? draft.via,
    clientCertificate: clientCertificateOf(draft, ground),
    minVersion: raw.minVersion ?? 'TLSv1.2',
    legacyServer: raw.legacyServer ?? false,
    warm: raw.warm ?? 0,
    watchMs: watchOf(draft, ground),
    refusal: raw.refusal ?? 'greeting',
    refusalCode: raw.refusalCode ?? 421,
    limits: limitsOf(raw.limits, ground.raw.limits),
  };
}

const targetOf = ({ endpoint, upstream }: Server, all: Drafts, ground: Ground): Target => ({
  endpoint,
  upstream: upstreamUrl(upstream),
  addresses: [],
  anchors: anchorsOf(endpoint, all, ground),
  ...crlFilesOf(endpoint, all, ground),
  trust: trustOf(endpoint, all, ground),
  ...vantagesFor(endpoint, all),
});

/** A name that nobody knows is a problem already; it never lets anybody in. */
const allowedUsers = ({ raw }: Draft, users: Outside['users']): Route['allowUsers'] =>
  raw.allowUsers === undefined
    ? null
    : [
        ...new Set(
          raw.allowUsers.flatMap((user) => (typeof user === 'number' ? [user] : (users.get(user) ?? []))),
        ),
      ];

function clientTlsOf({ index, raw, clientTls }: Draft, ground: Ground): Route['clientTls'] {
  const { minVersion, certificate, key } = typeof raw.clientTls === 'object' ? raw.clientTls : {};
  const path = ['routes', index, 'clientTls'];
  return {
    mode: clientTls,
    minVersion: minVersion ?? 'TLSv1.2',
    files:
      certificate === undefined || key === undefined
        ? null
        : {
            certificate: absolutePath(ground, path, certificate),
            key: absolutePath(ground, path, key),
          },
  };
}

function clientCertificateOf({ index, raw }: Draft, ground: Ground): Route['clientCertificate'] {
  if (raw.clientCertificate === undefined) return null;
  const path = ['routes', index, 'clientCertificate'];
  return {
    certificate: absolutePath(ground, path, raw.clientCertificate.certificate),
    key: absolutePath(ground, path, raw.clientCertificate.key),
  };
}

/** A route that says null means it, whatever stands above. */
function watchOf({ raw }: Draft, ground: Ground): number | null {
  const written = raw.watch === undefined ? ground.raw.watch : raw.watch;
  return written === null ? null : parseWatch(written ?? defaults.watch);
}

/** What holds for a server that no route names. */
export interface CommonTrust {
  /** null: `auto`, or `ca` for a big provider. */
  readonly policy: TrustSettings['policy'] | null;
  readonly firstUse: TrustSettings['firstUse'];
  readonly anchors: readonly string[];
  readonly crlFiles: readonly string[];
  readonly dane: NonNullable<TrustSettings['dane']>;
}

export const commonTrust = (ground: Ground): CommonTrust => ({
  policy: ground.raw.trust ?? null,
  firstUse: ground.raw.firstUse ?? defaults.firstUse,
  anchors: anchorList(ground, ['caFile'], ground.raw.caFile ?? defaults.caFile),
  crlFiles: fileList(ground, ['crlFile'], ground.raw.crlFile ?? []),
  dane: ground.raw.dane ?? defaults.dane,
});

/** The trust settings of an endpoint, from whichever route gives each. */
function trustOf(endpoint: Endpoint, all: Drafts, ground: Ground): TrustSettings {
  const pins = giverOf('pins', endpoint, all)?.raw.pins ?? [];
  const vantages = writtenVantages(endpoint, all);
  const given = giverOf('trust', endpoint, all)?.raw.trust;
  const dane = giverOf('dane', endpoint, all)?.raw.dane ?? ground.raw.dane ?? defaults.dane;
  const preset =
    pins.length === 0 && !trustIsOrdered(ground) && isBigProvider(endpoint.host) ? 'ca' : undefined;
  return {
    policy: given ?? preset ?? ground.raw.trust ?? defaults.trust,
    firstUse: giverOf('firstUse', endpoint, all)?.raw.firstUse ?? ground.raw.firstUse ?? defaults.firstUse,
    configPins: [...new Set(pins.map(canonicalPin))],
    ...(dane === 'off' ? {} : { dane }),
    ...(vantages === null ? {} : { corroborate: { atLeast: vantages.atLeast } }),
    ...(giverOf('handOver', endpoint, all)?.raw.handOver === true ? { handOver: true } : {}),
    ...(giverOf('continuity', endpoint, all)?.raw.continuity === 'anchor' ? { continuity: 'anchor' } : {}),
  };
}

const writtenVantages = (endpoint: Endpoint, all: Drafts): Vantages | null => {
  const written = giverOf('corroborate', endpoint, all)?.raw.corroborate;
  return written === undefined ? null : vantagesOf(written);
};

function vantagesFor(endpoint: Endpoint, all: Drafts): Pick<Target, 'vantages'> {
  const vantages = writtenVantages(endpoint, all);
  return vantages === null ? {} : { vantages: vantages.from };
}

/** A policy on the command line is meant for the routes beside it; one in a file is a default for all. */
const trustIsOrdered = ({ layers }: Ground): boolean => layers.originOf(['trust'])?.startsWith('--') === true;

function anchorsOf(endpoint: Endpoint, all: Drafts, ground: Ground): readonly string[] {
  const giver = giverOf('caFile', endpoint, all);
  if (giver?.raw.caFile !== undefined)
    return anchorList(ground, ['routes', giver.index, 'caFile'], giver.raw.caFile);
  return anchorList(ground, ['caFile'], ground.raw.caFile ?? defaults.caFile);
}

function crlFilesOf(endpoint: Endpoint, all: Drafts, ground: Ground): Pick<Target, 'crlFiles'> {
  const giver = giverOf('crlFile', endpoint, all);
  const path = giver === null ? ['crlFile'] : ['routes', giver.index, 'crlFile'];
  const written = giver?.raw.crlFile ?? ground.raw.crlFile;
  return written === undefined ? {} : { crlFiles: fileList(ground, path, written) };
}

const fileList = (ground: Ground, path: Path, written: string | readonly string[]): readonly string[] => [
  ...new Set([written].flat().map((file) => absolutePath(ground, path, file))),
];

export const anchorList = (
  ground: Ground,
  path: Path,
  written: string | readonly string[],
): readonly string[] => [
  ...new Set(
    (typeof written === 'string' ? [written] : written).map((source) =>
      source === 'system' ? source : absolutePath(ground, path, source),
    ),
  ),
];

type WrittenLimits = RawConfig['limits'];

function limitsOf(own: WrittenLimits, common: WrittenLimits): Limits {
  const pick = (key: keyof Limits): number => own?.[key] ?? common?.[key] ?? defaults.limits[key];
  return {
    connections: pick('connections'),
    dialSeconds: pick('dialSeconds'),
    handshakeSeconds: pick('handshakeSeconds'),
    greetingSeconds: pick('greetingSeconds'),
    idleMinutes: pick('idleMinutes'),
    preTlsBytes: pick('preTlsBytes'),
    lineBytes: pick('lineBytes'),
  };
}
