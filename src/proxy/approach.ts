// From a route to one finished handshake with one of its servers. Nothing is judged here, and nothing of the
// client's is in reach.

import type { Greeting } from './prove.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';
import type { SessionTools } from './session-tools.ts';
import { reach, secure, type Upstream } from './upstream.ts';

/** A server reached and not judged yet. */
export interface Approached extends Upstream {
  readonly desk: TargetDesk;
  /** What it proved already, before this client came; null: it still has to. */
  readonly greeting: Greeting | null;
}

export interface ApproachPlan {
  readonly tools: Pick<SessionTools, 'on' | 'tofu' | 'now'>;
  readonly signal: AbortSignal;
  /** Called before a server is asked and again when it is its turn to be dialled; what it throws ends the approach. */
  readonly admitted: (desk: TargetDesk) => void;
}

/** The caller closes what it gets. Throws Refusal, Failure, what `admitted` throws, or the signal's reason. */
export async function approach(desk: RouteDesk, plan: ApproachPlan): Promise<Approached> {
  const [first] = desk.targets;
  plan.admitted(first);
  const { signal } = plan;
  const { on } = plan.tools;
  const options = { target: first.target, anchors: first.anchors, signal, on };
  const raw = await reach(desk.route, {
    ...options,
    dials: desk.dials,
    admitted: () => plan.admitted(first),
  });
  return { ...(await secure(raw, desk.route, options)), desk: first, greeting: null };
}
