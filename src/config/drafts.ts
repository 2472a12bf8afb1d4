// Each route as written, read into its canonical parts, one by one and without knowing its neighbours.

import { parse } from 'node:path';
import type { ConfigProblem } from '../config.ts';
import type { Scheme } from '../mail/protocol.ts';
import type { ClientTlsSettings, ListenPlace, Via } from '../proxy/route.ts';
import { absolutePath } from './ground.ts';
import type { Ground } from './ground.ts';
import { parsePlace, unixPlace } from './listen-place.ts';
import { listOf } from './plain.ts';
import { problemAt } from './problem.ts';
import type { Path, Place } from './problem.ts';
import { parseProxy } from './proxy-url.ts';
import { routeSchema } from './route-schema.ts';
import type { RawRoute } from './route-schema.ts';
import { addressesOf, serversOf } from './servers.ts';
import type { Servers } from './servers.ts';
import type { Address } from './upstream.ts';

/** A place to listen at, and where it was written, below its route. */
export interface Listening {
  readonly place: ListenPlace;
  readonly path: Path;
}

/** A route that is valid by itself. */
export interface Draft {
  readonly index: number;
  readonly raw: RawRoute;
  /** Of its first server. */
  readonly scheme: Scheme;
  readonly servers: Servers;
  readonly addresses: readonly Address[];
  readonly listen: readonly Listening[];
  readonly clientTls: ClientTlsSettings['mode'];
  /** The password of a passwordFile is not in it yet. */
  readonly via: Via | null;
  readonly name: string;
  /** The place of one of its keys, or of the route where the key was not written. */
  readonly place: (...path: Path) => Place;
}

/** In order; those of one server are found without a look at all. */
export interface Drafts extends ReadonlyArray<Draft> {
  /** With a server of this name among theirs. */
  of(endpoint: string): readonly Draft[];
  /** What was found out of them by who asked before, by name of the server and setting. */
  readonly givers: Map<string, Draft | null>;
}

function found(drafts: readonly Draft[]): Drafts {
  const byName = new Map<string, Draft[]>();
  for (const each of drafts) {
    for (const name of new Set(each.servers.map(({ endpoint }) => endpoint.name))) {
      const sharing = byName.get(name);
      if (sharing === undefined) byName.set(name, [each]);
      else sharing.push(each);
    }
  }
  return Object.assign([...drafts], {
    of: (endpoint: string) => byName.get(endpoint) ?? [],
    givers: new Map<string, Draft | null>(),
  });
}

/** The drafts of all routes the schema accepts, and those that leave out what nobody can guess. */
export function draftRoutes(ground: Ground): {
  readonly drafts: Drafts;
  readonly problems: readonly ConfigProblem[];
} {
  const drafts: Draft[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, value] of listOf(ground.layers.value['routes']).entries()) {
    const parsed = routeSchema.safeParse(value);
    if (!parsed.success) continue;
    const read = draft(parsed.data, index, ground);
    if ('message' in read) problems.push(read);
    else drafts.push(read);
  }
  return { drafts: found(drafts), problems };
}

function draft(raw: RawRoute, index: number, ground: Ground): Draft | ConfigProblem {
  const place = (...path: Path): Place => ground.layers.locate(['routes', index, ...path]);
  const servers = serversOf(raw);
  const { scheme } = servers[0].upstream;
  if (raw.listen === undefined && scheme.localPort === null) {
    const url = [raw.upstream].flat()[0] ?? '';
    const hint = `give the local port: listen: localhost:PORT, or PORT=${url} on the command line`;
    return problemAt(place(), `${scheme.scheme}:// has no usual local port`, hint);
  }
  const listen =
    raw.listen === undefined
      ? [{ place: usualPlace(scheme), path: ['listen'] }]
      : listeningsOf(raw.listen, index, ground);
  return {
    index,
    raw,
    scheme,
    servers,
    addresses: addressesOf(raw, servers[0]),
    listen,
    clientTls: typeof raw.clientTls === 'object' ? raw.clientTls.mode : (raw.clientTls ?? 'off'),
    via:
      raw.proxy === undefined ? null : parseProxy(typeof raw.proxy === 'string' ? raw.proxy : raw.proxy.url),
    name: raw.name ?? usualName(scheme, listen),
    place,
  };
}

const usualPlace = (scheme: Scheme): ListenPlace => ({
  kind: 'tcp',
  host: 'localhost',
  port: scheme.localPort ?? 0,
});

function listeningsOf(
  written: NonNullable<RawRoute['listen']>,
  index: number,
  ground: Ground,
): readonly Listening[] {
  const several = Array.isArray(written);
  return [written].flat().map((each, at) => {
    const path = several ? ['listen', at] : ['listen'];
    const place = typeof each === 'string' ? parsePlace(each) : unixPlace(each);
    if (place.kind !== 'unix') return { place, path };
    return {
      place: { ...place, path: absolutePath(ground, ['routes', index, ...path], place.path) },
      path,
    };
  });
}

/** `imaps-1143`; of a route without a port `imaps-mail`, after its socket file or the service manager's name. */
function usualName({ scheme }: Scheme, listen: readonly Listening[]): string {
  const places = listen.map(({ place }) => place);
  const place = places.find(({ kind }) => kind === 'tcp') ?? places[0];
  return `${scheme}-${place === undefined ? '' : labelOf(place)}`.slice(0, 64);
}

function labelOf(place: ListenPlace): string {
  switch (place.kind) {
    case 'tcp':
      return String(place.port);
    case 'unix':
      return parse(place.path).name.replace(/[^\w.-]+/g, '-');
    case 'fd':
      return place.name.replace(/[^\w.-]+/g, '-');
  }
}
