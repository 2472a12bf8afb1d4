// What is kept of a presented key: enough to judge a policy for it again without the network. Pure.

import { boundText } from './certificate.ts';
import type { Evidence, Examined } from './evidence.ts';
import { isFault, orderFaults } from './fault.ts';
import type { EndpointRecord, KeyEvidence } from './record.ts';
import type { Grounds } from './standing.ts';

const maxEvidenceNames = 50;
const maxEvidenceText = 256;

/**
 * What a record keeps of the leaf of an examination made at `now`; null when nothing was presented. Names of other
 * kinds than DNS and address carry their kind: `srv:_imaps.example.org`. Dates that could not be read are 0.
 */
export function keyEvidenceOf({
  examined,
  now,
  profile,
  corroboration,
}: Pick<Evidence, 'examined' | 'now' | 'profile' | 'corroboration'>): KeyEvidence | null {
  const leaf = examined?.chain[0];
  if (examined === null || leaf === undefined) return null;
  const names = leaf.names.slice(0, maxEvidenceNames);
  const [anchor] = examined.anchorKeys ?? [];
  return {
    seenAt: now,
    caValid: examined.caValid,
    faults: examined.faults,
    chainsToAnchor: examined.chainsToAnchor,
    sha256: leaf.sha256,
    subject: boundText(leaf.subject),
    issuer: boundText(leaf.issuer),
    names: names.map(({ type, value }) =>
      boundText(type === 'dns' || type === 'ip' ? value : `${type}:${value}`, maxEvidenceText),
    ),
    notBefore: leaf.notBefore === null ? 0 : Date.parse(leaf.notBefore),
    notAfter: leaf.notAfter === null ? 0 : Date.parse(leaf.notAfter),
    pem: leaf.pem,
    ...(profile === 'legacy' ? { legacy: true } : {}),
    ...(anchor === undefined || !examined.caValid ? {} : { anchor }),
    ...(corroboration === undefined ? {} : { corroboration }),
  };
}

/** What else than its certificate may differ between two sights of a key, and matters to a judgement. */
export const isSeenAlike = (one: KeyEvidence, other: KeyEvidence): boolean =>
  one.caValid === other.caValid && one.legacy === other.legacy && one.anchor === other.anchor;

/**
 * The newest evidence the record holds of a key, as pin or as candidate. Faults that only another version of letterlock
 * knows are as bad as a certificate that cannot be read.
 */
export function lastEvidence(record: EndpointRecord | null, spki: string): KeyEvidence | null {
  const known = [...(record?.pins ?? []), ...(record?.candidates ?? [])]
    .filter((entry) => entry.spki === spki)
    .flatMap((entry) => (entry.evidence === null ? [] : [entry.evidence]));
  const last = known.reduce<KeyEvidence | null>(
    (newest, seen) => (newest === null || seen.seenAt > newest.seenAt ? seen : newest),
    null,
  );
  return last === null || last.faults.every(isFault) ? last : { ...last, faults: legible(last.faults) };
}

const legible = (faults: KeyEvidence['faults']): KeyEvidence['faults'] =>
  orderFaults(['malformed', ...faults.filter(isFault)]);

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
