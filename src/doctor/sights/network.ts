// Names, routes and connections, as a session would meet them, up to the TCP connection: no server is judged here, and
// nothing is said to one.

import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { bracketed } from '../../endpoint.ts';
import { dial, DialFailure } from '../../net/dial.ts';
import { Lookups } from '../../net/lookups.ts';
import { dialVia } from '../../net/via.ts';
import { addressText } from '../../proxy/address.ts';
import { targetsOf, type Place, type Route, type Target } from '../../proxy/route.ts';
import type { DnsFacts, NameFacts } from '../checks/dns.ts';
import type { Ipv6Facts } from '../checks/ipv6.ts';
import type { ServerFacts } from '../checks/upstreams.ts';
import { isThere, textOf } from './files.ts';
import { bindOnce } from './ports.ts';

const answerMs = 5_000;
const atOnce = 16;

export async function seeNames(routes: readonly Route[]): Promise<readonly NameFacts[]> {
  const lookups = new Lookups();
  const names = new Set(
    routes.flatMap(namesOf).filter((host) => isIP(host) === 0 && !host.endsWith('.onion')),
  );
  return mapped([...names], (host) => seeName(host, lookups));
}

/** What this machine looks up itself: with a proxy, the proxy alone. */
const namesOf = (route: Route): readonly string[] =>
  route.via === null
    ? targetsOf(route)
        .flatMap(placesOf)
        .map(({ host }) => host)
    : [route.via.host];

const placesOf = ({ addresses, endpoint }: Target): readonly Place[] =>
  addresses.length > 0 ? addresses : [endpoint];

async function seeName(host: string, lookups: Lookups): Promise<NameFacts> {
  try {
    const found = await within(lookups.resolve(host));
    const of = (family: number): number => found.filter((address) => address.family === family).length;
    return { host, ipv4: of(4), ipv6: of(6), error: found.length === 0 ? 'ENODATA' : null };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    return { host, ipv4: 0, ipv6: 0, error: code };
  }
}

function within(work: Promise<readonly LookupAddress[]>): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), answerMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

export async function seeServers(routes: readonly Route[]): Promise<readonly ServerFacts[]> {
  const servers = routes.flatMap((route) => targetsOf(route).map((target) => ({ route, target })));
  const seen = await mapped(servers, async (server) => ({ ...server, result: await reach(server) }));
  return seen.map(({ route, target, result }) => ({
    endpoint: target.endpoint.name,
    route: route.name,
    result,
    standIn:
      seen.find((other) => other.route === route && other.result.state === 'reached')?.target.endpoint.name ??
      null,
  }));
}

async function reach({
  route: { via },
  target,
}: {
  readonly route: Route;
  readonly target: Target;
}): Promise<ServerFacts['result']> {
  let failure: DialFailure | null = null;
  for (const place of placesOf(target)) {
    const started = performance.now();
    try {
      const options = { deadlineMs: answerMs, signal: AbortSignal.timeout(2 * answerMs) };
      const socket = await (via === null ? dial(place, options) : dialVia(via, place, options));
      const { remoteAddress: address, remotePort: port } = socket;
      socket.destroy();
      return {
        state: 'reached',
        address: address === undefined || port === undefined ? '' : addressText({ address, port }),
        ms: Math.round(performance.now() - started),
        via: via === null ? null : `${via.kind}://${bracketed(via.host)}:${via.port}`,
      };
    } catch (error) {
      if (!(error instanceof DialFailure)) throw error;
      failure = error;
    }
  }
  return { state: 'unreached', code: failure?.code ?? 'dial', detail: failure?.detail ?? '' };
}

export async function seeIpv6(dns: DnsFacts): Promise<Ipv6Facts> {
  const loopback = await bindOnce(
    { kind: 'tcp', host: '::1', port: 0 },
    { what: '::1', reach: 'loopback' },
  ).then(
    () => true,
    () => false,
  );
  const names = dns.state === 'asked' ? dns.names : [];
  const only = names.filter(({ ipv4, ipv6 }) => ipv4 === 0 && ipv6 > 0).map(({ host }) => host);
  const table = '/proc/net/ipv6_route';
  const route = (await isThere('/proc/net')) ? hasDefaultRoute(await textOf(table)) : null;
  return { loopback, route, only };
}

/** In the kernel's table: to everywhere, up, not one that rejects, and not over the loopback interface. */
export const hasDefaultRoute = (table: string): boolean =>
  table.split('\n').some((line) => {
    const fields = line.trim().split(/\s+/);
    const [destination = '', prefix = ''] = fields;
    const [flags = '0', device = ''] = fields.slice(8);
    const bits = Number.parseInt(flags, 16);
    return /^0{32}$/.test(destination) && prefix === '00' && (bits & 0x201) === 0x1 && device !== 'lo';
  });

/** Not all at once: a thousand servers are no reason for a thousand sockets. */
async function mapped<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const take = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, take));
  return results;
}
