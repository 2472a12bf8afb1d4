// The rows of one route for `config show`: every setting in force, where it came from, and never a password.

import { bracketed } from '../endpoint.ts';
import type { ClientTlsSettings, ListenPlace, Route, Target } from '../proxy/route.ts';
import { targetsOf } from '../proxy/route.ts';
import type { Draft, Drafts } from './drafts.ts';
import { watchText } from './duration.ts';
import { absolutePath } from './ground.ts';
import type { Ground } from './ground.ts';
import { isPlain, placeText } from './listen-place.ts';
import { giverOf } from './neighbours.ts';
import type { TrustKey } from './neighbours.ts';
import type { OriginRow, RowValue, Scalar } from './origin-row.ts';
import type { Path } from './problem.ts';
import { proxyText } from './proxy-url.ts';
import { vantageText } from './vantages.ts';

/** A route, as written and as built. */
export interface RouteSources {
  readonly ground: Ground;
  readonly drafts: Drafts;
  readonly draft: Draft;
  readonly route: Route;
  /** Its place among the routes in force. */
  readonly index: number;
}

/** Makes a row of a key below the route. */
type MakeRow = (path: Path, value: RowValue) => OriginRow;

export function routeRows(sources: RouteSources): readonly OriginRow[] {
  const { ground, draft, index, route } = sources;
  const row: MakeRow = (path, value) => ({
    path: ['routes', index, ...path],
    value,
    origin: originOf(ground, ['routes', draft.index, ...path]),
    remark: null,
  });
  return [
    row(['name'], route.name),
    row(['listen'], oneOrAll(route.listen.map(placeValue))),
    ...(route.allowUsers === null ? [] : [row(['allowUsers'], route.allowUsers)]),
    ...clientTlsRows(route.clientTls, row),
    ...(route.unsafeListen ? [row(['unsafeListen'], true)] : []),
    row(['upstream'], oneOrAll(targetsOf(route).map(({ upstream }) => upstream))),
    ...trustRows(sources),
    ...serverRows(sources, row),
    ...(route.protocol === 'imap' ? [row(['refusal'], route.refusal)] : []),
    ...(route.protocol === 'smtp' || route.protocol === 'lmtp'
      ? [row(['refusalCode'], route.refusalCode)]
      : []),
    watchRow(sources),
    ...limitRows(sources),
  ];
}

const originOf = ({ layers }: Ground, path: Path): string => layers.originOf(path) ?? 'default';

type Listed = Exclude<RowValue, Scalar>[number];

const oneOrAll = (values: readonly Listed[]): RowValue => {
  const [first] = values;
  return values.length === 1 && (typeof first === 'string' || typeof first === 'number') ? first : values;
};

const placeValue = (place: ListenPlace): Listed =>
  place.kind !== 'unix' || isPlain(place)
    ? placeText(place)
    : {
        unix: place.path,
        mode: place.mode.toString(8).padStart(4, '0'),
        ...(place.group === null ? {} : { group: place.group }),
      };

function clientTlsRows({ mode, minVersion, files }: ClientTlsSettings, row: MakeRow): readonly OriginRow[] {
  const short = row(['clientTls'], mode);
  if (mode === 'off') return [short];
  const inFull = row(['clientTls', 'mode'], mode);
  return [
    // Written as one word, the word is where it came from.
    { ...inFull, origin: inFull.origin === 'default' ? short.origin : inFull.origin },
    row(['clientTls', 'minVersion'], minVersion),
    ...(files === null
      ? []
      : [row(['clientTls', 'certificate'], files.certificate), row(['clientTls', 'key'], files.key)]),
  ];
}

function serverRows({ draft, route, ground }: RouteSources, row: MakeRow): readonly OriginRow[] {
  const { raw } = draft;
  const { clientCertificate } = route;
  return [
    ...(raw.address === undefined ? [] : [row(['address'], oneOrAll(route.addresses.map(addressText)))]),
    ...(raw.serverName === undefined ? [] : [row(['serverName'], route.endpoint.host)]),
    ...proxyRows({ draft, ground }, row),
    ...(clientCertificate === null
      ? []
      : [
          row(['clientCertificate', 'certificate'], clientCertificate.certificate),
          row(['clientCertificate', 'key'], clientCertificate.key),
        ]),
    route.legacyServer ? row(['legacyServer'], true) : row(['minVersion'], route.minVersion),
    ...(route.protocol === 'tls' ? [] : [row(['warm'], route.warm)]),
  ];
}

