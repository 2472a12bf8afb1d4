// What of an event is told to hooks, and how it is recognised as the same thing again. Fields are named one by one, so
// that nothing an event may carry tomorrow goes out of the machine. No credential, no command, no mail, no client.

import { clientRejections, failures, isRefusal, refusals, type RefusalReason } from '../../errors.ts';
import type { ProxyEvent } from '../../proxy/events.ts';
import type { PinChangeEvent } from '../../store/pin-store.ts';
import { logEntry } from '../log-entry.ts';
import { hookClasses, type HookClass, type Severity } from './classes.ts';

/** What a notice may say; what is left out is not known or makes no sense there. */
export interface NoticeFacts {
  readonly endpoint?: string;
  readonly route?: string;
  readonly protocol?: string;
  readonly reason?: string;
  readonly change?: PinChangeEvent;
  readonly origin?: string;
  readonly spki?: string | null;
  /** Finds the key: `letterlock explain REFERENCE`. */
  readonly reference?: string | null;
  readonly faults?: readonly string[];
  /** Milliseconds. */
  readonly notAfter?: number;
  readonly code?: string;
  readonly detail?: string | null;
}

export interface Notice {
  readonly class: HookClass;
  readonly severity: Severity;
  /** One sentence, as in the log. */
  readonly message: string;
  readonly advice: string | null;
  readonly facts: NoticeFacts;
  /** Two notices with this in common tell the same; null for what is news each time, such as a change of trust. */
  readonly same: string | null;
  /** What is news again after this. */
  readonly ends: readonly string[];
  /** Told already by whoever was told this. */
  readonly told: string | null;
  /** Longer than the hook's own, where it need not be told so often. */
  readonly repeatMs: number;
}

type Of<T extends ProxyEvent['type']> = Extract<ProxyEvent, { readonly type: T }>;

export interface NoticeParts {
  readonly now: () => number;
  /** Of a key that is on record. */
  readonly referenceOf: (endpoint: string, spki: string) => string | null;
}

/** Null for what nobody needs to be told of. */
export function noticeOf(event: ProxyEvent, parts: NoticeParts): Notice | null {
  switch (event.type) {
    case 'pin-changed':
      return pinChanged(event, parts);
    case 'judged':
      return expiring(event, parts.now());
    case 'session-ended':
      return sessionEnded(event);
    case 'probed':
      return event.result === 'refused' ? probeRefused(event) : expiring(event, parts.now());
    case 'corroborated':
      return event.differing.length === 0 ? null : corroborated(event);
    case 'certificate-renewed':
      return notice(event.type, messageOf(event), { endpoint: event.endpoint, spki: event.spki });
    case 'retiring-key-in-use':
      return {
        ...notice(event.type, messageOf(event), {
          endpoint: event.endpoint,
          spki: event.spki,
          notAfter: event.until,
        }),
        advice: event.advice,
      };
    case 'session-revoked':
      return notice(event.type, messageOf(event), { endpoint: event.endpoint, spki: event.spki });
    case 'store-health':
      return storeHealth(event);
    case 'reloaded':
      return {
        ...notice(event.ok ? 'reloaded' : 'reload-failed', messageOf(event), {}),
        ends: [sameOf(event.ok ? 'reload-failed' : 'reloaded', {})],
      };
    case 'warning':
      // A hook in trouble must not be told of its own trouble.
      return event.code.startsWith('hook-')
        ? null
        : notice('warning', messageOf(event), { code: event.code, detail: event.message });
    case 'session-started':
    case 'dialled':
    case 'tlsa-looked-up':
    case 'handshaken':
    case 'greeted':
    case 'carried':
    case 'key-untrusted':
    case 'store-operation':
    case 'listening':
    case 'listen-skipped':
    case 'crl-reloaded':
    case 'hook-delivered':
    case 'dashboard-opened':
      return null;
  }
}

const messageOf = (event: ProxyEvent): string => logEntry(event).message;

/** The notice of a class, recognised by all it says of endpoint, key and cause. */
export function notice(of: HookClass, message: string, facts: NoticeFacts): Notice {
  return {
    class: of,
    severity: hookClasses[of].severity,
    message,
    advice: null,
    facts,
    same: sameOf(of, facts),
    ends: [],
    told: null,
    repeatMs: 0,
  };
}

const sameOf = (of: HookClass, { endpoint, spki, reason, change, code, detail }: NoticeFacts): string =>
  JSON.stringify([of, endpoint, spki, reason, change, code, code === undefined ? null : detail]);

/** A refusal of this very key is no news to whoever was told that the key waits. */
const waiting = (endpoint: string, spki: string): string => JSON.stringify(['waiting', endpoint, spki]);

const routine: ReadonlySet<PinChangeEvent> = new Set<PinChangeEvent>(['ca-verified', 'dane-proven']);

