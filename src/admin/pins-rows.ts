// The rows of all endpoints, as operators see them. There may be a hundred thousand: what a daemon makes of them it makes
// in pieces, each row of what is remembered at that moment.

import { CommandError } from '../errors.ts';
import { Pace } from '../pace.ts';
import { hasRecord } from '../store/unread-row.ts';
import type { PinStore, StoredRecord } from '../store/pin-store.ts';
import type { Tofu } from '../tofu.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { pinsRow } from './rows.ts';
import type { PinsRow } from './shapes.ts';

export interface RowParts {
  readonly tofu: Tofu;
  readonly store: Pick<PinStore, 'sealed'>;
  readonly now: () => number;
  /** Trust settings of the configured endpoints, as they are now. */
  readonly settings: () => ReadonlyMap<string, TrustSettings>;
}

type Detail = 'list' | 'with-pem';

/** Every endpoint with a record, and every configured one, by name; all at once. */
export function pinsRows(parts: RowParts): readonly PinsRow[] {
  const settings = parts.settings();
  return namesOf(parts, settings).map((endpoint) => rowOf(parts, { endpoint, settings, detail: 'list' }));
}

/** As `pinsRows`, with turns of the event loop between. */
export async function gatherPinsRows(parts: RowParts): Promise<readonly PinsRow[]> {
  const settings = parts.settings();
  const rows: PinsRow[] = [];
  const pace = new Pace();
  for (const endpoint of namesOf(parts, settings)) {
    rows.push(rowOf(parts, { endpoint, settings, detail: 'list' }));
    if (pace.isDue) await pace.rest();
  }
  return rows;
}

export const onePinsRow = (parts: RowParts, endpoint: string, detail: Detail = 'list'): PinsRow =>
  rowOf(parts, { endpoint, settings: parts.settings(), detail });

/** @throws CommandError `not-found` */
export function pinsRowWithPem(parts: RowParts, endpoint: string): PinsRow {
  const stored = parts.tofu.stored(endpoint);
  if ((stored === null || !isKnown(stored)) && !parts.settings().has(endpoint))
    throw unknownEndpoint(endpoint);
  return onePinsRow(parts, endpoint, 'with-pem');
}

/** Of those, in order. */
export function namesOf(
  { tofu }: Pick<RowParts, 'tofu'>,
  settings: ReadonlyMap<string, TrustSettings>,
): readonly string[] {
  const names: string[] = [];
  for (const stored of tofu.records()) if (isKnown(stored)) names.push(stored.endpoint);
  for (const endpoint of settings.keys()) {
    const stored = tofu.stored(endpoint);
    if (stored === null || !isKnown(stored)) names.push(endpoint);
  }
  return names.toSorted();
}

/** A tombstone that verifies is not worth a row. */
const isKnown = (stored: StoredRecord): boolean => hasRecord(stored) || !stored.verified;

const unknownEndpoint = (endpoint: string): CommandError =>
  new CommandError('not-found', `nothing is known of ${endpoint}`, {
    hint: 'letterlock pins list shows every endpoint; write it with its port, such as imap.example.org:993.',
  });

interface Wanted {
  readonly endpoint: string;
  readonly settings: ReadonlyMap<string, TrustSettings>;
  readonly detail: Detail;
}

export const rowOf = (
  { tofu, store, now }: Omit<RowParts, 'settings'>,
  { endpoint, settings, detail }: Wanted,
): PinsRow =>
  pinsRow(endpoint, tofu.stored(endpoint), {
    now: now(),
    store: tofu.health().state,
    sealed: store.sealed(endpoint),
    settings: settings.get(endpoint) ?? null,
    reference: (spki) => tofu.reference(endpoint, spki),
    detail,
  });
