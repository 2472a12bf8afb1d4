// Makes the rows operators see from records, configuration and seal. Pure: no I/O, no clock. The stricter of
// record and seal is shown, because it is what the judge goes by.

import type { SealedKeys, StoredRecord } from '../store/pin-store.ts';
import type { StoreState, TrustSettings } from '../trust/evidence.ts';
import { liveExpectations } from '../trust/expected.ts';
import { emptyRecord } from '../trust/record.ts';
import type { Candidate, EndpointRecord, Expectation, KeyEvidence, LastCa, Pin } from '../trust/record.ts';
import type {
  CandidateRow,
  EndpointState,
  ExpectedRow,
  LastCaRow,
  PinRow,
  PinsRow,
  SeenCertificate,
} from './shapes.ts';

export interface RowContext {
  readonly now: number;
  readonly store: StoreState;
  readonly sealed: SealedKeys;
  /** null for an endpoint that is not configured. */
  readonly settings: TrustSettings | null;
  readonly reference: (spki: string) => string;
  readonly detail: 'list' | 'with-pem';
}

/** The row of one endpoint; `stored` is null where nothing was ever written. */
export function pinsRow(endpoint: string, stored: StoredRecord | null, context: RowContext): PinsRow {
  const record = stored?.record ?? emptyRecord(endpoint);
  const rejected = rejectedKeys(record, context.sealed);
  const pins = [
    ...configPins(rejected, context),
    ...record.pins.map((pin) => pinRow(pin, { ...context, rejected })),
  ];
  return {
    endpoint,
    state: stateOf({ stored, record, pins, context }),
    basis: record.basis,
    ...(record.byDane === undefined ? {} : { byDane: record.byDane }),
    lastCa: record.lastCa === null ? null : lastCaRow(record.lastCa, context),
    pins,
    candidates: record.candidates.map((candidate) => candidateRow(candidate, context)),
    rejected: [...rejected],
    expected: liveExpectations(record, context.now).map(expectedRow),
  };
}

const rejectedKeys = (record: EndpointRecord, sealed: SealedKeys): ReadonlySet<string> =>
  new Set([...record.rejected.map(({ spki }) => spki), ...sealed.rejected]);

function stateOf(facts: {
  readonly stored: StoredRecord | null;
  readonly record: EndpointRecord;
  readonly pins: readonly PinRow[];
  readonly context: RowContext;
}): EndpointState {
  const { stored, record, pins, context } = facts;
  const unreadable = stored?.verified === false || (context.store === 'damaged' && stored === null);
  const named = (context.settings?.configPins.length ?? 0) > 0;
  if (unreadable && !named) return 'damaged';
  const expects = liveExpectations(record, context.now).length > 0;
  if (named || record.basis === 'pinned')
    return expects || pins.some((pin) => pin.live) ? 'pinned' : 'emptied';
  // The ratchet: an endpoint once CA-verified is in the column `ca`, basis or not.
  return record.basis === 'ca' || record.lastCa !== null ? 'ca' : 'none';
}

function configPins(rejected: ReadonlySet<string>, { settings }: RowContext): readonly PinRow[] {
  return (settings?.configPins ?? []).map((spki) => ({
    spki,
    kind: 'leaf',
    origin: 'config',
    firstSeen: null,
    lastSeen: null,
    until: null,
    live: !rejected.has(spki),
    certificate: null,
  }));
}

function pinRow(pin: Pin, context: RowContext & { readonly rejected: ReadonlySet<string> }): PinRow {
  const ends = [pin.until, pin.endedAt, context.sealed.until.get(pin.spki) ?? null].filter(
    (end) => end !== null,
  );
  const until = ends.length === 0 ? null : Math.min(...ends);
  return {
    spki: pin.spki,
    kind: pin.kind,
    origin: pin.origin,
    firstSeen: isoDate(pin.firstSeen),
    lastSeen: pin.lastSeen === null ? null : isoDate(pin.lastSeen),
    until: until === null ? null : isoDate(until),
    live: pin.endedAt === null && (until === null || until > context.now) && !context.rejected.has(pin.spki),
    ...(pin.parent === undefined ? {} : { parent: pin.parent }),
    certificate: pin.evidence === null ? null : seenCertificate(pin.evidence, context),
  };
}

const candidateRow = (candidate: Candidate, context: RowContext): CandidateRow => ({
  ref: context.reference(candidate.spki),
  spki: candidate.spki,
  seenCount: candidate.seenCount,
  firstSeen: isoDate(candidate.firstSeen),
  lastSeen: isoDate(candidate.lastSeen),
  caValid: candidate.evidence.caValid,
  faults: candidate.evidence.faults,
  reason: candidate.reason,
  certificate: seenCertificate(candidate.evidence, context),
});

const expectedRow = ({ of, algorithm, digest, importedAt, until }: Expectation): ExpectedRow => ({
  of,
  algorithm,
  digest,
  importedAt: isoDate(importedAt),
  until: until === null ? null : isoDate(until),
});

const lastCaRow = (lastCa: LastCa, { detail }: RowContext): LastCaRow => ({
  spki: lastCa.spki,
  sha256: lastCa.sha256,
  issuer: lastCa.issuer,
  notAfter: isoDate(lastCa.notAfter),
  seenAt: isoDate(lastCa.seenAt),
  ...(detail === 'with-pem' ? { pem: lastCa.pem } : {}),
});

const seenCertificate = (seen: KeyEvidence, { detail }: RowContext): SeenCertificate => ({
  sha256: seen.sha256,
  subject: seen.subject,
  issuer: seen.issuer,
  names: seen.names,
  notBefore: isoDate(seen.notBefore),
  notAfter: isoDate(seen.notAfter),
  seenAt: isoDate(seen.seenAt),
  caValid: seen.caValid,
  faults: seen.faults,
  ...(seen.corroboration === undefined ? {} : { corroboration: seen.corroboration }),
  ...(detail === 'with-pem' ? { pem: seen.pem } : {}),
});

/** The last moment a Date can hold stands for anything beyond it (a certificate may end in the year 9999999). */
export function isoDate(milliseconds: number): string {
  const bounded = Math.min(Math.max(milliseconds, -8.64e15), 8.64e15);
  return new Date(Number.isNaN(bounded) ? 0 : bounded).toISOString();
}
