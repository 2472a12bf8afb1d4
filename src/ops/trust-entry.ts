// What the log says of verdicts, changes of trust, and the store they are kept in.

import type { ProxyEvent } from '../proxy/events.ts';
import type { PinChangeEvent } from '../store/pin-store.ts';
import { entryOf, isoDate, toMicroseconds, type LogEntry } from './entry-of.ts';

type Of<T extends ProxyEvent['type']> = Extract<ProxyEvent, { readonly type: T }>;

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

export function trustEntry(
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
      return judged(event);
    case 'pin-changed':
      return pinChanged(event);
    case 'certificate-renewed':
    case 'retiring-key-in-use':
    case 'key-untrusted':
      return keyInUse(event);
    case 'store-operation':
      return entryOf(event.type, event.ok ? 'debug' : 'error', {
        message: event.ok ? 'pin store written' : 'the pin store could not be written',
        fields: { ok: event.ok, seconds: toMicroseconds(event.seconds) },
      });
    case 'store-health':
      return storeHealth(event);
  }
}

const judged = (event: Of<'judged'>): LogEntry =>
  entryOf(event.type, 'debug', {
    message: `judged ${event.endpoint}: ${event.reason ?? event.verdict}`,
    fields: {
      session: event.session,
      endpoint: event.endpoint,
      verdict: event.verdict,
      reason: event.reason,
      spki: event.spki,
      faults: event.faults,
      dane: event.dane,
    },
  });

const pinChanged = (event: Of<'pin-changed'>): LogEntry =>
  entryOf(event.type, loud.has(event.event) ? 'warn' : 'info', {
    message: pinChangeMessage(event),
    fields: {
      session: event.session,
      endpoint: event.endpoint,
      change: event.event,
      origin: event.origin,
      spki: event.spki,
      detail: event.detail,
    },
  });

function pinChangeMessage({ event, endpoint }: Of<'pin-changed'>): string {
  if (event === 'first-use')
    return `FIRST USE: trusting the key of ${endpoint} from now on; compare its fingerprint`;
  if (event === 'handed-over')
    return `HAND-OVER: the pinned key of ${endpoint} signed another one, which is trusted from now on`;
  // Nothing is trusted more or less than before: it must not read as if.
  if (event === 'candidate') return `a key of ${endpoint} is not trusted and waits for a decision`;
  return `trust in ${endpoint} changed: ${event}`;
}

function keyInUse(event: Of<'certificate-renewed' | 'retiring-key-in-use' | 'key-untrusted'>): LogEntry {
  const { endpoint, spki } = event;
  switch (event.type) {
    case 'certificate-renewed':
      return entryOf(event.type, 'info', {
        message: `${endpoint} renewed its certificate on the same key`,
        fields: { endpoint, spki, sha256: event.sha256 },
      });
    case 'retiring-key-in-use':
      return entryOf(event.type, 'warn', {
        message: `${endpoint} still uses a key that stops being trusted. ${event.advice}`,
        fields: { endpoint, spki, until: isoDate(event.until) },
      });
    case 'key-untrusted':
      return entryOf(event.type, 'warn', {
        message: `a key of ${endpoint} is no longer trusted`,
        fields: { endpoint, spki },
      });
  }
}

function storeHealth({ type, health }: Of<'store-health'>): LogEntry {
  const { state, detail, backend, generation, records } = health;
  return entryOf(type, state === 'good' ? 'info' : 'error', {
    message:
      state === 'good' ? 'the pin store is good' : `the pin store is ${state}: ${detail ?? 'no detail'}`,
    fields: { state, detail, backend, generation, records },
  });
}
