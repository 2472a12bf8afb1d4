// Why something was refused or accepted, step by step, and what a person can do. Says only what the record,
// the settings and the code table say. Text from certificates comes as the server sent it, made printable.

import {
  clientRejections,
  failures,
  isClientRejection,
  isFailure,
  isMisuse,
  isRefusal,
  misuses,
  refusals,
  type RefusalReason,
} from '../errors.ts';
import { dateOf } from './answer.ts';
import { escapeText } from './escape.ts';
import { readCertificates } from './certificate.ts';
import type { Situation } from './command.ts';
import { pinsAnchors } from './continuity.ts';
import { asksDane } from './evidence.ts';
import type { Verdict } from './evidence.ts';
import { expectationText, liveExpectations } from './expected.ts';
import { faultAdvice } from './fault-advice.ts';
import { faults, isFault, type Fault } from './fault.ts';
import { interceptorOf } from './interceptor.ts';
import { evidenceOf } from './known-key.ts';
import { parseCertificate } from './parsed-certificate.ts';
import { judge } from './policy.ts';
import { leavesCandidate } from './learn.ts';
import type { KeyEvidence, Pin } from './record.ts';
import { recalled } from './seen.ts';
import { isKnownByDane, isOver, isRejected, standingOf } from './standing.ts';

/** An explanation for people. `summary` is one sentence. */
export interface Explanation {
  readonly target: string;
  readonly kind: 'code' | 'reference' | 'endpoint';
  readonly endpoint: string | null;
  readonly spki: string | null;
  readonly summary: string;
  readonly steps: readonly string[];
  readonly advice: readonly string[];
}

/** What the code of a refusal, a failure, a closed client or a fault means; null for any other word. Needs no store and no daemon. */
export function explainCode(target: string): Explanation | null {
  const code = target.trim().toLowerCase();
  const meaning = meaningOf(code);
  if (meaning === null) return null;
  const { sentence, steps, advice } = meaning;
  return {
    target,
    kind: 'code',
    endpoint: null,
    spki: null,
    summary: `${code}: ${sentence}`,
    steps,
    advice,
  };
}

interface Meaning extends Pick<Explanation, 'steps' | 'advice'> {
  readonly sentence: string;
}

function meaningOf(code: string): Meaning | null {
  if (isRefusal(code)) return meaningOfRefusal(refusals[code]);
  if (isFailure(code)) {
    const { cause, advice } = failures[code];
    const steps = ['That is no verdict on the server, and nothing was learnt from it.'];
    return { sentence: `letterlock could not reach the server: ${cause}.`, steps, advice: [advice] };
  }
  if (isClientRejection(code)) {
    const { cause, advice } = clientRejections[code];
    const steps = ['The client was closed without an answer; nothing it sent went to a server.'];
    return { sentence: `letterlock closed a client: ${cause}.`, steps, advice: [advice] };
  }
  if (isMisuse(code)) {
    const { cause, advice } = misuses[code];
    return {
      sentence: `a program made a mistake: ${cause}.`,
      steps: ['Nothing was sent.'],
      advice: [advice],
    };
  }
  return isFault(code) ? meaningOfFault(code) : null;
}

function meaningOfRefusal({ cause, advice, permanence }: (typeof refusals)[RefusalReason]): Meaning {
  const decided = 'letterlock decided not to relay; no byte of the mail client was sent to the server.';
  const passes =
    permanence === 'temporary'
      ? 'This may pass by itself.'
      : 'This does not pass by itself: a person has to look.';
  return {
    sentence: `letterlock refused the server: ${cause}.`,
    steps: [decided, passes],
    advice: [advice],
  };
}

function meaningOfFault(code: Fault): Meaning {
  const { sentence, blocks } = faults[code];
  const effect =
    blocks === 'ca'
      ? 'Such a certificate is never CA-verified.'
      : 'Such a certificate is never CA-verified and never a first use.';
  return { sentence, steps: [effect], advice: [faultAdvice[code]] };
}