function proxyRows(
  { draft, ground }: Pick<RouteSources, 'draft' | 'ground'>,
  row: MakeRow,
): readonly OriginRow[] {
  const { raw, via } = draft;
  if (via === null) return [];
  const file = typeof raw.proxy === 'object' ? raw.proxy.passwordFile : undefined;
  if (file === undefined) return [row(['proxy'], proxyText(via))];
  const path = ['routes', draft.index, 'proxy', 'passwordFile'];
  return [
    row(['proxy', 'url'], proxyText(via)),
    row(['proxy', 'passwordFile'], absolutePath(ground, path, file)),
  ];
}

const addressText = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${bracketed(host)}:${port}`;

/** What a server's trust is, and which route or default gives it. */
interface TrustRow {
  readonly value: RowValue;
  readonly origin: string;
}

function trustRows(sources: RouteSources): readonly OriginRow[] {
  const { index, route } = sources;
  const pinned = targetsOf(route).some(({ trust }) => trust.configPins.length > 0);
  const prefers = targetsOf(route).some(({ trust }) => trust.dane !== undefined);
  const revoked = targetsOf(route).some(({ crlFiles = [] }) => crlFiles.length > 0);
  const handsOver = targetsOf(route).some(({ trust }) => trust.handOver === true);
  const byAnchor = targetsOf(route).some(({ trust }) => trust.continuity === 'anchor');
  const lookedAt = targetsOf(route).some(({ trust }) => trust.corroborate !== undefined);
  const keys: readonly TrustKey[] = [
    'trust',
    'firstUse',
    ...(pinned ? (['pins'] as const) : []),
    ...(prefers ? (['dane'] as const) : []),
    'caFile',
    ...(revoked ? (['crlFile'] as const) : []),
    ...(handsOver ? (['handOver'] as const) : []),
    ...(byAnchor ? (['continuity'] as const) : []),
    ...(lookedAt ? (['corroborate'] as const) : []),
  ];
  return keys.map((key) => ({
    path: ['routes', index, key],
    ...trustRow(key, route, sources),
    remark: remarkOf(key, sources),
  }));
}

function trustRow(key: TrustKey, target: Target, { ground, drafts }: RouteSources): TrustRow {
  const giver = giverOf(key, target.endpoint, drafts);
  const isPreset = key === 'trust' && giver === null && target.trust.policy !== (ground.raw.trust ?? 'auto');
  const origin = isPreset
    ? 'provider'
    : originOf(ground, giver === null ? [key] : ['routes', giver.index, key]);
  return { value: trustValue(key, target), origin };
}

function trustValue(key: TrustKey, { trust, anchors, crlFiles = [], vantages = [] }: Target): RowValue {
  switch (key) {
    case 'trust':
      return trust.policy;
    case 'firstUse':
      return trust.firstUse;
    case 'pins':
      return trust.configPins;
    case 'dane':
      return trust.dane ?? 'off';
    case 'caFile':
      return anchors;
    case 'crlFile':
      return crlFiles;
    case 'handOver':
      return trust.handOver ?? false;
    case 'continuity':
      return trust.continuity ?? 'leaf';
    case 'corroborate':
      return vantages.map(vantageText);
  }
}

/** The row shows the first server; another of the route may have what a third route or a preset gives it. */
function remarkOf(key: TrustKey, sources: RouteSources): string | null {
  const { route } = sources;
  const first = JSON.stringify(trustValue(key, route));
  const different = route.others.flatMap((target) => {
    const { value, origin } = trustRow(key, target, sources);
    const text = JSON.stringify(value);
    return text === first ? [] : [`${target.endpoint.name} has ${text} (${origin})`];
  });
  return different.length === 0 ? null : different.join('; ');
}

const watchRow = ({ ground, draft, index, route }: RouteSources): OriginRow => ({
  path: ['routes', index, 'watch'],
  value: watchText(route.watchMs),
  origin:
    ground.layers.originOf(['routes', draft.index, 'watch']) ??
    ground.layers.originOf(['watch']) ??
    'default',
  remark: null,
});

function limitRows({ ground, draft, index, route }: RouteSources): readonly OriginRow[] {
  return Object.entries(route.limits).map(([key, value]: readonly [string, number]) => ({
    path: ['routes', index, 'limits', key],
    value,
    origin:
      ground.layers.originOf(['routes', draft.index, 'limits', key]) ??
      ground.layers.originOf(['limits', key]) ??
      'default',
    remark: null,
  }));
}
