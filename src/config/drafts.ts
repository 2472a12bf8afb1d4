// Each route as written, read into its canonical parts, one by one and without knowing its neighbours.

import type { ConfigProblem } from '../config.ts';
import { endpointOf } from '../endpoint.ts';
import type { Endpoint } from '../endpoint.ts';
import { listOf } from './plain.ts';
import { problemAt } from './problem.ts';
import type { Path, Place } from './problem.ts';
import { routeSchema } from './schema.ts';
import type { RawRoute } from './schema.ts';
import type { Layers } from './layers.ts';
import { isLoopback, parseAddress, parseListen, parseUpstream } from './upstream.ts';
import type { Address, Upstream } from './upstream.ts';

/** A route that is valid by itself. */
export interface Draft {
  readonly index: number;
  readonly raw: RawRoute;
  readonly upstream: Upstream;
  readonly listen: Address;
  readonly endpoint: Endpoint;
  readonly address: Address | null;
  readonly name: string;
  /** The place of one of its keys, or of the route where the key was not written. */
  readonly place: (...path: Path) => Place;
}

/** The drafts of all routes the schema accepts, and what is wrong with any of them by itself. */
export function draftRoutes(layers: Layers): {
  readonly drafts: readonly Draft[];
  readonly problems: readonly ConfigProblem[];
} {
  const drafts: Draft[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, value] of listOf(layers.value['routes']).entries()) {
    const parsed = routeSchema.safeParse(value);
    if (!parsed.success) continue;
    const read = draft(parsed.data, index, layers);
    if ('message' in read) problems.push(read);
    else drafts.push(read);
  }
  return { drafts, problems: [...problems, ...drafts.flatMap(ownProblems)] };
}

function draft(raw: RawRoute, index: number, layers: Layers): Draft | ConfigProblem {
  const place = (...path: Path): Place => layers.locate(['routes', index, ...path]);
  const upstream = parseUpstream(raw.upstream);
  if (raw.listen === undefined && upstream.scheme.localPort === null) {
    const hint = `give the local port: listen: localhost:PORT, or PORT=${raw.upstream} on the command line`;
    return problemAt(place(), `${upstream.scheme.scheme}:// has no usual local port`, hint);
  }
  const listen =
    raw.listen === undefined
      ? { host: 'localhost', port: upstream.scheme.localPort ?? 0 }
      : parseListen(raw.listen);
  const endpoint = endpointOf(raw.serverName ?? upstream.host.host, upstream.port);
  return {
    index,
    raw,
    upstream,
    listen,
    endpoint,
    address: addressOf(raw, upstream),
    name: raw.name ?? `${upstream.scheme.scheme}-${listen.port}`,
    place,
  };
}

/** With a serverName the host of the URL is only where to connect. */
function addressOf(raw: RawRoute, upstream: Upstream): Address | null {
  if (raw.address !== undefined) return parseAddress(raw.address, upstream.port);
  return raw.serverName === undefined ? null : { host: upstream.host.host, port: upstream.port };
}

function ownProblems({ raw, listen, upstream, place }: Draft): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (!isLoopback(listen.host) && raw.unsafeListen !== true) {
    problems.push(
      problemAt(
        place('listen'),
        `${raw.listen ?? ''} can be reached from other machines, and the client's password would cross the network in clear`,
        `listen on localhost:${listen.port}, or add unsafeListen: true to this route`,
      ),
    );
  }
  if (raw.refusal === 'login' && upstream.scheme.protocol !== 'imap') {
    problems.push(problemAt(place('refusal'), 'refusal: login is for IMAP only', 'remove the line'));
  }
  if (
    raw.refusalCode !== undefined &&
    upstream.scheme.protocol !== 'smtp' &&
    upstream.scheme.protocol !== 'lmtp'
  ) {
    problems.push(
      problemAt(place('refusalCode'), 'refusalCode is for SMTP and LMTP only', 'remove the line'),
    );
  }
  return problems;
}
