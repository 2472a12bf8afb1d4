// Looks at a server from elsewhere before its key is remembered: other ports of the host, other addresses of the name,
// another path. Only handshakes are made and keys compared; no byte of a client is in reach, and nothing is judged.

import type { Socket } from 'node:net';
import { bracketed } from '../endpoint.ts';
import { schemeNamed, schemes, type Protocol, type UpstreamTls } from '../mail/protocol.ts';
import { dial, type DialOptions } from '../net/dial.ts';
import { lookUpWithSystem } from '../net/lookups.ts';
import { dialVia } from '../net/via.ts';
import type { Corroboration } from '../trust/corroboration.ts';
import type { TargetDesk } from './route-desk.ts';
import type { Place, Route, Vantage, Via } from './route.ts';
import { secure } from './upstream.ts';

export interface Look {
  readonly route: Route;
  /** The key to compare with. */
  readonly spki: string;
  /** Address the session reached, which is not asked again; null when it is not known. */
  readonly reached: string | null;
  /** For all vantage points together, milliseconds. */
  readonly deadlineMs: number;
  /** The name look-up, of the vantage points too; the system's where it is not given. */
  readonly resolve?: NonNullable<DialOptions['resolve']>;
}

/** Other addresses of one name that are asked. */
const maxAddresses = 4;

/**
 * Resolves at the deadline at the latest, and never rejects: what cannot be asked is `unreached`. Sessions that want to
 * know of the same key at the same time share one look.
 */
export function corroborate(desk: TargetDesk, look: Look): Promise<Corroboration> {
  const underWay = desk.looks.get(look.spki);
  if (underWay !== undefined) return underWay;
  const looking = lookAround(desk, look).finally(() => desk.looks.delete(look.spki));
  desk.looks.set(look.spki, looking);
  return looking;
}

type VantageOf<K extends Vantage['kind']> = Extract<Vantage, { readonly kind: K }>;

/** One place to look from. */
interface Point {
  readonly where: string;
  readonly place: Place;
  readonly via: Via | null;
  readonly protocol: Protocol;
  readonly upstreamTls: UpstreamTls;
}

type Sight =
  | { readonly where: string; readonly state: 'seen'; readonly spki: string | null }
  | { readonly where: string; readonly state: 'unreached' };

async function lookAround(desk: TargetDesk, look: Look): Promise<Corroboration> {
  const signal = AbortSignal.timeout(look.deadlineMs);
  const points = await pointsOf(desk, look);
  const sights = await Promise.all(points.map((point) => sightOf(point, { desk, look, signal })));
  const seen = sights.filter((sight) => sight.state === 'seen');
  return {
    spki: look.spki,
    agreed: seen.filter(({ spki }) => spki === look.spki).map(({ where }) => where),
    differing: seen.filter(({ spki }) => spki !== look.spki).map(({ where, spki }) => ({ where, spki })),
    unreached: sights.filter(({ state }) => state === 'unreached').map(({ where }) => where),
  };
}

async function pointsOf({ target }: TargetDesk, look: Look): Promise<readonly Point[]> {
  const { route } = look;
  const { protocol, upstreamTls, via } = route;
  const own = { protocol, upstreamTls };
  const places = await Promise.all(
    (target.vantages ?? []).map(async (vantage): Promise<readonly Point[]> => {
      switch (vantage.kind) {
        case 'port': {
          const host = target.addresses[0]?.host ?? target.endpoint.host;
          const place = { host, port: vantage.port };
          return [{ where: `port ${vantage.port}`, place, via, ...spokenAt(vantage) }];
        }
        case 'addresses':
          return (await otherAddresses(target.endpoint.host, look)).map((host) => ({
            where: `address ${host}`,
            place: { host, port: target.endpoint.port },
            via: null,
            ...own,
          }));
        case 'proxy': {
          const { via: path } = vantage;
          const where = `${path.kind}://${bracketed(path.host)}:${path.port}`;
          return [{ where, place: target.endpoint, via: path, ...own }];
        }
      }
    }),
  );
  return places.flat();
}

/** What is spoken at a well-known port of mail; TLS at once at any other, unless a scheme says what. */
function spokenAt({ port, scheme }: VantageOf<'port'>): Pick<Point, 'protocol' | 'upstreamTls'> {
  const row = scheme === null ? schemes.find((known) => known.port === port) : schemeNamed(scheme);
  if (row !== null && row !== undefined) return { protocol: row.protocol, upstreamTls: row.upstreamTls };
  return port === 25
    ? { protocol: 'smtp', upstreamTls: 'starttls' }
    : { protocol: 'tls', upstreamTls: 'implicit' };
}

/** A name that cannot be looked up now has no other addresses that could be asked. */
async function otherAddresses(host: string, look: Look): Promise<readonly string[]> {
  const { reached, deadlineMs, resolve: ask = lookUpWithSystem } = look;
  const late = new Promise<readonly []>((resolve) => {
    setTimeout(() => resolve([]), deadlineMs / 2).unref();
  });
  const found = await Promise.race([ask(host).catch(() => []), late]);
  const plain = reached?.replace(/^::ffff:/, '');
  const others = new Set(found.map(({ address }) => address).filter((address) => address !== plain));
  return [...others].slice(0, maxAddresses);
}

async function sightOf(
  point: Point,
  { desk, look, signal }: { readonly desk: TargetDesk; readonly look: Look; readonly signal: AbortSignal },
): Promise<Sight> {
  const { where, protocol, upstreamTls } = point;
  try {
    const { deadlineMs, resolve } = look;
    const raw = await reachPoint(point, {
      deadlineMs,
      signal,
      ...(resolve === undefined ? {} : { resolve }),
    });
    const { socket, peer } = await secure(
      raw,
      { ...look.route, protocol, upstreamTls },
      { target: desk.target, anchors: desk.anchors, signal, on: () => undefined },
    );
    socket.destroy();
    return { where, state: 'seen', spki: peer.spki };
  } catch {
    // Whatever went wrong, no key was seen from there, and that is all there is to say.
    return { where, state: 'unreached' };
  }
}

const reachPoint = ({ place, via }: Point, options: DialOptions): Promise<Socket> =>
  via === null ? dial(place, options) : dialVia(via, place, options);
