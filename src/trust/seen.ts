// What is kept of a presented key: enough to judge a policy for it again without the network. Pure.

import type { Grounds } from './standing.ts';
import type { EndpointRecord, KeyEvidence } from './record.ts';
import type { Evidence, Examined } from './evidence.ts';

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

/**
 * What can be recalled without the network: the evidence a judge would have if the key were shown again now.
 * Nothing good is assumed of a key whose certificate was never kept.
 */
export function recalled(
  grounds: Grounds,
  seen: { readonly endpoint: string; readonly spki: string; readonly evidence: KeyEvidence | null },
): Evidence {
  return {
    ...grounds,
    endpoint: seen.endpoint,
    spki: seen.spki,
    resumed: false,
    profile: seen.evidence?.legacy === true ? 'legacy' : 'modern',
    examined: examinedAgain(seen.evidence ?? unseen, grounds.now),
    anchors: 1,
    ...(seen.evidence?.corroboration === undefined ? {} : { corroboration: seen.evidence.corroboration }),
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
    ...(seen.anchor === undefined || !inDates ? {} : { anchorKeys: [seen.anchor] }),
  };
}

const unseen: KeyEvidence = {
  seenAt: 0,
  caValid: false,
  faults: [],
  chainsToAnchor: false,
  sha256: '',
  subject: '',
  issuer: '',
  names: [],
  notBefore: 0,
  notAfter: 0,
  pem: '',
};
