// A refused key beside the one that is known: what differs, field by field, and what changed, in one sentence. It
// states facts and names the step that proves something; it never says that anything is safe, because from a
// certificate alone a renewal and an impostor who copied the names look the same. Pure. The rows of the table of
// differences hold text as the server sent it; sentences are escaped.

import { describeCertificate, readCertificates, type CertificateDescription } from './certificate.ts';
import type { Situation } from './command.ts';
import { notesOn, proofOf, sentenceOn } from './comparison-words.ts';
import type { Corroboration } from './corroboration.ts';
import { faultAdvice } from './fault-advice.ts';
import { faults, type Fault } from './fault.ts';
import type { Candidate, EndpointRecord, Pin } from './record.ts';
import { isOver, isRejected, liveKeys } from './standing.ts';

/** `pinned`: a live pin; `ca`: the last certificate a CA vouched for; `ended`: a pin that counts no more. */
export const sideBases = ['pinned', 'ca', 'ended', 'candidate'] as const;

/** One of the two keys, with the certificate last seen of it. */
export interface Side {
  readonly spki: string;
  readonly basis: (typeof sideBases)[number];
  /** null for a pinned key that was never seen, as the certificate and its PEM. */
  readonly sha256: string | null;
  readonly certificate: CertificateDescription | null;
  readonly pem: string | null;
}

export const comparedFields = [
  'key',
  'keyType',
  'subject',
  'issuer',
  'names',
  'notBefore',
  'notAfter',
  'serial',
  'signature',
  'selfSigned',
] as const;
export type ComparedField = (typeof comparedFields)[number];

export interface Difference {
  readonly field: ComparedField;
  /** null where nothing is known. */
  readonly known: string | null;
  readonly presented: string | null;
  readonly same: boolean;
}

/** A key that waits for a decision, compared. */
export interface Comparison {
  readonly endpoint: string;
  readonly ref: string;
  /** What changed, in one sentence. */
  readonly sentence: string;
  /** What else a person should know before deciding. */
  readonly notes: readonly string[];
  /** What proves that the key is the server's. */
  readonly proof: string;
  /** null where nothing was known of the endpoint. */
  readonly known: Side | null;
  readonly presented: Side;
  readonly differences: readonly Difference[];
  readonly faults: readonly { readonly code: Fault; readonly meaning: string; readonly advice: string }[];
  /** What was seen of the key from elsewhere; null where nobody looked. */
  readonly corroboration: Corroboration | null;
  /** Why it was refused when last seen. */
  readonly reason: string;
  readonly caValid: boolean;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly seenCount: number;
}

/** The same key at another endpoint. */
export interface Elsewhere {
  readonly endpoint: string;
  readonly as: 'pinned' | 'ca' | 'rejected' | 'waiting';
}

export interface Compared {
  readonly situation: Situation;
  readonly candidate: Candidate;
  readonly ref: string;
  readonly elsewhere: readonly Elsewhere[];
}

export function compare(compared: Compared): Comparison {
  const { situation, candidate, ref } = compared;
  const { evidence } = candidate;
  const known = knownSide(situation);
  const presented = sideOf(candidate.spki, 'candidate', evidence);
  const differences = differencesOf(known, presented);
  const facts = { ...compared, known, presented, differences };
  return {
    endpoint: situation.endpoint,
    ref,
    sentence: sentenceOn(facts),
    notes: notesOn(facts),
    proof: proofOf(facts),
    known,
    presented,
    differences,
    faults: evidence.faults.map((code) => ({
      code,
      meaning: faults[code].sentence,
      advice: faultAdvice[code],
    })),
    corroboration: evidence.corroboration ?? null,
    reason: candidate.reason,
    caValid: evidence.caValid,
    firstSeen: isoOf(candidate.firstSeen),
    lastSeen: isoOf(candidate.lastSeen),
    seenCount: candidate.seenCount,
  };
}

