// What the log says of each event. Fields are named one by one, so that nothing an event may carry tomorrow
// slips into a log; every text is escaped and bounded here. No credential, no command, no mail, ever.

import type { ProxyEvent } from '../proxy/events.ts';
import type { PinChangeEvent } from '../store/pin-store.ts';
import type { AcceptBasis } from '../trust/evidence.ts';
import { printable } from './printable.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';
export type LogField = string | number | boolean | null | readonly string[];

export interface LogEntry {
  readonly level: LogLevel;
  /** The event's type, stable. */
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, LogField>>;
}

/** Pinned is never worded like CA-verified (RFC 8314 section 5.4). */
const bases: Readonly<Record<AcceptBasis, string>> = {
  ca: 'verified by a CA',
  pin: 'pinned key, no CA involved',
  dane: 'verified by DANE',
  'first-use': 'key pinned on first use, nobody verified it',
};

/** Changes of trust a person should notice even in a log they skim. */
const loud: ReadonlySet<PinChangeEvent> = new Set<PinChangeEvent>([
  'first-use',
  'handed-over',
  'rejected',
  'forgotten',
  'expired',
  'undone',
  'started-over',
  'rollback-accepted',
]);

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
    case 'listening':
    case 'listen-skipped':
    case 'reloaded':
    case 'crl-reloaded':
    case 'dashboard-opened':
    case 'warning':
      return serviceEntry(event);
  }
}

type Of<T extends ProxyEvent['type']> = Extract<ProxyEvent, { readonly type: T }>;

function trustEntry(
  event: Of<
    | 'judged'
    | 'pin-changed'
    | 'certificate-renewed'
    | 'retiring-key-in-use'
    | 'key-untrusted'
    | 'store-operation'
    | 'store-health'
  >,
): LogEntry {
  switch (event.type) {
    case 'judged':
      return entry('debug', event, `judged ${event.endpoint}: ${event.reason ?? event.verdict}`, {
        endpoint: event.endpoint,
        verdict: event.verdict,
        reason: event.reason,
        spki: event.spki,
        faults: event.faults,
        ...(event.dane === undefined ? {} : { dane: event.dane }),
      });
    case 'pin-changed':
      return pinChanged(event);
    case 'certificate-renewed':
      return entry('info', event, `${event.endpoint} renewed its certificate on the same key`, {
        endpoint: event.endpoint,
        spki: event.spki,
        sha256: event.sha256,
      });
    case 'retiring-key-in-use':
      return entry(
        'warn',
        event,
        `${event.endpoint} still uses a key that stops being trusted. ${event.advice}`,
        {
          endpoint: event.endpoint,
          spki: event.spki,
          until: isoDate(event.until),
        },
      );
    case 'key-untrusted':
      return entry('warn', event, `a key of ${event.endpoint} is no longer trusted`, {
        endpoint: event.endpoint,
        spki: event.spki,
      });
    case 'store-operation':
      return entry(
        event.ok ? 'debug' : 'error',
        event,
        event.ok ? 'pin store written' : 'the pin store could not be written',
        {
          ok: event.ok,
          seconds: toMicroseconds(event.seconds),
        },
      );
    case 'store-health':
      return storeHealth(event);
  }
}

function pinChanged(event: Of<'pin-changed'>): LogEntry {
  return entry(loud.has(event.event) ? 'warn' : 'info', event, pinChangeMessage(event), {
    endpoint: event.endpoint,
    change: event.event,
    origin: event.origin,
    spki: event.spki,
    detail: event.detail,
  });
}

function pinChangeMessage({ event, endpoint }: Of<'pin-changed'>): string {
  if (event === 'first-use')
    return `FIRST USE: trusting the key of ${endpoint} from now on; compare its fingerprint`;
  if (event === 'handed-over')
    return `HAND-OVER: the pinned key of ${endpoint} signed another one, which is trusted from now on`;
  // Nothing is trusted more or less than before: it must not read as if.
  if (event === 'candidate') return `a key of ${endpoint} is not trusted and waits for a decision`;
  return `trust in ${endpoint} changed: ${event}`;
}

function storeHealth({ type, health }: Of<'store-health'>): LogEntry {
  const message =
    health.state === 'good'
      ? 'the pin store is good'
      : `the pin store is ${health.state}: ${health.detail ?? 'no detail'}`;
  return entry(health.state === 'good' ? 'info' : 'error', { type }, message, {
    state: health.state,
    detail: health.detail,
    backend: health.backend,
    generation: health.generation,
    records: health.records,
  });
}

