// One probe: a server is asked as a session would ask it, judged, and left again. Nobody is served: it sends no
// login, relays nothing, and teaches no more than a candidate and what a CA vouched for (see Tofu.observe).

import { Failure, Refusal } from '../errors.ts';
import { goodbyeFor } from '../mail/goodbye.ts';
import type { Judged } from '../tofu.ts';
import type { CertificateDescription } from '../trust/certificate.ts';
import type { Fault } from '../trust/fault.ts';
import { approach, untilRefused, type ApproachDesk, type Approached } from './approach.ts';
import { closedWithin } from './closing.ts';
import { detailOf, failureOf } from './ending.ts';
import type { ProbeOutcome } from './events.ts';
import { confirmProof, prove } from './prove.ts';
import type { SessionTools } from './session-tools.ts';
import { unlessAborted } from './unless-aborted.ts';

/** What a probe saw and what came of it. */
export type Sight = ProbeOutcome & {
  readonly spki: string | null;
  readonly faults: readonly Fault[];
  /** Finds the key where it was refused and is on record. */
  readonly reference: string | null;
  /** The certificate shown; null where none was, or it could not be read. */
  readonly certificate: CertificateDescription | null;
  /** Earliest end in the verified path, milliseconds; null where none verified. */
  readonly pathNotAfter: number | null;
  /** What the world said, escaped and bounded. */
  readonly detail: string | null;
};

export interface ProbePlan {
  readonly tools: SessionTools;
  readonly signal: AbortSignal;
}

/** Never rejects. `desk` has the one server that is asked. An aborted one has failed; whoever aborted it knows why. */
export async function probeServer(desk: ApproachDesk, plan: ProbePlan): Promise<Sight> {
  let judged: Judged | null = null;
  try {
    const approached = await approach(desk, { ...plan, admitted: () => undefined });
    try {
      judged = await judge(approached, plan);
      await proveIt(approached, { desk, judged, plan });
      await leave(approached, { desk, plan });
    } finally {
      // The TLS socket only, the raw one follows.
      approached.socket.destroy();
    }
    return sightOf(judged, acceptedAs(judged), null);
  } catch (error) {
    return sightOf(judged, outcomeOf(error, judged), detailOf(error));
  }
}

/** A reload in this very tick: what it would be judged by may have gone. */
async function judge({ peer, desk, tlsa }: Approached, { tools, signal }: ProbePlan): Promise<Judged> {
  signal.throwIfAborted();
  const { target, anchors } = desk;
  const asked = { endpoint: target.endpoint, settings: target.trust, peer, anchors, tlsa };
  return unlessAborted(tools.tofu.observe({ ...asked, by: 'probe' }), signal);
}

interface Proving {
  readonly desk: ApproachDesk;
  readonly judged: Judged;
  readonly plan: ProbePlan;
}

/** Throws what a session would end with: a refusal, or a failure of a server that does not speak as it should. */
async function proveIt(approached: Approached, { desk, judged, plan }: Proving): Promise<void> {
  const { verdict } = judged;
  if (!verdict.accept) throw new Refusal(verdict.reason, undefined, { cause: new Error(verdict.why) });
  const { tofu, timing } = plan.tools;
  const proof = prove(approached.socket, desk.route, {
    sieveProofMs: timing.sieveProofMs,
    signal: plan.signal,
  });
  const greeting = await untilRefused(proof, { target: approached.desk.target, tofu });
  confirmProof(greeting, verdict);
}

/** Politely, so that no server's log complains of a lost connection. What it answers is not read. */
async function leave({ socket }: Approached, { desk, plan }: Omit<Proving, 'judged'>): Promise<void> {
  const words = goodbyeFor(desk.route.protocol);
  if (words !== null && socket.writable) socket.write(words);
  socket.end();
  socket.resume();
  await closedWithin([socket], { ms: plan.tools.timing.probeLeaveMs, signal: plan.signal });
}

function acceptedAs({ verdict }: Judged): ProbeOutcome {
  if (!verdict.accept) throw new TypeError('what was refused is told as refused');
  return { result: 'accepted', verdict: verdict.basis, reason: null };
}

function outcomeOf(error: unknown, judged: Judged | null): ProbeOutcome {
  if (error instanceof Refusal) return { result: 'refused', verdict: 'refused', reason: error.code };
  const verdict = judged?.verdict.accept === true ? judged.verdict.basis : null;
  return { result: 'failed', verdict, reason: error instanceof Failure ? failureOf(error) : 'internal' };
}

function sightOf(judged: Judged | null, outcome: ProbeOutcome, detail: string | null): Sight {
  const examined = judged?.evidence.examined;
  return {
    ...outcome,
    spki: judged?.evidence.spki ?? null,
    faults: examined?.faults ?? [],
    reference: outcome.result === 'refused' ? (judged?.reference ?? null) : null,
    certificate: examined?.chain[0] ?? null,
    pathNotAfter: examined?.pathNotAfter ?? null,
    detail,
  };
}
