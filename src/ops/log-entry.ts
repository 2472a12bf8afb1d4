// What the log says of each event of the proxy. Fields are named one by one, so that nothing an event may carry
// tomorrow slips into a log.

import type { ProxyEvent } from '../proxy/events.ts';
import { entryOf, isoDate, type LogEntry } from './entry-of.ts';
import { probeEntry } from './probe-entry.ts';
import { sessionEntry } from './session-entry.ts';
import { trustEntry } from './trust-entry.ts';

export type { LogEntry } from './entry-of.ts';

/** The entry for an event, level included; which levels are written is the log's business. */
export function logEntry(event: ProxyEvent): LogEntry {
  switch (event.type) {
    case 'judged':
    case 'pin-changed':
    case 'certificate-renewed':
    case 'retiring-key-in-use':
    case 'key-untrusted':
    case 'store-operation':
    case 'store-health':
      return trustEntry(event);
    case 'session-started':
    case 'dialled':
    case 'tlsa-looked-up':
    case 'handshaken':
    case 'corroborated':
    case 'greeted':
    case 'carried':
    case 'session-revoked':
    case 'session-ended':
      return sessionEntry(event);
    case 'probed':
      return probeEntry(event);
    case 'listening':
    case 'listen-skipped':
    case 'reloaded':
    case 'crl-reloaded':
    case 'hook-delivered':
    case 'dashboard-opened':
    case 'warning':
      return serviceEntry(event);
  }
}

/** These are for whoever debugs, always: unless somebody does, no entry need be made of them. */
const quiet: ReadonlySet<ProxyEvent['type']> = new Set<ProxyEvent['type']>([
  'judged',
  'session-started',
  'dialled',
  'tlsa-looked-up',
  'handshaken',
  'greeted',
  'carried',
]);

export const isQuiet = ({ type }: ProxyEvent): boolean => quiet.has(type);

/** The same, made once for listeners that hear of an event one after the other. */
export function sharedEntries(): typeof logEntry {
  let last: { readonly event: ProxyEvent; readonly entry: LogEntry } | null = null;
  return (event) => {
    if (last?.event !== event) last = { event, entry: logEntry(event) };
    return last.entry;
  };
}

type ServiceEvent = Extract<
  ProxyEvent,
  {
    readonly type:
      | 'listening'
      | 'listen-skipped'
      | 'reloaded'
      | 'crl-reloaded'
      | 'hook-delivered'
      | 'dashboard-opened'
      | 'warning';
  }
>;

function serviceEntry(event: ServiceEvent): LogEntry {
  switch (event.type) {
    case 'listening': {
      const { route, address, upstream } = event;
      return entryOf(event.type, 'info', {
        message: `${route} listens on ${address} for ${upstream}`,
        fields: { route, address, upstream },
      });
    }
    case 'listen-skipped': {
      const { route, address, cause } = event;
      return entryOf(event.type, 'info', {
        message: `${route} does not listen on ${address}: ${cause}`,
        fields: { route, address, cause },
      });
    }
    case 'reloaded':
      return entryOf(event.type, event.ok ? 'info' : 'error', {
        message: event.ok
          ? 'configuration reloaded'
          : 'the new configuration has problems; the old one stays in force',
        fields: { ok: event.ok, problems: event.problems },
      });
    case 'crl-reloaded':
      return entryOf(event.type, 'info', { message: 'revocation lists read again' });
    case 'hook-delivered':
      return hookDelivered(event);
    case 'dashboard-opened': {
      const { scope, until } = event;
      return entryOf(event.type, 'info', {
        message: `the page was opened in a browser (${scope})`,
        fields: { scope, until: isoDate(until) },
      });
    }
    case 'warning':
      return entryOf(event.type, 'warn', { message: event.message, fields: { code: event.code } });
  }
}

/** Under a storm of events thousands are dropped: that is summed up in a warning, and each is for debugging. */
function hookDelivered(event: Extract<ProxyEvent, { readonly type: 'hook-delivered' }>): LogEntry {
  const { hook, result, attempts, detail } = event;
  return entryOf(event.type, result === 'failed' ? 'warn' : 'debug', {
    message:
      result === 'failed' ? `hook ${hook} failed: ${detail ?? 'no detail'}` : `hook ${hook}: ${result}`,
    fields: { hook, result, attempts, detail },
  });
}
