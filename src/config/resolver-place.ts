// Reads the place of a resolver as it is written. Its answers are believed, so it is on this machine or behind TLS; a name
// would have to be looked up by somebody who is believed less.

import { isIPv6 } from 'node:net';
import type { Config } from '../config.ts';
import { bracketed, canonicalHost } from '../endpoint.ts';
import { isLoopbackAddress } from '../net/resolver.ts';
import { absolutePath } from './ground.ts';
import type { Ground } from './ground.ts';
import { canonicalPin } from './neighbours.ts';
import type { OriginRow, RowValue } from './origin-row.ts';
import { quoted, UnusableValue } from './unusable.ts';
import { parseAddress } from './upstream.ts';
import type { Address } from './upstream.ts';

const dnsPort = 53;
const tlsPort = 853;

/** `ADDRESS[:PORT]` of this machine. @throws UnusableValue or RangeError */
export function parseOwnResolver(text: string): Address {
  const place = parseIp(text, dnsPort);
  if (isLoopbackAddress(place.host)) return place;
  const hint = `ask it over TLS: resolver: {address: ${quoted(text)}, serverName: NAME}, or run a validating resolver here`;
  throw new UnusableValue(
    `${quoted(text)} is not on this machine, so its answers could be changed on the way`,
    hint,
  );
}

/** `ADDRESS[:PORT]` of a resolver that is asked over TLS. @throws UnusableValue or RangeError */
export const parseTlsResolver = (text: string): Address => parseIp(text, tlsPort);

function parseIp(text: string, port: number): Address {
  const place = parseAddress(isIPv6(text) ? `[${text}]` : text, port);
  if (canonicalHost(bracketed(place.host)).kind === 'ip') return place;
  const hint =
    place.host === 'localhost'
      ? 'write 127.0.0.1 or [::1]'
      : 'write its address; the name its certificate must have is serverName: in {address, serverName}';
  throw new UnusableValue(`${quoted(text)} is a name`, hint);
}

/** What the configuration says; null where there is none. */
export function resolverOf(ground: Ground): Config['resolver'] {
  const { resolver } = ground.raw;
  if (resolver === undefined || resolver === null) return null;
  if (typeof resolver === 'string') return { kind: 'loopback', ...parseOwnResolver(resolver) };
  const files = [resolver.caFile ?? 'system'].flat();
  return {
    kind: 'tls',
    ...parseTlsResolver(resolver.address),
    name: resolver.serverName === undefined ? null : canonicalHost(resolver.serverName).host,
    pins: [...new Set((resolver.pins ?? []).map(canonicalPin))],
    anchors: files.map((file) =>
      file === 'system' ? file : absolutePath(ground, ['resolver', 'caFile'], file),
    ),
  };
}

/** For `config show`. */
export function resolverRows(
  resolver: Config['resolver'],
  row: (path: readonly string[], value: RowValue) => OriginRow,
): readonly OriginRow[] {
  if (resolver === null) return [row(['resolver'], null)];
  const address = `${bracketed(resolver.host)}:${resolver.port}`;
  if (resolver.kind === 'loopback') return [row(['resolver'], address)];
  const { name, pins, anchors } = resolver;
  return [
    row(['resolver', 'address'], address),
    ...(name === null ? [] : [row(['resolver', 'serverName'], name)]),
    ...(pins.length === 0 ? [] : [row(['resolver', 'pins'], pins)]),
    ...(name === null ? [] : [row(['resolver', 'caFile'], anchors)]),
  ];
}
