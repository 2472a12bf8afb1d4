// The effective configuration as rows of key, value and where the value came from, for `config show`.

import type { Config } from '../config.ts';
import { bracketed } from '../endpoint.ts';
import { anchorsOf } from './build.ts';
import type { Ground } from './build.ts';
import type { Draft } from './drafts.ts';
import { giverOf } from './neighbours.ts';
import type { Path } from './problem.ts';

export interface OriginRow {
  /** `routes[0].trust` */
  readonly path: Path;
  readonly value: string | number | boolean | null | readonly string[];
  /** `letterlock.yaml:3:5`, `LETTERLOCK_TRUST`, `--trust`, `command line`, `provider` or `default`. */
  readonly origin: string;
}

type Value = OriginRow['value'];

/** Where the rows come from. */
export interface OriginSources {
  readonly ground: Ground;
  readonly drafts: readonly Draft[];
}

export function originRows(config: Config, { ground, drafts }: OriginSources): readonly OriginRow[] {
  const originOf = (path: Path): string => ground.layers.originOf(path) ?? 'default';
  const row = (path: Path, value: Value): OriginRow => ({ path, value, origin: originOf(path) });
  const { socket } = config.admin;
  return [
    row(['state'], config.state),
    ...drafts.flatMap((draft, index) => routeRows({ config, ground, drafts }, draft, index)),
    ...(config.metrics === null
      ? [row(['metrics'], null)]
      : [row(['metrics', 'listen'], shownAddress(config.metrics))]),
    row(['admin', 'socket', 'path'], socket.path),
    row(['admin', 'socket', 'mode'], socket.mode.toString(8).padStart(4, '0')),
    ...(socket.group === null ? [] : [row(['admin', 'socket', 'group'], socket.group)]),
    row(['log', 'level'], config.log.level),
    row(['log', 'format'], config.log.format),
    row(['shutdownSeconds'], config.shutdownSeconds),
  ];
}

const shownAddress = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${bracketed(host)}:${port}`;

function routeRows(
  { config, ground, drafts }: OriginSources & { readonly config: Config },
  draft: Draft,
  index: number,
): readonly OriginRow[] {
  const route = config.routes[index];
  if (route === undefined) return [];
  const originOf = (path: Path): string => ground.layers.originOf(path) ?? 'default';
  const own = (key: string, value: Value): OriginRow => ({
    path: ['routes', index, key],
    value,
    origin: originOf(['routes', draft.index, key]),
  });
  const trusted = (key: 'trust' | 'firstUse' | 'pins' | 'caFile', value: Value): OriginRow => {
    const giver = giverOf(key, draft, drafts);
    const origin = giver === null ? originOf([key]) : originOf(['routes', giver.index, key]);
    return { path: ['routes', index, key], value, origin };
  };
  const preset =
    giverOf('trust', draft, drafts) === null && route.trust.policy !== (ground.raw.trust ?? 'auto');
  const trust = trusted('trust', route.trust.policy);
  return [
    own('name', route.name),
    own('listen', shownAddress(draft.listen)),
    own('upstream', route.upstream),
    own('clientTls', 'off'),
    ...(route.unsafeListen ? [own('unsafeListen', true)] : []),
    preset ? { ...trust, origin: 'provider' } : trust,
    trusted('firstUse', route.trust.firstUse),
    ...(route.trust.configPins.length > 0 ? [trusted('pins', route.trust.configPins)] : []),
    trusted('caFile', anchorsOf(draft, drafts, ground)),
    ...(draft.raw.address === undefined
      ? []
      : [own('address', shownAddress(route.addresses[0] ?? draft.listen))]),
    ...(draft.raw.serverName === undefined ? [] : [own('serverName', route.endpoint.host)]),
    ...(route.protocol === 'imap' ? [own('refusal', route.refusal)] : []),
    ...(route.protocol === 'smtp' || route.protocol === 'lmtp'
      ? [own('refusalCode', route.refusalCode)]
      : []),
    ...limitRows(route.limits, { ground, draft, index }),
  ];
}

function limitRows(
  limits: Config['routes'][number]['limits'],
  at: { readonly ground: Ground; readonly draft: Draft; readonly index: number },
): readonly OriginRow[] {
  return Object.entries(limits).map(([key, value]) => ({
    path: ['routes', at.index, 'limits', key],
    value,
    origin:
      at.ground.layers.originOf(['routes', at.draft.index, 'limits', key]) ??
      at.ground.layers.originOf(['limits', key]) ??
      'default',
  }));
}
