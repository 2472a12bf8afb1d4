// Which requests can only have come from our own page or from a person who opened it, by what a browser says of
// itself: Host, Origin and Sec-Fetch-* (Fetch Metadata). Pure. A program is no browser and may claim
// anything; it still has no token. Whatever is doubled, unknown or missing where it is needed is refused.

import { isIPv6 } from 'node:net';
import type { Address } from '../../proxy/address.ts';

/** Kinds of things behind the door. */
export type Kind = 'page' | 'file' | 'session' | 'api';

export interface Arrival {
  readonly method: string;
  readonly kind: Kind;
  /** Each header with every value it was sent with. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** What a browser that opened us writes as Host; see `ownHosts`. */
  readonly hosts: readonly string[];
}

/** The first thing wrong with it, or null. */
export function objectionTo(arrival: Arrival): 'bad-host' | 'bad-origin' | null {
  const host = single(arrival.headers['host'])?.toLowerCase() ?? null;
  // A name that was bound to this address by somebody else's DNS (rebinding) is none of these.
  if (host === null || !arrival.hosts.includes(host)) return 'bad-host';
  return isForeign(arrival, `http://${host}`) ? 'bad-origin' : null;
}

/** The names of loopback, and the address bound: with `ssh -L` a browser elsewhere comes by any of them. */
export const ownHosts = ({ address, port }: Address): readonly string[] =>
  ['localhost', '127.0.0.1', '[::1]', isIPv6(address) ? `[${address}]` : address].map((name) =>
    port === 80 ? name : `${name}:${port}`,
  );

function isForeign({ method, kind, headers }: Arrival, ownOrigin: string): boolean {
  const origin = headers['origin'];
  const site = headers['sec-fetch-site'];
  const isReading = method === 'GET' || method === 'HEAD';
  if (origin !== undefined && single(origin) !== ownOrigin) return true;
  if (site !== undefined && !mayComeFrom(single(site), { kind, isReading })) return true;
  if (!isReading && origin === undefined && site === undefined) return true;
  const { modes, destinations } = expected[kind];
  return !isAmong(headers['sec-fetch-mode'], modes) || !isAmong(headers['sec-fetch-dest'], destinations);
}

/** `none`: a person typed the address or opened it from another program. Only the page itself is opened so. */
const mayComeFrom = (
  site: string | null,
  { kind, isReading }: { readonly kind: Kind; readonly isReading: boolean },
): boolean => site === 'same-origin' || (site === 'none' && kind === 'page' && isReading);

/** No frame, object, worker or socket is among them. */
const expected: Readonly<
  Record<Kind, { readonly modes: readonly string[]; readonly destinations: readonly string[] }>
> = {
  page: { modes: ['navigate'], destinations: ['document'] },
  file: {
    modes: ['no-cors', 'cors', 'same-origin'],
    destinations: ['script', 'style', 'image', 'font', 'manifest', 'empty'],
  },
  session: { modes: ['cors', 'same-origin'], destinations: ['empty'] },
  api: { modes: ['cors', 'same-origin'], destinations: ['empty'] },
};

/** A browser too old to say it is not held to it. */
function isAmong(values: readonly string[] | undefined, allowed: readonly string[]): boolean {
  if (values === undefined) return true;
  const value = single(values);
  return value !== null && allowed.includes(value);
}

const single = (values: readonly string[] | undefined): string | null =>
  values?.length === 1 ? (values[0] ?? null) : null;
