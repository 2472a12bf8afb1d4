// The names a local certificate shows: what clients on this machine connect to, and what the configuration
// adds. Pure; every name comes in canonical.

import type { Route } from '../proxy/route.ts';

/** Canonical, each once, sorted behind the usual local ones. */
export interface LocalNames {
  readonly dns: readonly string[];
  readonly addresses: readonly string[];
}

const usual: LocalNames = { dns: ['localhost'], addresses: ['127.0.0.1', '::1'] };
/** They stand for every address of the machine, and no client connects to them. */
const wildcards: readonly string[] = ['0.0.0.0', '::'];

/** Canonical hosts sorted into names and addresses: only an address has a colon or consists of four numbers. */
const isAddress = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host);

/** Routes whose clients are shown a certificate of the local CA. */
export const servedLocally = (routes: readonly Route[]): readonly Route[] =>
  routes.filter(({ clientTls }) => clientTls.mode !== 'off' && clientTls.files === null);

/** `configured` are names and addresses besides those the routes listen on. */
export function localNames(routes: readonly Route[], configured: readonly string[]): LocalNames {
  const listening = servedLocally(routes)
    .flatMap(({ listen }) => listen)
    .flatMap((place) => (place.kind === 'tcp' ? [place.host] : []))
    .filter((host) => !wildcards.includes(host));
  const hosts = [...listening, ...configured];
  return {
    dns: withUsual(
      usual.dns,
      hosts.filter((host) => !isAddress(host)),
    ),
    addresses: withUsual(usual.addresses, hosts.filter(isAddress)),
  };
}

/** Routes that other machines reach under a name nobody told us. */
export const listenEverywhere = (routes: readonly Route[]): readonly Route[] =>
  servedLocally(routes).filter(({ listen }) =>
    listen.some((place) => place.kind === 'tcp' && wildcards.includes(place.host)),
  );

const withUsual = (first: readonly string[], others: readonly string[]): readonly string[] => [
  ...first,
  ...[...new Set(others)].filter((name) => !first.includes(name)).toSorted(),
];

export const allOf = ({ dns, addresses }: LocalNames): readonly string[] => [...dns, ...addresses];

export const sameNames = (one: readonly string[], other: readonly string[]): boolean =>
  JSON.stringify(one.toSorted()) === JSON.stringify(other.toSorted());
