// Makes the canonical configuration from checked layers: defaults, trust inheritance and the provider preset
// applied, every path absolute. It is total on what the checks let through; it reports nothing.

import { dirname, resolve } from 'node:path';
import type { Config } from '../config.ts';
import type { Limits, Route } from '../proxy/route.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { isBigProvider } from '../trust/providers.ts';
import type { Draft } from './drafts.ts';
import type { Layers } from './layers.ts';
import { canonicalPin, giverOf } from './neighbours.ts';
import { defaultSocket, defaultState } from './paths.ts';
import type { Home } from './paths.ts';
import type { Path } from './problem.ts';
import { defaults } from './schema.ts';
import type { RawConfig } from './schema.ts';
import { parseListen, upstreamUrl } from './upstream.ts';

/** What every part of the building needs. */
export interface Ground {
  readonly raw: RawConfig;
  readonly layers: Layers;
  readonly home: Home;
  readonly cwd: string;
  /** Absolute path of the configuration file; null without one. */
  readonly file: string | null;
}

export const buildConfig = (ground: Ground, drafts: readonly Draft[]): Config => {
  const state = stateOf(ground);
  return {
    state,
    routes: drafts.map((draft) => buildRoute(draft, drafts, ground)),
    metrics: metricsOf(ground),
    admin: { socket: socketOf(ground, state) },
    localCa: { names: [] },
    log: {
      level: ground.raw.log?.level ?? defaults.log.level,
      format: ground.raw.log?.format ?? defaults.log.format,
    },
    shutdownSeconds: ground.raw.shutdownSeconds ?? defaults.shutdownSeconds,
  };
};

/** Relative paths of a file are relative to it, those of environment and flags to the working directory. */
function absolutePath(ground: Ground, path: Path, text: string): string {
  const inFile = ground.file !== null && ground.layers.locate(path).line !== null;
  return resolve(inFile && ground.file !== null ? dirname(ground.file) : ground.cwd, text);
}

const stateOf = (ground: Ground): string =>
  ground.raw.state === undefined
    ? defaultState(ground.home)
    : absolutePath(ground, ['state'], ground.raw.state);

/** From a file metrics are on; without one (`letterlock run URL`) only where asked for. */
function metricsOf({ raw, file }: Ground): Config['metrics'] {
  if (raw.metrics === null || (raw.metrics === undefined && file === null)) return null;
  const listen = raw.metrics?.listen;
  return { ...parseListen(listen ?? defaults.metrics.listen), explicit: listen !== undefined };
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

function buildRoute(draft: Draft, all: readonly Draft[], ground: Ground): Route {
  const { raw, upstream, endpoint } = draft;
  return {
    name: draft.name,
    listen: [{ kind: 'tcp', ...draft.listen }],
    unsafeListen: raw.unsafeListen ?? false,
    endpoint,
    upstream: upstreamUrl(upstream),
    protocol: upstream.scheme.protocol,
    upstreamTls: upstream.scheme.upstreamTls,
    addresses: draft.address === null ? [] : [draft.address],
    allowUsers: null,
    clientTls: { mode: 'off', minVersion: 'TLSv1.2', files: null },
    others: [],
    via: null,
    clientCertificate: null,
    minVersion: 'TLSv1.2',
    legacyServer: false,
    warm: 0,
    anchors: anchorsOf(draft, all, ground),
    trust: trustOf(draft, all, ground),
    refusal: raw.refusal ?? 'greeting',
    refusalCode: raw.refusalCode ?? 421,
    limits: limitsOf(raw.limits, ground.raw.limits),
  };
}

/** The trust settings of the draft's endpoint, from whichever of its routes gives each. */
function trustOf(draft: Draft, all: readonly Draft[], ground: Ground): TrustSettings {
  const pins = giverOf('pins', draft, all)?.raw.pins ?? [];
  const given = giverOf('trust', draft, all)?.raw.trust;
  const preset =
    pins.length === 0 && !trustIsOrdered(ground) && isBigProvider(draft.endpoint.host) ? 'ca' : undefined;
  return {
    policy: given ?? preset ?? ground.raw.trust ?? defaults.trust,
    firstUse: giverOf('firstUse', draft, all)?.raw.firstUse ?? ground.raw.firstUse ?? defaults.firstUse,
    configPins: [...new Set(pins.map(canonicalPin))],
  };
}

/** A policy on the command line is meant for the routes beside it; one in a file is a default for all. */
const trustIsOrdered = ({ layers }: Ground): boolean => layers.originOf(['trust'])?.startsWith('--') === true;

export function anchorsOf(draft: Draft, all: readonly Draft[], ground: Ground): readonly string[] {
  const giver = giverOf('caFile', draft, all);
  if (giver?.raw.caFile !== undefined)
    return anchorList(ground, ['routes', giver.index, 'caFile'], giver.raw.caFile);
  return anchorList(ground, ['caFile'], ground.raw.caFile ?? defaults.caFile);
}

export const anchorList = (
  ground: Ground,
  path: Path,
  written: string | readonly string[],
): readonly string[] => [
  ...new Set(
    [written].flat().map((source) => (source === 'system' ? source : absolutePath(ground, path, source))),
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
