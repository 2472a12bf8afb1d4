// Reads corroborate: the vantage points that a first use is looked at from.

import { bracketed, parsePort } from '../endpoint.ts';
import { schemeNamed } from '../mail/protocol.ts';
import type { Vantage } from '../proxy/route.ts';
import { parseProxy } from './proxy-url.ts';
import type { RawRoute } from './route-schema.ts';
import { quoted, UnusableValue } from './unusable.ts';

const form = 'write a port, SCHEME:PORT, the word addresses, or socks5://HOST[:PORT]';

/** `imap:1143`: a port where something else is spoken than its number says. */
function parsePortOf(text: string): Vantage | null {
  const [, name = '', port = ''] = /^([a-z0-9]+):(\d+)$/.exec(text) ?? [];
  if (name === '') return null;
  const scheme = schemeNamed(name);
  if (scheme === null) throw new UnusableValue(`${quoted(name)} is no scheme of a mail server`, form);
  return { kind: 'port', port: parsePort(port), scheme: scheme.scheme };
}

/** `SCHEME:PORT`, `addresses`, `socks5://HOST[:PORT]` or `http://HOST[:PORT]`. @throws UnusableValue or RangeError */
export function parseVantage(text: string): Vantage {
  if (text === 'addresses') return { kind: 'addresses' };
  const port = parsePortOf(text);
  if (port !== null) return port;
  if (!text.includes('://')) throw new UnusableValue(`${quoted(text)} is no vantage point`, form);
  const via = parseProxy(text);
  if (via.login !== null)
    throw new UnusableValue(
      'a proxy in corroborate has a user name',
      'only proxies that ask for none can be vantage points',
    );
  return { kind: 'proxy', via };
}

type Written = NonNullable<RawRoute['corroborate']>;

export interface Vantages {
  readonly from: readonly Vantage[];
  readonly atLeast: number;
}

/** In their canonical form; at least one must agree where nothing else is written. */
export function vantagesOf(written: Written): Vantages {
  const { from, atLeast = 1 } = Array.isArray(written) ? { from: written } : written;
  return {
    from: from.map((each) =>
      typeof each === 'number' ? { kind: 'port', port: each, scheme: null } : parseVantage(each),
    ),
    atLeast,
  };
}

export const vantageText = (vantage: Vantage): string => {
  switch (vantage.kind) {
    case 'port':
      return vantage.scheme === null ? String(vantage.port) : `${vantage.scheme}:${vantage.port}`;
    case 'addresses':
      return 'addresses';
    case 'proxy':
      return `${vantage.via.kind}://${bracketed(vantage.via.host)}:${vantage.via.port}`;
  }
};

/** One text for all ways to write the same. */
export const vantagesText = ({ from, atLeast }: Vantages): string =>
  `[${[...new Set(from.map(vantageText))].toSorted().join(', ')}], at least ${atLeast}`;
