// The effective configuration as rows of key, value and where the value came from, for `config show`.

import type { Config } from '../config.ts';
import { bracketed } from '../endpoint.ts';
import { anchorList } from './build.ts';
import type { Drafts } from './drafts.ts';
import type { Ground } from './ground.ts';
import { hookRows } from './hooks.ts';
import type { OriginRow, RowValue } from './origin-row.ts';
import type { Path } from './problem.ts';
import { resolverRows } from './resolver-place.ts';
import { routeRows } from './route-rows.ts';
import { defaults } from './schema.ts';

/** Where the rows come from. */
export interface OriginSources {
  readonly ground: Ground;
  readonly drafts: Drafts;
}

export function originRows(config: Config, { ground, drafts }: OriginSources): readonly OriginRow[] {
  const row = (path: Path, value: RowValue): OriginRow => ({
    path,
    value,
    origin: ground.layers.originOf(path) ?? 'default',
    remark: null,
  });
  const { socket, listen } = config.admin;
  return [
    row(['state'], config.state),
    row(['trust'], ground.raw.trust ?? defaults.trust),
    row(['firstUse'], ground.raw.firstUse ?? defaults.firstUse),
    row(['dane'], ground.raw.dane ?? defaults.dane),
    ...resolverRows(config.resolver, row),
    row(['caFile'], anchorList(ground, ['caFile'], ground.raw.caFile ?? defaults.caFile)),
    ...drafts.flatMap((draft, index) => {
      const route = config.routes[index];
      return route === undefined ? [] : routeRows({ ground, drafts, draft, route, index });
    }),
    ...(config.metrics === null
      ? [row(['metrics'], null)]
      : [
          row(['metrics', 'listen'], `${bracketed(config.metrics.host)}:${config.metrics.port}`),
          row(['metrics', 'level'], config.metrics.level),
          row(['metrics', 'maxLabelValues'], config.metrics.maxLabelValues),
        ]),
    row(['admin', 'socket', 'path'], socket.path),
    row(['admin', 'socket', 'mode'], socket.mode.toString(8).padStart(4, '0')),
    ...(socket.group === null ? [] : [row(['admin', 'socket', 'group'], socket.group)]),
    row(['admin', 'listen'], listen === null ? null : `${bracketed(listen.host)}:${listen.port}`),
    row(['localCa', 'names'], config.localCa.names),
    ...hookRows(config.hooks, ground, row),
    row(['log', 'level'], config.log.level),
    row(['log', 'format'], config.log.format),
    row(['shutdownSeconds'], config.shutdownSeconds),
  ];
}
