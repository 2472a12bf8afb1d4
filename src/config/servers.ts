// The servers a route names, each an endpoint of its own.

import { endpointOf } from '../endpoint.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Path } from './problem.ts';
import type { RawRoute } from './route-schema.ts';
import { parseAddress, parseUpstream } from './upstream.ts';
import type { Address, Upstream } from './upstream.ts';

export interface Server {
  readonly upstream: Upstream;
  readonly endpoint: Endpoint;
  /** Where it was written, below its route. */
  readonly path: Path;
}

export type Servers = readonly [Server, ...Server[]];

export function serversOf(raw: RawRoute): Servers {
  const [first = '', ...more] = [raw.upstream].flat();
  const several = Array.isArray(raw.upstream);
  const server = (text: string, index: number): Server => {
    const upstream = parseUpstream(text);
    return {
      upstream,
      endpoint: endpointOf(raw.serverName ?? upstream.host.host, upstream.port),
      path: several ? ['upstream', index] : ['upstream'],
    };
  };
  return [server(first, 0), ...more.map((text, index) => server(text, index + 1))];
}

/** Where to connect instead of to the endpoint; with a serverName the host of the URL is only that. */
export function addressesOf(raw: RawRoute, { upstream }: Server): readonly Address[] {
  if (raw.address !== undefined) return [raw.address].flat().map((text) => parseAddress(text, upstream.port));
  return raw.serverName === undefined ? [] : [{ host: upstream.host.host, port: upstream.port }];
}
