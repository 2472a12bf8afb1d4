// The one description of the configuration: it checks what was written, gives the types, and is what the JSON
// Schema for editors is generated from. Keys not listed here are errors; nothing is accepted and ignored.

import { z } from 'zod';
import { canonicalHost } from '../endpoint.ts';
import { firstUses, policies } from '../trust/evidence.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import { parseAddress, parseListen, parseUpstream, UnusableValue } from './upstream.ts';

/** A string that `read` accepts; what it throws becomes the problem, with its suggestion. */
const readable = (read: (text: string) => unknown) =>
  z.string().superRefine((value, context) => {
    try {
      read(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const suggestion = error instanceof UnusableValue ? error.suggestion : null;
      context.addIssue({ code: 'custom', message: error.message, params: { suggestion } });
    }
  });

function readPin(text: string): void {
  const found = parseFingerprint(text);
  if (found === null)
    throw new UnusableValue(
      `"${text}" is not a key fingerprint`,
      'write sha256//BASE64=, as letterlock cert FILE shows it',
    );
  if (found.kind === 'either') {
    const hint = 'write the fingerprint of the key, sha256//BASE64=, as letterlock cert FILE shows it';
    throw new UnusableValue(`"${text}" may be the fingerprint of a certificate; pins name keys`, hint);
  }
}

function readMode(text: string): void {
  if (!/^0?[0-7]{3}$/.test(text))
    throw new UnusableValue(`"${text}" is not a file mode`, 'write it in quotes, like "0600" or "0660"');
  if (!text.endsWith('0'))
    throw new UnusableValue(`"${text}" lets every local user approve keys`, 'use "0660" and group:');
}

const whole = (from: number, to: number, description: string) =>
  z.int().min(from).max(to).meta({ description });
const flag = (description: string) => z.boolean().meta({ description });
const filePath = z.string().min(1).meta({ description: 'A path; in a file, relative to that file.' });

const trust = z.enum(policies).meta({ description: 'Trust policy: what a key must show to be accepted.' });
const firstUse = z
  .enum(firstUses)
  .meta({ description: 'What happens to the first key of an endpoint that no CA vouches for.' });
const caFile = z
  .union([filePath, z.array(filePath).min(1)], { error: 'must be a path or a list of paths' })
  .meta({ description: 'Trust anchors instead of the system ones; the word system in a list adds those.' });

const limits = {
  connections: whole(1, 100_000, 'Open client connections of one route.'),
  dialSeconds: whole(1, 300, 'Connecting to the server, name look-up included, in total.'),
  handshakeSeconds: whole(1, 300, 'The TLS handshake, in total.'),
  greetingSeconds: whole(
    1,
    600,
    'The greeting of the server, and with STARTTLS all that is said before TLS, in total.',
  ),
  idleMinutes: whole(1, 1440, 'A session without a byte either way is closed after this.'),
  preTlsBytes: whole(1024, 1_048_576, 'All bytes a server may send before TLS.'),
  lineBytes: whole(512, 65_536, 'One line of a server before TLS.'),
};
const optionalLimits = z.strictObject(limits).partial();

const routeFields = {
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      'must be 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first',
    )
    .meta({
      description: 'Unique name in logs and metrics; default scheme and local port, like imaps-1143.',
    }),
  listen: readable(parseListen).meta({
    description: 'HOST:PORT the mail client connects to; default localhost and the usual local port.',
  }),
  upstream: readable(parseUpstream).meta({
    description:
      'SCHEME://HOST[:PORT] of the mail server; imaps, pop3s, submissions, sieves and tls speak TLS at once, imap, pop3, submission, lmtp and sieve require STARTTLS.',
    examples: ['imaps://imap.example.org', 'submission://mail.example.org:587'],
  }),
  clientTls: z.enum(['off']).meta({ description: 'TLS between mail client and letterlock.' }),
  unsafeListen: flag('Allow a plaintext listener that other machines can reach.'),
  trust,
  firstUse,
  pins: z.array(readable(readPin)).max(64).meta({ description: 'Keys to accept, sha256//BASE64=.' }),
  caFile,
  address: readable((text) => parseAddress(text, 1)).meta({
    description: 'HOST[:PORT] to connect to; the name of the upstream is still what is verified.',
  }),
  serverName: readable(canonicalHost).meta({
    description: 'The name to verify when it differs from the host of the upstream.',
  }),
  refusal: z.enum(['greeting', 'login']).meta({ description: 'How an IMAP client is told of a refusal.' }),
  refusalCode: z
    .literal([421, 554])
    .meta({ description: 'SMTP and LMTP refusals: 421 lets a queue try again, 554 returns the mail.' }),
  limits: optionalLimits.meta({
    description: 'Limits of this route; what is left out comes from the top-level ones.',
  }),
};