/** Why the key with this reference is trusted or not. */
export function explainKey(target: string, spki: string, situation: Situation): Explanation {
  const evidence = evidenceOf(situation, spki);
  const verdict = verdictNow(spki, { situation, evidence });
  return {
    target,
    kind: 'reference',
    endpoint: situation.endpoint,
    spki,
    summary: `The key ${spki} of ${situation.endpoint} ${outcomeOf(verdict)}.`,
    steps: [
      ...standingSteps(situation),
      ...keySteps(spki, { situation, evidence }),
      `Verdict: ${verdict.why}`,
    ],
    advice: adviceFor(verdict, { situation, spki }),
  };
}

/** How an endpoint stands: what decides, which keys count, which wait. */
export function explainEndpoint(situation: Situation): Explanation {
  const { record, endpoint } = situation;
  const waiting = record?.candidates ?? [];
  const steps = [
    ...standingSteps(situation),
    ...(record?.pins ?? []).map((pin) => pinStep(pin, situation)),
    ...(record?.rejected ?? []).map(
      (rejection) => `Rejected: ${rejection.spki}, since ${dateOf(rejection.at)}.`,
    ),
    ...waiting.map(
      (candidate) =>
        `Waiting: ${candidate.spki}, refused as ${candidate.reason}, last seen ${dateOf(candidate.lastSeen)}.`,
    ),
  ];
  const latest = waiting.at(-1);
  const advice =
    latest === undefined
      ? ['Nothing waits for a decision.']
      : adviceFor(verdictNow(latest.spki, { situation, evidence: latest.evidence }), {
          situation,
          spki: latest.spki,
        });
  return {
    target: endpoint,
    kind: 'endpoint',
    endpoint,
    spki: null,
    summary: summaryOf(situation),
    steps,
    advice,
  };
}

interface Sight {
  readonly situation: Situation;
  readonly evidence: KeyEvidence | null;
}

function verdictNow(spki: string, { situation, evidence }: Sight): Verdict {
  const grounds = { ...situation, recordVerified: true };
  return judge(recalled(grounds, { endpoint: situation.endpoint, spki, evidence }));
}

function outcomeOf(verdict: Verdict): string {
  if (!verdict.accept) return `is refused: ${refusals[verdict.reason].cause} (${verdict.reason})`;
  switch (verdict.basis) {
    case 'ca':
      return 'is accepted because a trusted CA vouches for it';
    case 'pin':
      return 'is accepted because it is pinned';
    case 'dane':
      return 'is accepted because DANE vouches for it';
    case 'first-use':
      return 'would be pinned on first use';
  }
}

function standingSteps(situation: Situation): readonly string[] {
  const { record, settings, endpoint, now } = situation;
  const dane = settings.policy === 'auto' && settings.dane === 'prefer' ? ', dane: prefer' : '';
  const policy = `The policy of ${endpoint} is trust: ${settings.policy}, firstUse: ${settings.firstUse}${dane}.`;
  const configured =
    settings.configPins.length === 0 ? [] : [`The configuration pins ${settings.configPins.join(', ')}.`];
  const expected = liveExpectations(record, now).map(
    (one) => `Expected by an import, and not seen yet: ${expectationText(one)}.`,
  );
  const asked = asksDane(settings) ? ['What DANE says now is not asked here: letterlock inspect does.'] : [];
  return [policy, ...configured, basisStep(situation), ...expected, ...asked];
}

function basisStep(situation: Situation): string {
  const { record } = situation;
  if (isKnownByDane({ ...situation, recordVerified: true }))
    return 'It is known by DANE alone: without a proven TLSA record no key counts.';
  switch (record?.basis ?? 'none') {
    case 'none':
      return record?.lastCa == null
        ? 'No key was ever trusted for it.'
        : 'It was CA-verified before, so it never falls back to an unverified first use.';
    case 'ca':
      return 'It is known as CA-verified: the CA decides, and never a first use without one.';
    case 'pinned':
      return 'It is known by pinned keys: only those count.';
  }
}

