// A record on its way to the next one: what changed so far, the audit entries of it, and whether it has to be durable
// before anybody relies on it. Pure; entries are made in the step that changes the record, so that none is forgotten.

import type { AuditEntry, PinChangeEvent } from './change.ts';
import type { Evidence, Verdict } from './evidence.ts';
import type { EndpointRecord } from './record.ts';

export interface Lesson {
  readonly record: EndpointRecord;
  /** Empty for what is no change of trust: sightings and evidence for later comparison. */
  readonly audit: readonly AuditEntry[];
  /** The change must be durable before anything is vouched for on the strength of it. */
  readonly durable: boolean;
}

export interface Draft {
  readonly record: EndpointRecord;
  readonly audit: readonly AuditEntry[];
  /** Trust changed: the epoch moves, and that must be durable. */
  readonly moved: boolean;
  /** Trust did not change, and it must be durable all the same. */
  readonly durable: boolean;
}

export const startFrom = (record: EndpointRecord): Draft => ({
  record,
  audit: [],
  moved: false,
  durable: false,
});

/** The lesson of a draft; null when nothing differs from `before`. */
export function finish(draft: Draft, before: EndpointRecord | null): Lesson | null {
  const { record, audit, moved } = draft;
  if (record === before || (before === null && isBlank(record))) return null;
  return {
    record: moved ? { ...record, epoch: record.epoch + 1 } : record,
    audit,
    durable: draft.durable || moved,
  };
}

const isBlank = (record: EndpointRecord): boolean =>
  record.basis === 'none' && record.candidates.length === 0 && record.lastCa === null;

/** What is learnt, from what was judged. */
export interface Scene<V extends Verdict> {
  readonly evidence: Evidence;
  readonly verdict: V;
  readonly spki: string;
}

/** The draft with these fields changed: trust moves, and one entry tells of it. */
export function change(
  draft: Draft,
  fields: Partial<EndpointRecord>,
  { at, told }: { readonly at: number; readonly told: readonly [PinChangeEvent, string, string] },
): Draft {
  return {
    ...draft,
    record: { ...draft.record, ...fields },
    audit: [...draft.audit, entry(draft.record.endpoint, at, told)],
    moved: true,
  };
}

export const entry = (
  endpoint: string,
  at: number,
  [event, spki, detail]: readonly [PinChangeEvent, string | null, string],
): AuditEntry => ({
  at,
  endpoint,
  event,
  origin: 'proxy',
  spki,
  detail,
});
