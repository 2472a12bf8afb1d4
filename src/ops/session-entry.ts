// What the log says of connections, from the first byte to the one line at the end.

import type { ProxyEvent } from '../proxy/events.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import { entryOf, toMicroseconds, type LogEntry } from './entry-of.ts';
import type { LogLevel } from './log-events.ts';

type Of<T extends ProxyEvent['type']> = Extract<ProxyEvent, { readonly type: T }>;

/** Pinned is never worded like CA-verified (RFC 8314 section 5.4). */
export const bases: Readonly<Record<AcceptBasis, string>> = {
  ca: 'verified by a CA',
  pin: 'pinned key, no CA involved',
  dane: 'verified by DANE',
  'first-use': 'key pinned on first use, nobody verified it',
};

export function sessionEntry(
  event: Of<
    | 'session-started'
    | 'dialled'
    | 'tlsa-looked-up'
    | 'handshaken'
    | 'corroborated'
    | 'greeted'
    | 'carried'
    | 'session-revoked'
    | 'session-ended'
  >,
): LogEntry {
  switch (event.type) {
    case 'session-started': {
      const { session, route, protocol, endpoint } = event;
      return entryOf(event.type, 'debug', {
        message: `client on ${route}`,
        fields: { session, route, protocol, endpoint },
      });
    }
    case 'dialled':
    case 'tlsa-looked-up':
    case 'handshaken':
      return towardsServer(event);
    case 'corroborated':
      return corroborated(event);
    case 'greeted':
    case 'carried':
      return towardsClient(event);
    case 'session-revoked': {
      const { session, endpoint, spki } = event;
      return entryOf(event.type, 'warn', {
        message: `session with ${endpoint} reset: its key is no longer trusted`,
        fields: { session, endpoint, spki },
      });
    }
    case 'session-ended':
      return sessionEnded(event);
  }
}

function towardsServer(event: Of<'dialled' | 'tlsa-looked-up' | 'handshaken'>): LogEntry {
  const { session, endpoint } = event;
  const seconds = toMicroseconds(event.seconds);
  switch (event.type) {
    case 'dialled':
      return entryOf(event.type, 'debug', {
        message: `dialled ${endpoint}: ${event.result}`,
        fields: { session, endpoint, result: event.result, seconds },
      });
    case 'tlsa-looked-up':
      return entryOf(event.type, 'debug', {
        message: `TLSA records of ${endpoint}: ${event.result}`,
        fields: { session, endpoint, result: event.result, seconds },
      });
    case 'handshaken':
      return entryOf(event.type, 'debug', {
        message: `TLS with ${endpoint}`,
        fields: { session, endpoint, version: event.version, seconds },
      });
  }
}

function towardsClient(event: Of<'greeted' | 'carried'>): LogEntry {
  const { session, route } = event;
  switch (event.type) {
    case 'greeted':
      return entryOf(event.type, 'debug', {
        message: `client on ${route} greeted`,
        fields: { session, route, seconds: toMicroseconds(event.seconds) },
      });
    case 'carried': {
      const { bytesUp, bytesDown } = event;
      return entryOf(event.type, 'debug', {
        message: `bytes relayed on ${route}`,
        fields: { session, route, bytesUp, bytesDown },
      });
    }
  }
}

function corroborated(event: Of<'corroborated'>): LogEntry {
  const { session, endpoint, spki, agreed, differing, unreached } = event;
  const all = agreed.length + differing.length + unreached.length;
  return entryOf(event.type, differing.length === 0 && agreed.length > 0 ? 'info' : 'warn', {
    message:
      differing.length === 0
        ? `${agreed.length} of ${all} vantage points saw the same key of ${endpoint}`
        : `${endpoint} shows another key to ${differing.join(', ')}: its first use is held`,
    fields: {
      session,
      endpoint,
      spki,
      agreed,
      differing,
      unreached,
      seconds: toMicroseconds(event.seconds),
    },
  });
}

const sessionEnded = (event: Of<'session-ended'>): LogEntry =>
  entryOf(event.type, endLevel(event), {
    message: endMessage(event),
    fields: {
      session: event.session,
      route: event.route,
      protocol: event.protocol,
      endpoint: event.endpoint,
      clientTls: event.clientTls,
      outcome: event.outcome,
      reason: event.reason,
      basis: event.basis,
      spki: event.spki,
      reference: event.reference,
      said: event.said,
      detail: event.detail,
      bytesUp: event.bytesUp,
      bytesDown: event.bytesDown,
      seconds: toMicroseconds(event.seconds),
    },
  });

function endLevel(event: Of<'session-ended'>): LogLevel {
  switch (event.outcome) {
    case 'relayed':
      return 'info';
    case 'refused':
    case 'rejected':
      return 'warn';
    case 'failed':
      return event.reason === 'internal' ? 'error' : event.reason === 'client' ? 'info' : 'warn';
  }
}

function endMessage(event: Of<'session-ended'>): string {
  switch (event.outcome) {
    case 'relayed':
      return `relayed ${event.endpoint} (${event.basis === null ? 'unknown basis' : bases[event.basis]})`;
    case 'refused':
      return event.said ?? `refused ${event.endpoint}: ${event.reason}`;
    case 'failed':
      return event.said ?? `no session with ${event.endpoint}: ${event.reason}`;
    case 'rejected':
      return `closed a client of ${event.route} without relaying: ${event.reason}`;
  }
}