const isoOf = (at: number): string => new Date(at).toISOString();

/** Where a CA decides, what it vouched for last; else the live pin last seen; else whatever else is left of it. */
function knownSide(situation: Situation): Side | null {
  const { record, settings } = situation;
  const lastCa = record?.lastCa ?? null;
  const byCa = lastCa === null ? null : sideOf(lastCa.spki, 'ca', lastCa);
  const isCas = record?.basis === 'ca' && settings.configPins.length === 0;
  if (isCas && byCa !== null) return byCa;
  return pinnedSide(situation) ?? byCa ?? endedSide(situation);
}

function pinnedSide(situation: Situation): Side | null {
  const grounds = { ...situation, recordVerified: true };
  const live = new Set(liveKeys(grounds).map(({ spki }) => spki));
  const pin = lastSeenOf(situation.record, ({ spki }) => live.has(spki));
  if (pin !== null) return sideOf(pin.spki, 'pinned', pin.evidence);
  const [named] = live;
  return named === undefined ? null : sideOf(named, 'pinned', null);
}

function endedSide(situation: Situation): Side | null {
  const pin = lastSeenOf(
    situation.record,
    (each) => isOver(each, situation) && !isRejected(situation, each.spki),
  );
  return pin === null ? null : sideOf(pin.spki, 'ended', pin.evidence);
}

function lastSeenOf(record: EndpointRecord | null, is: (pin: Pin) => boolean): Pin | null {
  const [latest = null] = (record?.pins ?? [])
    .filter(is)
    .toSorted(
      (one, other) =>
        seenAt(other) - seenAt(one) || Number(one.evidence === null) - Number(other.evidence === null),
    );
  return latest;
}

const seenAt = ({ evidence, lastSeen }: Pin): number => lastSeen ?? evidence?.seenAt ?? -Infinity;

/** The certificate kept beside an anchor's pin is one below it: it has a key of its own, and that one is compared. */
function sideOf(
  spki: string,
  basis: Side['basis'],
  seen: { readonly sha256: string; readonly pem: string } | null,
): Side {
  const certificate = seen === null ? null : described(seen.pem);
  return {
    spki: certificate?.spki ?? spki,
    basis,
    sha256: seen?.sha256 ?? null,
    certificate,
    pem: seen?.pem ?? null,
  };
}

function described(pem: string): CertificateDescription | null {
  try {
    const [der] = readCertificates(pem);
    return der === undefined ? null : describeCertificate(der);
  } catch {
    return null;
  }
}

function differencesOf(known: Side | null, presented: Side): readonly Difference[] {
  return comparedFields.map((field) => {
    const [one, other] = [known === null ? null : valueOf(known, field), valueOf(presented, field)];
    return { field, known: one, presented: other, same: one !== null && one === other };
  });
}

function valueOf({ spki, certificate }: Side, field: ComparedField): string | null {
  if (field === 'key') return spki;
  if (certificate === null) return null;
  switch (field) {
    case 'keyType':
      return certificate.key;
    case 'names':
      return namesOf(certificate);
    case 'selfSigned':
      return certificate.faults.includes('self-signed') ? 'yes' : 'no';
    case 'subject':
    case 'issuer':
    case 'serial':
    case 'signature':
    case 'notBefore':
    case 'notAfter':
      return certificate[field];
  }
}

/** Sorted: their order says nothing. One that could be read as several, or as one of another type, is in quotes. */
const namesOf = ({ names }: CertificateDescription): string =>
  [
    ...new Set(
      names.map(({ type, value }) =>
        type === 'dns' ? unmistaken(value, /[,:"\s]/) : `${type}:${unmistaken(value, /[,"\s]/)}`,
      ),
    ),
  ]
    .toSorted()
    .join(', ');

const unmistaken = (name: string, odd: RegExp): string => (odd.test(name) ? JSON.stringify(name) : name);
