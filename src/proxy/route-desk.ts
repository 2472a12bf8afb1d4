// A route at work: what its sessions share. A reload makes new ones; sessions that began at the old one end
// there.

import type { AnchorSet } from '../net/anchors.ts';
import { readClientIdentity, type ClientIdentity } from '../net/client-identity.ts';
import type { ServerCredentials } from '../net/local-handshake.ts';
import type { Corroboration } from '../trust/corroboration.ts';
import { FailedLately } from './failed-lately.ts';
import { RefusalHold } from './hold.ts';
import { isOutdated, type InForce } from './in-force.ts';
import { targetsOf, type Place, type Route, type Target } from './route.ts';
import type { SessionTools } from './session-tools.ts';
import { Turns } from './turns.ts';
import { WarmPool } from './warm-pool.ts';

/** How the last session that came to a decision fared. */
export type RouteState = 'ready' | 'refusing' | 'failing';

const dialsAtOnce = 16;
const delaysAtOnce = 8;

/** One server of a route at work. */
export interface TargetDesk {
  readonly target: Target;
  /** Of its trust settings, so that two desks are compared quickly. */
  readonly trustText: string;
  readonly anchors: AnchorSet;
  readonly hold: RefusalHold;
  readonly failedPlaces: FailedLately<Place>;
  /** Looks from elsewhere under way, by key. */
  readonly looks: Map<string, Promise<Corroboration>>;
}

export const targetDeskOf = (target: Target, anchors: AnchorSet): TargetDesk => ({
  target,
  trustText: JSON.stringify(target.trust),
  anchors,
  hold: new RefusalHold(),
  failedPlaces: new FailedLately(),
  looks: new Map(),
});

export interface RouteDeskParts {
  /** The loaded anchors of a server. Throws when there are none loaded for it. */
  readonly anchorsFor: (target: Target) => AnchorSet;
  /** What the route's clients are shown in their TLS handshake; null where the client side has no TLS. */
  readonly credentials: ServerCredentials | null;
  readonly tools: SessionTools;
}

export class RouteDesk {
  readonly route: Route;
  /** In the order they are tried; at least one. */
  readonly targets: readonly [TargetDesk, ...TargetDesk[]];
  readonly credentials: ServerCredentials | null;
  /** What a server that we know may be shown when it asks. */
  readonly identity: ClientIdentity | null;
  readonly failedTargets = new FailedLately<TargetDesk>();
  /** Dials under way. */
  readonly dials = new Turns(dialsAtOnce);
  /** Farewells that wait before they are said. */
  readonly delays = new Turns(delaysAtOnce);
  /** null where none are kept. */
  readonly warm: WarmPool | null;
  state: RouteState = 'ready';
  #outdated = false;

  /** Reads the client certificate. Throws CommandError where it cannot be used, and what `anchorsFor` throws. */
  constructor(route: Route, { anchorsFor, credentials, tools }: RouteDeskParts) {
    const deskOf = (target: Target): TargetDesk => targetDeskOf(target, anchorsFor(target));
    const [first = route, ...others] = targetsOf(route);
    this.route = route;
    this.targets = [deskOf(first), ...others.map(deskOf)];
    this.credentials = credentials;
    this.identity = route.clientCertificate === null ? null : readClientIdentity(route.clientCertificate);
    // Nobody says when a connection of `tls` is ready.
    this.warm = route.warm > 0 && route.protocol !== 'tls' ? new WarmPool(this, tools) : null;
  }
  /** Trust settings or anchors of one of its servers changed or went since: nothing is judged by them any more. */
  get outdated(): boolean {
    return this.#outdated;
  }

  /** The routes were replaced; `inForce` is what they say now. */
  compare(inForce: InForce): void {
    this.#outdated = this.targets.some((own) => isOutdated(own, inForce));
  }
}