function pinChanged(event: Of<'pin-changed'>, { referenceOf }: NoticeParts): Notice | null {
  const { endpoint, event: change, origin, spki, detail } = event;
  if (routine.has(change)) return null;
  const facts = {
    endpoint,
    change,
    origin,
    spki,
    reference: spki === null ? null : referenceOf(endpoint, spki),
  };
  const news = { same: null, ends: spki === null ? [] : [waiting(endpoint, spki)] };
  if (change === 'first-use')
    return {
      ...notice('first-use', messageOf(event), facts),
      ...news,
      advice: `Compare its fingerprint with one from another source: letterlock pins show ${endpoint}`,
    };
  if (change !== 'candidate' || spki === null)
    return { ...notice('pin-changed', messageOf(event), { ...facts, detail }), ...news };
  const reason = isRefusal(detail) ? detail : null;
  const message =
    reason === null ? messageOf(event) : `${endpoint}: ${refusals[reason].cause}. It waits for a decision`;
  return {
    ...notice('candidate', message, { ...facts, ...(reason === null ? {} : { reason }) }),
    ...(reason === null ? {} : { advice: refusals[reason].advice, severity: severityOf(reason) }),
    same: waiting(endpoint, spki),
  };
}

const grave: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'pin-mismatch',
  'key-rejected',
  'certificate-revoked',
  'ca-lost',
  'dane-mismatch',
  'injected-bytes',
  'session-resumed',
  'store-damaged',
  'store-unavailable',
]);

const severityOf = (reason: RefusalReason): Severity => (grave.has(reason) ? 'critical' : 'warning');

function sessionEnded(event: Of<'session-ended'>): Notice | null {
  const { endpoint, route, protocol, spki, reference } = event;
  const facts = { endpoint, route, protocol, spki, reference };
  switch (event.outcome) {
    case 'relayed':
      return null;
    case 'refused':
      return {
        ...notice(event.reason === 'ca-lost' ? 'ca-lost' : 'refused', messageOf(event), {
          ...facts,
          reason: event.reason,
        }),
        severity: severityOf(event.reason),
        advice: refusals[event.reason].advice,
        told: spki === null ? null : waiting(endpoint, spki),
      };
    case 'failed':
      // Clients leave, and connections break: that is no news.
      if (event.reason === 'client' || event.reason === 'relay') return null;
      return {
        ...notice('failed', messageOf(event), { ...facts, reason: event.reason }),
        severity: event.reason === 'internal' ? 'critical' : 'warning',
        advice: failures[event.reason].advice,
      };
    case 'rejected':
      if (event.reason === 'draining') return null;
      return {
        ...notice('client-rejected', messageOf(event), { ...facts, reason: event.reason }),
        advice: clientRejections[event.reason].advice,
      };
  }
}

function probeRefused(event: Extract<Of<'probed'>, { readonly result: 'refused' }>): Notice {
  const { endpoint, spki, reference, faults, reason } = event;
  return {
    ...notice('probe-refused', messageOf(event), { endpoint, spki, reference, faults, reason }),
    severity: severityOf(reason),
    advice: refusals[reason].advice,
    told: spki === null ? null : waiting(endpoint, spki),
  };
}

function corroborated(event: Of<'corroborated'>): Notice {
  const { endpoint, spki, differing } = event;
  return {
    ...notice('corroboration-differs', messageOf(event), {
      endpoint,
      spki,
      reason: 'first-use-held',
      detail: differing.join(', '),
    }),
    advice: refusals['first-use-held'].advice,
  };
}

const storeReasons = { damaged: 'store-damaged', unavailable: 'store-unavailable' } as const;
const storeTrouble = (state: keyof typeof storeReasons): string =>
  sameOf(storeReasons[state], { reason: storeReasons[state] });

function storeHealth(event: Of<'store-health'>): Notice {
  const { state, detail } = event.health;
  const [damaged, unavailable] = [storeTrouble('damaged'), storeTrouble('unavailable')];
  const recovered = sameOf('store-recovered', {});
  if (state === 'good')
    return { ...notice('store-recovered', messageOf(event), {}), ends: [damaged, unavailable] };
  const reason = storeReasons[state];
  return {
    ...notice(reason, messageOf(event), { reason, detail }),
    ends: [recovered, state === 'damaged' ? unavailable : damaged],
    advice: refusals[reason].advice,
  };
}

const dayMs = 86_400_000;
const soon = 0.2;
const verySoon = 0.05;

/** A certificate that only a pin vouches for may run out: the pin stays. */
function expiring(event: Of<'judged' | 'probed'>, now: number): Notice | null {
  const { verdict, notBefore, notAfter, pathNotAfter, endpoint, spki } = event;
  if (verdict !== 'ca' || notBefore === null || notAfter === null) return null;
  const end = Math.min(notAfter, pathNotAfter ?? notAfter);
  const left = (end - now) / (notAfter - notBefore);
  if (!(left < soon)) return null;
  const days = Math.max(0, Math.floor((end - now) / dayMs));
  return {
    ...notice('certificate-expiring', `the certificate of ${endpoint} ends in ${days} days`, {
      endpoint,
      spki,
      notAfter: end,
    }),
    severity: left < verySoon ? 'critical' : 'warning',
    advice: 'The operator of the mail server has to renew it; when it has ended, clients are refused.',
    same: JSON.stringify(['certificate-expiring', endpoint, end, left < verySoon]),
    repeatMs: dayMs,
  };
}
