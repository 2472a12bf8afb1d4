// A route at work: what its sessions share. A reload makes new ones; sessions that began at the old one end
// there.

import type { AnchorSet } from '../net/anchors.ts';
import { RefusalHold } from './hold.ts';
import type { Route } from './route.ts';
import { Turns } from './turns.ts';

/** How the last session that came to a decision fared. */
export type RouteState = 'ready' | 'refusing' | 'failing';

const dialsAtOnce = 16;
const delaysAtOnce = 8;

export class RouteDesk {
  readonly route: Route;
  readonly anchors: AnchorSet;
  readonly hold = new RefusalHold();
  /** Dials under way. */
  readonly dials = new Turns(dialsAtOnce);
  /** Farewells that wait before they are said. */
  readonly delays = new Turns(delaysAtOnce);
  state: RouteState = 'ready';

  constructor(route: Route, anchors: AnchorSet) {
    this.route = route;
    this.anchors = anchors;
  }
}
