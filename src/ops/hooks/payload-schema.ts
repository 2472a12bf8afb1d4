// The form of a notice, as it is public: docs/hooks.md and config/hook-event.schema.json are made of it. No start loads it.

import * as z from 'zod';
import { hookClassNames, severities } from './classes.ts';
import { payloadVersion, variable } from './payload.ts';

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

/** The closed list of variables, by the field each holds. */
export const eventVariables: readonly (readonly [variable: string, field: string])[] = [
  [variable('type'), 'type'],
  [variable('timestamp'), 'timestamp'],
  ...Object.keys(payloadSchema.shape.data.shape).map((field) => [variable(field), `data.${field}`] as const),
];