function sessionEntry(
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
    case 'session-started':
      return entry('debug', event, `client on ${event.route}`, {
        session: event.session,
        route: event.route,
        protocol: event.protocol,
        endpoint: event.endpoint,
      });
    case 'dialled':
      return entry('debug', event, `dialled ${event.endpoint}: ${event.result}`, {
        endpoint: event.endpoint,
        result: event.result,
        seconds: toMicroseconds(event.seconds),
      });
    case 'tlsa-looked-up':
      return entry('debug', event, `TLSA records of ${event.endpoint}: ${event.result}`, {
        endpoint: event.endpoint,
        result: event.result,
        seconds: toMicroseconds(event.seconds),
      });
    case 'handshaken':
      return entry('debug', event, `TLS with ${event.endpoint}`, {
        endpoint: event.endpoint,
        version: event.version,
        seconds: toMicroseconds(event.seconds),
      });
    case 'corroborated':
      return corroborated(event);
    case 'greeted':
      return entry('debug', event, `client on ${event.route} greeted`, {
        route: event.route,
        seconds: toMicroseconds(event.seconds),
      });
    case 'carried':
      return entry('debug', event, `bytes relayed on ${event.route}`, {
        route: event.route,
        bytesUp: event.bytesUp,
        bytesDown: event.bytesDown,
      });
    case 'session-revoked':
      return entry('warn', event, `session with ${event.endpoint} reset: its key is no longer trusted`, {
        session: event.session,
        endpoint: event.endpoint,
        spki: event.spki,
      });
    case 'session-ended':
      return sessionEnded(event);
  }
}

function corroborated(event: Of<'corroborated'>): LogEntry {
  const { endpoint, spki, agreed, differing, unreached, seconds } = event;
  const all = agreed.length + differing.length + unreached.length;
  const message =
    differing.length === 0
      ? `${agreed.length} of ${all} vantage points saw the same key of ${endpoint}`
      : `${endpoint} shows another key to ${differing.join(', ')}: its first use is held`;
  return entry(differing.length === 0 && agreed.length > 0 ? 'info' : 'warn', event, message, {
    endpoint,
    spki,
    agreed,
    differing,
    unreached,
    seconds: toMicroseconds(seconds),
  });
}

function sessionEnded(event: Of<'session-ended'>): LogEntry {
  return entry(endLevel(event), event, endMessage(event), {
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
  });
}

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

function serviceEntry(
  event: Of<'listening' | 'listen-skipped' | 'reloaded' | 'crl-reloaded' | 'dashboard-opened' | 'warning'>,
): LogEntry {
  switch (event.type) {
    case 'listening':
      return entry('info', event, `${event.route} listens on ${event.address} for ${event.upstream}`, {
        route: event.route,
        address: event.address,
        upstream: event.upstream,
      });
    case 'listen-skipped':
      return entry('info', event, `${event.route} does not listen on ${event.address}: ${event.cause}`, {
        route: event.route,
        address: event.address,
        cause: event.cause,
      });
    case 'reloaded':
      return event.ok
        ? entry('info', event, 'configuration reloaded', { ok: true, problems: 0 })
        : entry('error', event, 'the new configuration has problems; the old one stays in force', {
            ok: false,
            problems: event.problems,
          });
    case 'crl-reloaded':
      return entry('info', event, 'revocation lists read again', {});
    case 'dashboard-opened':
      return entry('info', event, `the page was opened in a browser (${event.scope})`, {
        scope: event.scope,
        until: new Date(event.until).toISOString(),
      });
    case 'warning':
      return entry('warn', event, event.message, { code: event.code });
  }
}

function entry(
  level: LogLevel,
  { type }: { readonly type: string },
  message: string,
  fields: Readonly<Record<string, LogField>>,
): LogEntry {
  const safe = Object.entries(fields).map(([name, value]) => [name, safeField(value)] as const);
  return { level, event: type, message: printable(message), fields: Object.fromEntries(safe) };
}

/** Escaped and bounded. */
export function safeField(value: LogField): LogField {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.slice(0, 32).map((item: string) => printable(item, 64));
  return value;
}

/** Clocks have no more digits than these; floating point has. */
const toMicroseconds = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

const isoDate = (milliseconds: number): string => {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? 'never' : date.toISOString();
};
