// What leaves the machine, or goes to a program, for one notice: JSON of named fields in the form of Standard Webhooks
// ({type, timestamp, data}), and the same as environment variables. Every text is escaped and bounded: no line end, no
// control character, nothing longer than a message should be. The form is public; docs/hooks.md and
// config/hook-event.schema.json are made of it.

import * as z from 'zod';
import { printable } from '../printable.ts';
import { hookClassNames, severities } from './classes.ts';
import type { Notice } from './notice.ts';

/** Changes when a field changes its meaning or goes; a new field changes nothing. */
const payloadVersion = 1;

const text = (description: string) => z.string().meta({ description });
const maybe = (description: string) => z.string().nullable().meta({ description });
const time = (description: string) => z.iso.datetime().meta({ description });

export const payloadSchema = z.strictObject({
  type: z.enum(hookClassNames).meta({ description: 'The class of the event.' }),
  timestamp: time('When it happened; UTC.'),
  data: z.strictObject({
    version: z.literal(payloadVersion).meta({ description: 'The version of this form.' }),
    id: text('Names the notice; the same in every attempt to deliver it.'),
    hook: text('The name of the hook.'),
    severity: z.enum(severities).meta({ description: 'How soon somebody should look.' }),
    message: text('What happened, one sentence, as in the log.'),
    advice: maybe('What to do about it.'),
    machine: text('The host name of the machine letterlock runs on.'),
    letterlock: text('The version of letterlock.'),
    endpoint: maybe('The mail server, NAME:PORT.'),
    route: maybe('The route a client came by.'),
    protocol: maybe('The protocol of the route.'),
    reason: maybe('Why it was refused or failed; a code of docs/codes.md.'),
    change: maybe('What happened to a pin.'),
    origin: maybe('Who changed it: proxy, cli, admin, config or library.'),
    spki: maybe('The key it is about, sha256//BASE64=.'),
    reference: maybe('Finds the key: letterlock explain REFERENCE. It never suffices to approve one.'),
    faults: z.array(z.string()).meta({ description: 'Faults of the certificate; codes of docs/codes.md.' }),
    notAfter: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When the certificate or the trust in a key ends; UTC.' }),
    code: maybe('Which warning it is.'),
    detail: maybe('More about it.'),
    suppressed: z
      .int()
      .min(0)
      .meta({ description: 'How often the same happened since it was last told, without being told.' }),
  }),
});

export type Payload = z.infer<typeof payloadSchema>;

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
const variable = (field: string): string => `LETTERLOCK_EVENT_${upperSnake(field)}`;

/** The closed list of variables, by the field each holds. */
export const eventVariables: readonly (readonly [variable: string, field: string])[] = [
  [variable('type'), 'type'],
  [variable('timestamp'), 'timestamp'],
  ...Object.keys(payloadSchema.shape.data.shape).map((field) => [variable(field), `data.${field}`] as const),
];

/** All of them, always: what is not known is empty, lists are words with a blank between. */
export function eventEnvironment({ type, timestamp, data }: Payload): Readonly<Record<string, string>> {
  const fields = Object.entries(data).map(([field, value]) => [variable(field), wordsOf(value)] as const);
  return { [variable('type')]: type, [variable('timestamp')]: timestamp, ...Object.fromEntries(fields) };
}

const wordsOf = (value: string | number | null | readonly string[]): string =>
  value === null ? '' : Array.isArray(value) ? value.join(' ') : String(value);
