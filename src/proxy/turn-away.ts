// How a client is turned away: what it is told, in words of its own protocol, and what log and metrics call it. It decides
// nothing: whoever calls has closed the server's side, or never had one.

import { Refusal, refusals } from '../errors.ts';
import { failureSentence, refusalSentence } from '../trust/refusal.ts';
import { ClientRejected, type ClientLeg } from './client-leg.ts';
import type { ConnectionId } from './connection-id.ts';
import { detailOf, failureOf, type Ending } from './ending.ts';
import type { Inquiry } from './inquiry.ts';
import type { RouteDesk } from './route-desk.ts';
import { say, type Message } from './say.ts';
import type { Timing } from './timing.ts';

export interface TurningAway {
  readonly id: ConnectionId;
  readonly leg: ClientLeg;
  readonly desk: RouteDesk;
  readonly inquiry: Inquiry;
  readonly timing: Timing;
  /** Of the session; its reason is why it was interrupted. */
  readonly signal: AbortSignal;
  /** A client that was greeted has heard that all is well; what is said now would be taken for an answer. */
  readonly isGreeted: boolean;
}

export async function turnAway(error: unknown, away: TurningAway): Promise<Ending> {
  const { leg, desk, inquiry } = away;
  const { aborted, reason: interruption } = away.signal;
  // A refusal stands, also when the client does not wait for it.
  const cause: unknown = aborted && !(error instanceof Refusal) ? interruption : error;
  const detail = detailOf(cause);
  if (cause instanceof Refusal) return refuse(cause, detail, away);
  if (cause instanceof ClientRejected) {
    leg.reset();
    return { outcome: 'rejected', reason: cause.rejection, said: null, detail };
  }
  const reason = failureOf(cause);
  if (reason === 'client') {
    leg.reset();
    return { outcome: 'failed', reason, said: null, detail };
  }
  desk.state = 'failing';
  const text = failureSentence(inquiry.target.target.endpoint, { reason, connection: away.id });
  const said = await saidTo({ kind: 'failure', permanence: 'temporary', text }, away);
  return { outcome: 'failed', reason, said, detail };
}

async function refuse(refusal: Refusal, detail: string | null, away: TurningAway): Promise<Ending> {
  const { desk, inquiry, id } = away;
  const reason = refusal.code;
  const { permanence } = refusals[reason];
  desk.state = 'refusing';
  const facts = await inquiry.remember(reason);
  const text = refusalSentence(inquiry.target.target.endpoint, { ...facts, connection: id });
  const said = await saidTo({ kind: 'refusal', permanence, text }, away);
  return { outcome: 'refused', reason, said, detail };
}

async function saidTo(message: Message, away: TurningAway): Promise<string | null> {
  const { leg, desk, timing, signal } = away;
  if (!away.isGreeted) return say(leg, message, { desk, timing, signal });
  leg.reset();
  return null;
}
