// Filters of the lists. Every word that was typed must be somewhere in the row. Pure.

import type { EndpointRow, FeedEntry } from '../wire.ts';
import { signOf } from './signs.ts';

export type EndpointFilter = 'all' | 'deciding' | 'ca' | 'pinned' | 'refused' | 'unseen';

export const matchesWords = (text: string, typed: string): boolean => {
  const hay = text.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
};

export function matchesFilter(row: EndpointRow, filter: EndpointFilter): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'deciding':
      return row.candidates > 0 || row.state === 'conflict';
    case 'ca':
      return row.state === 'ca';
    case 'pinned':
      return row.state === 'pinned';
    case 'refused':
      return row.refusing || row.state === 'emptied' || row.state === 'damaged';
    case 'unseen':
      return row.state === 'none';
  }
}

export function endpointText(row: EndpointRow): string {
  const { endpoint, routes, policy, lastVerdict } = row;
  const certificate = lastVerdict?.certificate ?? null;
  return [
    endpoint,
    ...routes,
    policy ?? '',
    signOf(row).word,
    row.state,
    lastVerdict?.reason ?? '',
    certificate?.subject ?? '',
    certificate?.issuer ?? '',
  ].join(' ');
}

export const entryText = ({ message, event, fields }: FeedEntry): string =>
  [message, event, ...Object.values(fields).map(String)].join(' ');

/** Those that need somebody first, then by name. */
export const byUrgency = (one: EndpointRow, other: EndpointRow): number =>
  urgency(other) - urgency(one) || one.endpoint.localeCompare(other.endpoint);

const urgency = (row: EndpointRow): number =>
  row.candidates > 0 ? 3 : row.state === 'conflict' || row.state === 'damaged' ? 2 : row.refusing ? 1 : 0;
