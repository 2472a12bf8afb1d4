// Keys that wait for the operator after a refusal. Whoever can reach us can present keys without end, so the
// list is bounded: the first ones and the latest ones stay, and a CA-valid key is the last to be dropped.

import type { Candidate } from './record.ts';

const maxFirstCandidates = 8;
export const maxCandidates = 16;

/** The list with `newcomer` at its end, cut to 16; the same list when the newcomer is the one to be dropped. */
export function withCandidate(list: readonly Candidate[], newcomer: Candidate): readonly Candidate[] {
  const longer = [...list, newcomer];
  if (longer.length <= maxCandidates) return longer;
  const dropped = victimAmong(longer);
  return dropped === newcomer ? list : longer.filter((candidate) => candidate !== dropped);
}

function victimAmong(list: readonly Candidate[]): Candidate | undefined {
  const first = list.slice(0, maxFirstCandidates);
  const later = list.slice(maxFirstCandidates);
  return later.find(plain) ?? first.findLast(plain) ?? later[0];
}

const plain = (candidate: Candidate): boolean => !candidate.evidence.caValid;

export const withoutCandidate = (list: readonly Candidate[], spki: string): readonly Candidate[] =>
  list.some((candidate) => candidate.spki === spki)
    ? list.filter((candidate) => candidate.spki !== spki)
    : list;
