// From a route to one finished handshake with one of its servers. Nothing is judged here, and nothing of the
// client's is in reach.

import type { Socket } from 'node:net';
import { Refusal } from '../errors.ts';
import type { ClientIdentity } from '../net/client-identity.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import type { Greeting } from './prove.ts';
import { reach, type ReachPlan, type Ways } from './reach.ts';
import type { Target } from './route.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';
import type { SessionTools } from './session-tools.ts';
import type { Tofu } from '../tofu.ts';
import { TlsaAsking } from './tlsa-asking.ts';
import { secure, type Upstream } from './upstream.ts';

/** A server reached and not judged yet. */
export interface Approached extends Upstream {
  readonly desk: TargetDesk;
  /** What it proved already, before this client came; null: it still has to. */
  readonly greeting: Greeting | null;
  /** What its TLSA records are; null where nobody asked. */
  readonly tlsa: TlsaAnswer | null;
  /** Of one that was kept ready: ends its watch, and says whether it is still good; the relay reads it in the same tick. */
  readonly letGo?: () => boolean;
}

export interface ApproachPlan extends Pick<ReachPlan, 'signal' | 'admitted'> {
  readonly tools: Pick<SessionTools, 'on' | 'tofu' | 'now' | 'findTlsa' | 'lookups'>;
}

/** What is needed of a route at work. */
export type ApproachDesk = Ways & Pick<RouteDesk, 'identity'>;

/** The caller closes what it gets. Throws Refusal, Failure, what `admitted` throws, or the signal's reason. */
export async function approach(desk: ApproachDesk, plan: ApproachPlan): Promise<Approached> {
  const { signal, admitted, tools } = plan;
  const { on, lookups } = tools;
  const asking = new TlsaAsking(tools, signal);
  const reached = await reach(desk, {
    signal,
    on,
    lookups,
    admitted: (server) => {
      admitted(server);
      asking.begin(server);
    },
  });
  const { target, anchors } = reached.desk;
  const identity = (): ClientIdentity | null => (mayShow(reached.desk, tools) ? desk.identity : null);
  const serverName = await closingOnThrow(reached.raw, asking.serverName(reached.desk));
  const options = { target, anchors, identity, serverName, signal, on };
  const upstream = await untilRefused(secure(reached.raw, desk.route, options), {
    target,
    tofu: tools.tofu,
  });
  // The TLS socket only, the raw one follows.
  const tlsa = await closingOnThrow(upstream.socket, asking.answer(reached.desk));
  return { ...upstream, desk: reached.desk, greeting: null, tlsa };
}

async function closingOnThrow<T>(socket: Socket, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * Whoever answers is shown the client certificate before anybody judged him, so it is shown only where one we know is
 * expected: never at a first contact, and never after a refusal until the server was accepted without it.
 */
const mayShow = ({ target, hold }: TargetDesk, { tofu, now }: ApproachPlan['tools']): boolean =>
  !hold.isHolding(now()) && tofu.isEstablished({ endpoint: target.endpoint, settings: target.trust });

/** What is refused of a server before its key is judged, or in its proof, the engine would not hear of. */
export async function untilRefused<T>(
  work: Promise<T>,
  { target, tofu }: { readonly target: Target; readonly tofu: Pick<Tofu, 'refused'> },
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Refusal) tofu.refused(target.endpoint.name);
    throw error;
  }
}
