// What a verdict teaches: from the evidence judged to the next record, with its audit entries. Pure. Learns
// nothing from a store that is not whole, and never turns a refusal into anything but a candidate.

import type { RefusalReason } from '../errors.ts';
import { learnAccepted, noteAccepted } from './acceptance.ts';
import { withCandidate } from './candidates.ts';
import { entry, finish, startFrom, type Draft, type Lesson, type Scene } from './draft.ts';
import type { Evidence, Refused, Verdict } from './evidence.ts';
import { expire } from './expiry.ts';
import { emptyRecord, type EndpointRecord, type KeyEvidence } from './record.ts';
import { isSeenAlike, keyEvidenceOf } from './seen.ts';

/** What this verdict changes in the record; null when nothing does. */
export function learn(evidence: Evidence, verdict: Verdict): Lesson | null {
  if (evidence.store !== 'good' || !evidence.recordVerified || evidence.spki === null) return null;
  const draft = expire(startFrom(evidence.record ?? emptyRecord(evidence.endpoint)), evidence.now);
  const lesson = verdict.accept
    ? learnAccepted(draft, { evidence, verdict, spki: evidence.spki })
    : learnRefused(draft, { evidence, verdict, spki: evidence.spki });
  return finish(lesson, evidence.record);
}

/**
 * What is learnt of a server that nobody is served by, as of one that a probe asked: a refused key waits for the operator, and what a
 * CA vouches for is kept for later comparison. Never a pin, a basis, an end or a change of epoch, whatever the verdict.
 */
export function learnUnserved(evidence: Evidence, verdict: Verdict): Lesson | null {
  if (evidence.store !== 'good' || !evidence.recordVerified || evidence.spki === null) return null;
  const draft = startFrom(evidence.record ?? emptyRecord(evidence.endpoint));
  const lesson = verdict.accept
    ? noteAccepted(draft, { evidence, verdict, spki: evidence.spki })
    : learnRefused(draft, { evidence, verdict, spki: evidence.spki });
  return finish(lesson, evidence.record);
}

/** Refusals that an operator can answer by approving the key. */
const answerable: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'pin-mismatch',
  'pins-spent',
  'ca-invalid',
  'ca-lost',
  'not-pinned',
  'first-use-off',
  'first-use-held',
  'first-use-unsafe',
  'legacy-unpinned',
  'dane-mismatch',
]);

/** Does a refusal for this reason leave a candidate? */
export const leavesCandidate = (reason: RefusalReason): boolean => answerable.has(reason);

function learnRefused(draft: Draft, { evidence, verdict, spki }: Scene<Refused>): Draft {
  const seen = keyEvidenceOf(evidence);
  if (seen === null || !leavesCandidate(verdict.reason)) return draft;
  const { candidates } = draft.record;
  const known = candidates.find((candidate) => candidate.spki === spki);
  if (known !== undefined) {
    const { evidence: before, reason } = known;
    const alike = before.sha256 === seen.sha256 && isSeenAlike(before, seen) && !saysMore(before, seen);
    if (alike && reason === verdict.reason) return draft;
    const fresh = { ...known, evidence: seen, reason: verdict.reason, lastSeen: evidence.now };
    return withList(
      draft,
      candidates.map((candidate) => (candidate === known ? fresh : candidate)),
    );
  }
  const times = { firstSeen: evidence.now, lastSeen: evidence.now, seenCount: 1 };
  const list = withCandidate(candidates, { spki, ...times, reason: verdict.reason, evidence: seen });
  if (list === candidates) return draft;
  const told = entry(evidence.endpoint, evidence.now, ['candidate', spki, verdict.reason]);
  return { ...withList(draft, list), audit: [...draft.audit, told] };
}

/** It was looked at from elsewhere since, and something else was seen. */
const saysMore = ({ corroboration: before }: KeyEvidence, { corroboration: now }: KeyEvidence): boolean =>
  now !== undefined && JSON.stringify(now) !== JSON.stringify(before);

const withList = (draft: Draft, candidates: EndpointRecord['candidates']): Draft => ({
  ...draft,
  record: { ...draft.record, candidates },
});