function pinStep(pin: Pin, situation: Situation): string {
  const from = pin.parent === undefined ? '' : `, handed over by ${pin.parent}`;
  const since = `${pin.origin}${from}, first seen ${dateOf(pin.firstSeen)}`;
  const what = pin.kind === 'anchor' ? 'Pin of the anchor' : 'Pin';
  if (isRejected(situation, pin.spki)) return `${what} ${pin.spki} (${since}) was rejected.`;
  if (isOver(pin, situation)) return `${what} ${pin.spki} (${since}) has ended.`;
  return `${what} ${pin.spki} (${since}) counts${pin.until === null ? '' : ` until ${dateOf(pin.until)}`}.`;
}

function keySteps(spki: string, { situation, evidence }: Sight): readonly string[] {
  const anchor = evidence?.anchor;
  const shown = { anchorKeys: anchor === undefined ? [] : [anchor] };
  const standing = standingOf({ ...situation, recordVerified: true }, spki, shown);
  const pins = (situation.record?.pins ?? []).map((pin) => pinStep(pin, situation));
  const marks = standing.rejected
    ? ['This key was rejected.']
    : standing.live
      ? [
          pinsAnchors(situation.settings)
            ? 'Its anchor, or the key itself, is pinned.'
            : 'This key is pinned.',
        ]
      : ['This key is not pinned.'];
  return [
    ...pins,
    ...marks,
    ...(evidence === null ? ['Its certificate was not kept.'] : certificateSteps(evidence)),
  ];
}

function certificateSteps(evidence: KeyEvidence): readonly string[] {
  const names =
    evidence.names.length === 0 ? 'no name' : evidence.names.slice(0, 8).map(escapeText).join(', ');
  return [
    `Its certificate, last seen ${dateOf(evidence.seenAt)}: ${escapeText(evidence.subject)}, for ${names}, ` +
      `issued by ${escapeText(evidence.issuer)}, valid ${dateOf(evidence.notBefore)} to ${dateOf(evidence.notAfter)}.`,
    `SHA-256 of the certificate: ${evidence.sha256}.`,
    evidence.caValid ? 'A trusted CA vouched for it.' : 'No trusted CA vouched for it.',
    ...evidence.faults.map((fault) => `${fault}: ${faults[fault].sentence}`),
    ...interceptorSteps(evidence),
  ];
}

function interceptorSteps({ faults: found, pem }: KeyEvidence): readonly string[] {
  const product = found.includes('known-interceptor') ? productOf(pem) : null;
  return product === null ? [] : [`It looks like that of ${product}.`];
}

/** What made the certificate that was kept; null where that is not known from it alone. */
export function productOf(pem: string): string | null {
  try {
    return interceptorOf(readCertificates(pem).slice(0, 1).map(parseCertificate))?.product ?? null;
  } catch {
    return null;
  }
}

function adviceFor(
  verdict: Verdict,
  { situation, spki }: { readonly situation: Situation; readonly spki: string },
): readonly string[] {
  if (verdict.accept) return ['There is nothing to do.'];
  const command = `letterlock pins approve ${situation.endpoint} --expect ${spki}`;
  const advice = refusals[verdict.reason].advice;
  if (verdict.reason === 'key-rejected')
    return [advice, `If the rejection was a mistake: ${command} --unreject`];
  const approvable = leavesCandidate(verdict.reason) && verdict.reason !== 'ca-invalid';
  return approvable ? [advice, `Only when you have compared the fingerprint: ${command}`] : [advice];
}

function summaryOf(situation: Situation): string {
  const { record, endpoint } = situation;
  const waiting = record?.candidates.length ?? 0;
  const queue =
    waiting === 0 ? '' : `; ${waiting} refused ${waiting === 1 ? 'key waits' : 'keys wait'} for a decision`;
  const { column } = standingOf({ ...situation, recordVerified: true }, '');
  switch (column) {
    case 'none':
      return `${endpoint} is not known yet${queue}.`;
    case 'ca':
      return `${endpoint} is CA-verified${queue}.`;
    case 'live':
    case 'unknown':
      return `${endpoint} is pinned${queue}.`;
    case 'emptied':
      if (isKnownByDane({ ...situation, recordVerified: true }))
        return `${endpoint} is known by DANE alone${queue}.`;
      return `${endpoint} is pinned, and no pin counts any more${queue}.`;
  }
}
