// The first acceptance of an expected certificate: now its key is known, and a pin takes the place of what was
// imported. Pure; acceptance.ts calls it, in the step that writes the record and its audit entry together.

import { basisBeside } from './add.ts';
import { firstUseTarget, type PinTarget } from './continuity.ts';
import type { Evidence } from './evidence.ts';
import { expectationText, isSameExpectation, withExpected } from './expected.ts';
import type { EndpointRecord, Expectation, Pin } from './record.ts';
import { keyEvidenceOf } from './seen.ts';
import { shownIn, standingOf } from './standing.ts';

export interface MatchedImport {
  readonly record: EndpointRecord;
  /** For the audit entry. */
  readonly detail: string;
}

/** The record with the pin, or null when nothing that was expected of `record` was shown. */
export function matchedImport(
  record: EndpointRecord,
  { evidence, spki }: { readonly evidence: Evidence; readonly spki: string },
): MatchedImport | null {
  const { met } = standingOf({ ...evidence, record }, spki, shownIn(evidence));
  const [first] = met;
  if (first === undefined) return null;
  const rest = (record.expected ?? []).filter((one) => !met.some((fit) => isSameExpectation(fit, one)));
  const target = firstUseTarget(evidence) ?? { spki, kind: 'leaf' };
  const pins = [
    ...record.pins.filter((pin) => !isTarget(pin, target)),
    pinFor(record, { evidence, target, met }),
  ];
  const next = withExpected({ ...record, pins, basis: basisBeside(record) }, rest);
  return { record: next, detail: `it showed ${expectationText(first)}` };
}

const isTarget = (pin: Pin, { spki, kind }: PinTarget): boolean => pin.spki === spki && pin.kind === kind;

function pinFor(
  record: EndpointRecord,
  { evidence, target, met }: { evidence: Evidence; target: PinTarget; met: readonly Expectation[] },
): Pin {
  const known = record.pins.find((pin) => isTarget(pin, target));
  const ends = [...met, ...(known === undefined ? [] : [known])].map(({ until }) => until);
  const { now } = evidence;
  return {
    ...target,
    origin: 'imported',
    firstSeen: known?.firstSeen ?? now,
    lastSeen: now,
    until: ends.reduce((latest, end) => (latest === null || end === null ? null : Math.max(latest, end)), 0),
    endedAt: null,
    evidence: keyEvidenceOf(evidence),
  };
}