export const routeSchema = z.strictObject(routeFields).partial().required({ upstream: true });

const socket = z
  .strictObject({
    path: filePath,
    mode: readable(readMode).meta({ description: 'File mode in octal, in quotes.' }),
    group: z.string().min(1).meta({ description: 'Group that owns the socket.' }),
  })
  .partial()
  .required({ path: true });

export const configSchema = z
  .strictObject({
    state: filePath.meta({ description: 'Directory of the pin store.' }),
    trust,
    firstUse,
    caFile,
    routes: z
      .array(routeSchema)
      .max(1000)
      .meta({ description: 'One local listener and one mail server each.' }),
    metrics: z
      .strictObject({
        listen: readable(parseListen).meta({ description: 'HOST:PORT of /metrics, /healthz and /readyz.' }),
      })
      .partial()
      .nullable()
      .meta({ description: 'null turns metrics off.' }),
    admin: z
      .strictObject({
        socket: z
          .union([z.literal('default'), socket], { error: 'must be default or {path, mode, group}' })
          .meta({ description: 'Where letterlock commands reach the daemon.' }),
      })
      .partial(),
    limits: optionalLimits,
    log: z
      .strictObject({
        level: z
          .enum(['error', 'warn', 'info', 'debug'])
          .meta({ description: 'The least important entries to write.' }),
        format: z
          .enum(['json', 'pretty', 'auto'])
          .meta({ description: 'auto is pretty on a terminal and JSON elsewhere.' }),
      })
      .partial(),
    shutdownSeconds: whole(0, 3600, 'How long open sessions may go on after SIGTERM.'),
  })
  .partial();

export type RawRoute = z.infer<typeof routeSchema>;
export type RawConfig = z.infer<typeof configSchema>;

/** What holds where nothing was written. `state` and the socket depend on the user and stand in paths.ts. */
export const defaults = {
  trust: 'auto',
  firstUse: 'accept',
  caFile: ['system'],
  metrics: { listen: '127.0.0.1:9465' },
  limits: {
    connections: 1000,
    dialSeconds: 15,
    handshakeSeconds: 15,
    greetingSeconds: 30,
    idleMinutes: 35,
    preTlsBytes: 65_536,
    lineBytes: 8192,
  },
  log: { level: 'info', format: 'auto' },
  shutdownSeconds: 10,
} as const satisfies RawConfig;

/** The JSON Schema (draft 7) that editors use; config/letterlock.schema.json is this, printed. */
export const jsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }),
  title: 'letterlock configuration',
});

/** The keys allowed at a path of the schema, for "did you mean"; empty where there are none. */
export function keysAt(path: readonly (string | number)[]): readonly string[] {
  let schema: unknown = configSchema;
  for (const step of path) schema = childOf(unwrapped(schema), step);
  const end = unwrapped(schema);
  return end instanceof z.ZodObject ? Object.keys(end.shape) : [];
}

function childOf(schema: unknown, step: string | number): unknown {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<string, unknown>)[String(step)];
  if (schema instanceof z.ZodArray) return schema.element;
  return undefined;
}

function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return unwrapped(schema.unwrap());
  if (schema instanceof z.ZodUnion)
    return schema.options.map(unwrapped).find((option) => option instanceof z.ZodObject);
  return schema;
}

/** Scalar settings outside routes, by path: what environment variables and flags can set. */
export function settingPaths(): readonly { readonly path: readonly string[]; readonly whole: boolean }[] {
  const walk = (
    schema: unknown,
    path: readonly string[],
  ): readonly { readonly path: readonly string[]; readonly whole: boolean }[] => {
    const inner = unwrapped(schema);
    if (path[0] === 'routes') return [];
    const isSocket = path.join('.') === 'admin.socket';
    if (inner instanceof z.ZodObject && !isSocket)
      return Object.entries(inner.shape).flatMap(([key, value]) => walk(value, [...path, key]));
    return [{ path, whole: inner instanceof z.ZodNumber }];
  };
  return walk(configSchema, []);
}
