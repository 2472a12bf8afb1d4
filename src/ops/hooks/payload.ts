// What leaves the machine, or goes to a program, for one notice: JSON of named fields in the form of Standard Webhooks
// ({type, timestamp, data}), and the same as environment variables. Every text is escaped and bounded: no line end, no
// control character, nothing longer than a message should be. The form stands in payload-schema.ts.

import { printable } from '../printable.ts';
import type { Notice } from './notice.ts';
import type { Payload } from './payload-schema.ts';

export type { Payload } from './payload-schema.ts';

/** Changes when a field changes its meaning or goes; a new field changes nothing. */
export const payloadVersion = 1;

/** A notice on its way to one hook. */
export interface Dispatch {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly notice: Notice;
  readonly suppressed: number;
}

/** Who tells. */
export interface Teller {
  readonly machine: string;
  readonly version: string;
}

const maxText = 600;
const maxFaults = 32;

const safe = (value: string): string => printable(value, maxText);
const orNull = (value: string | null | undefined): string | null => (value == null ? null : safe(value));

export function payloadOf(
  { id, at, notice, suppressed }: Dispatch,
  { hook, teller }: { readonly hook: string; readonly teller: Teller },
): Payload {
  const { facts } = notice;
  return {
    type: notice.class,
    timestamp: isoDate(at),
    data: {
      version: payloadVersion,
      id,
      hook,
      severity: notice.severity,
      message: safe(notice.message),
      advice: orNull(notice.advice?.replaceAll('ENDPOINT', () => facts.endpoint ?? 'ENDPOINT')),
      machine: safe(teller.machine),
      letterlock: teller.version,
      endpoint: orNull(facts.endpoint),
      route: orNull(facts.route),
      protocol: orNull(facts.protocol),
      reason: orNull(facts.reason),
      change: orNull(facts.change),
      origin: orNull(facts.origin),
      spki: orNull(facts.spki),
      reference: orNull(facts.reference),
      faults: (facts.faults ?? []).slice(0, maxFaults).map(safe),
      notAfter: facts.notAfter === undefined ? null : isoDate(facts.notAfter),
      code: orNull(facts.code),
      detail: orNull(facts.detail),
      suppressed,
    },
  };
}

/** Dates of certificates may lie where none can be written. */
const isoDate = (milliseconds: number): string => {
  const date = new Date(milliseconds);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
};

const upperSnake = (word: string): string => word.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
export const variable = (field: string): string => `LETTERLOCK_EVENT_${upperSnake(field)}`;

/** All of them, always: what is not known is empty, lists are words with a blank between. */
export function eventEnvironment({ type, timestamp, data }: Payload): Readonly<Record<string, string>> {
  const fields = Object.entries(data).map(([field, value]) => [variable(field), wordsOf(value)] as const);
  return { [variable('type')]: type, [variable('timestamp')]: timestamp, ...Object.fromEntries(fields) };
}

const wordsOf = (value: string | number | null | readonly string[]): string =>
  value === null ? '' : Array.isArray(value) ? value.join(' ') : String(value);
