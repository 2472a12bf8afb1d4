// What is kept of a presented key: enough to judge a policy for it again without the network. Pure.

import type { Evidence } from './evidence.ts';
import { isCaValid } from './policy.ts';
import type { Grounds } from './standing.ts';
import type { EndpointRecord, KeyEvidence } from './record.ts';
import type { Examined } from './evidence.ts';

/** The last evidence of the presented key, null when there is no readable leaf. */
export function keyEvidenceOf(evidence: Pick<Evidence, 'examined' | 'now'>): KeyEvidence | null {
  const leaf = evidence.examined?.chain[0];
  if (evidence.examined === null || leaf === undefined) return null;
  return {
    seenAt: evidence.now,
    caValid: isCaValid(evidence),
    faults: evidence.examined.faults,
    chainsToAnchor: evidence.examined.chainsToAnchor,
    sha256: leaf.sha256,
    subject: leaf.subject,
    issuer: leaf.issuer,
    names: leaf.names.map((name) => name.value),
    notBefore: timeOf(leaf.notBefore),
    notAfter: timeOf(leaf.notAfter),
    pem: leaf.pem,
  };
}

/** The newest evidence the record holds of a key, as pin or as candidate. */
export function lastEvidence(record: EndpointRecord | null, spki: string): KeyEvidence | null {
  const known = [...(record?.pins ?? []), ...(record?.candidates ?? [])]
    .filter((entry) => entry.spki === spki)
    .flatMap((entry) => (entry.evidence === null ? [] : [entry.evidence]));
  return known.reduce<KeyEvidence | null>(
    (newest, seen) => (newest === null || seen.seenAt > newest.seenAt ? seen : newest),
    null,
  );
}

/** What can be recalled without the network: the evidence a judge would have if the key were shown again now. */
export function recalled(
  grounds: Grounds,
  seen: { readonly endpoint: string; readonly spki: string; readonly evidence: KeyEvidence },
): Evidence {
  return {
    ...grounds,
    endpoint: seen.endpoint,
    spki: seen.spki,
    resumed: false,
    examined: examinedAgain(seen.evidence, grounds.now),
    anchors: 1,
    store: 'good',
  };
}

function examinedAgain(seen: KeyEvidence, now: number): Examined {
  const inDates = seen.notBefore <= now && now <= seen.notAfter;
  return {
    caValid: seen.caValid && inDates,
    faults: seen.faults,
    chainsToAnchor: seen.chainsToAnchor,
    chain: [],
    pathNotAfter: null,
  };
}

const timeOf = (iso: string | null): number => {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(time) ? 0 : time;
};
