// Why something was refused or accepted, step by step, and what a person can do. Says only what the record,
// the settings and the code table say. Text from certificates comes as the server sent it, made printable.

import { refusals } from '../errors.ts';
import { dateOf } from './answer.ts';
import { escapeText } from './escape.ts';
import { readCertificates } from './certificate.ts';
import type { Situation } from './command.ts';
import { pinsAnchors } from './continuity.ts';
import { asksDane } from './evidence.ts';
import type { Verdict } from './evidence.ts';
import { expectationText, liveExpectations } from './expected.ts';
import type { Decision, Explanation } from './explanation.ts';
import { faults } from './fault.ts';
import { interceptorOf } from './interceptor.ts';
import { evidenceOf } from './known-key.ts';
import { parseCertificate } from './parsed-certificate.ts';
import { deliberate } from './policy.ts';
import { leavesCandidate } from './learn.ts';
import type { KeyEvidence, Pin } from './record.ts';
import { recalled } from './seen.ts';
import { isKnownByDane, isOver, isRejected, standingOf } from './standing.ts';

/** Why the key with this reference is trusted or not. */
export function explainKey(target: string, spki: string, situation: Situation): Explanation {
  const evidence = evidenceOf(situation, spki);
  const { verdict, decision } = decisionNow(spki, { situation, evidence });
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
    advice: adviceFor(verdict, situation.endpoint),
    decision,
    code: null,
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
      : adviceFor(decisionNow(latest.spki, { situation, evidence: latest.evidence }).verdict, endpoint);
  const shown = lastShown(situation);
  return {
    target: endpoint,
    kind: 'endpoint',
    endpoint,
    spki: null,
    summary: summaryOf(situation),
    steps,
    advice,
    decision:
      shown === null
        ? null
        : decisionNow(shown, { situation, evidence: evidenceOf(situation, shown) }).decision,
    code: null,
  };
}

/** The key that was shown last, refused or not; null where none ever was. */
function lastShown({ record }: Situation): string | null {
  const lastCa = record?.lastCa ?? null;
  const seen = [
    ...(record?.candidates ?? []),
    ...(record?.pins ?? []),
    ...(lastCa === null ? [] : [{ spki: lastCa.spki, lastSeen: lastCa.seenAt }]),
  ].flatMap(({ spki, lastSeen }) => (lastSeen === null ? [] : [{ spki, lastSeen }]));
  return seen.toSorted((one, other) => other.lastSeen - one.lastSeen)[0]?.spki ?? null;
}

interface Sight {
  readonly situation: Situation;
  readonly evidence: KeyEvidence | null;
}

/** What the judge says of the key by what is remembered and configured now, and how it comes to that. */
function decisionNow(
  spki: string,
  { situation, evidence }: Sight,
): { readonly verdict: Verdict; readonly decision: Decision } {
  const grounds = { ...situation, recordVerified: true };
  const { verdict, steps } = deliberate(recalled(grounds, { endpoint: situation.endpoint, spki, evidence }));
  const decision: Decision = {
    spki,
    verdict: verdict.accept ? 'accepted' : 'refused',
    basis: verdict.accept ? verdict.basis : null,
    reason: verdict.accept ? null : verdict.reason,
    why: verdict.why,
    steps,
  };
  return { verdict, decision };
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

/** No command in it names a key: what is approved has to come from elsewhere than from here. */
function adviceFor(verdict: Verdict, endpoint: string): readonly string[] {
  if (verdict.accept) return ['There is nothing to do.'];
  const advice = refusals[verdict.reason].advice.replaceAll('ENDPOINT', () => endpoint);
  const approvable = leavesCandidate(verdict.reason) && verdict.reason !== 'ca-invalid';
  const isSaid = !approvable || advice.includes('pins approve');
  return isSaid
    ? [advice]
    : [
        advice,
        `When its fingerprint is the one the operator names: letterlock pins approve ${endpoint} --expect FINGERPRINT`,
      ];
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
