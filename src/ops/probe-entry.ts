// What the log says of a server that was asked without a client.

import type { ProxyEvent } from '../proxy/events.ts';
import { entryOf, isoDate, toMicroseconds, type LogEntry } from './entry-of.ts';
import { bases } from './session-entry.ts';

type Probed = Extract<ProxyEvent, { readonly type: 'probed' }>;

export const probeEntry = (event: Probed): LogEntry =>
  entryOf(event.type, event.result === 'accepted' ? 'info' : 'warn', {
    message: messageOf(event),
    fields: {
      endpoint: event.endpoint,
      result: event.result,
      verdict: event.verdict,
      reason: event.reason,
      spki: event.spki,
      reference: event.reference,
      faults: event.faults,
      notAfter: event.notAfter === null ? null : isoDate(event.notAfter),
      detail: event.detail,
      seconds: toMicroseconds(event.seconds),
    },
  });

function messageOf(event: Probed): string {
  switch (event.result) {
    case 'accepted':
      return event.verdict === 'first-use'
        ? `probed ${event.endpoint}: nobody knows its key; a client would make it a first use`
        : `probed ${event.endpoint}: accepted (${bases[event.verdict]})`;
    case 'refused':
      return `probed ${event.endpoint}: a client would be refused (${event.reason}). Run: letterlock explain ${event.reference ?? event.reason}`;
    case 'failed':
      return `probed ${event.endpoint}: no answer to judge (${event.reason})`;
  }
}
