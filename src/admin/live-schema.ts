// Schemas of what a running daemon tells of the moment, and of a comparison; held equal to live-shapes.ts and
// trust/comparison.ts by a test of the compiler. Loaded only when somebody asks for the schemas.

import * as z from 'zod';
import { comparedFields, sideBases } from '../trust/comparison.ts';
import { probeResults, sessionStages } from './live-shapes.ts';
import * as of from './schema-parts.ts';

const { list } = of;

export const session = z.object({
  id: z.string().describe('The connection id of log, events and refusals.'),
  route: z.string(),
  protocol: of.protocol,
  client: z.string().nullable().describe('`127.0.0.1:50312`; null over a socket file.'),
  clientTls: z.string().nullable().describe('`TLSv1.3`; null in clear.'),
  endpoint: of.endpoint.describe('The server being asked, or relayed.'),
  server: z.string().nullable().describe('`192.0.2.1:993`; null before one was reached, and behind a proxy.'),
  stage: z.enum(sessionStages).describe('Before the relay, in it, or on the way out.'),
  basis: of.acceptBasis.nullable(),
  spki: of.spki.nullable(),
  startedAt: of.date,
  bytesUp: of.count,
  bytesDown: of.count,
});

export const leaf = z.object({
  subject: of.raw,
  issuer: of.raw,
  names: list(of.raw).describe('The first 16.'),
  notBefore: of.date.nullable(),
  notAfter: of.date.nullable(),
  sha256: of.sha256,
});

export const endpointRow = z.object({
  endpoint: of.endpoint,
  configured: z.boolean(),
  routes: list(z.string()).describe('Names of the routes that lead to it.'),
  policy: of.policy.nullable().describe('null for one that is not configured.'),
  firstUse: of.firstUse.nullable(),
  state: of.endpointState,
  candidates: of.count.describe('Keys that wait for a decision.'),
  refusing: z.boolean().describe('Refused when last asked, and nothing changed about its trust since.'),
  lastVerdict: z
    .object({
      at: of.date,
      verdict: of.verdict,
      reason: of.refusalReason.nullable(),
      by: of.occasion.describe('A client that waited, a connection kept ready, or a probe.'),
      spki: of.spki.nullable(),
      faults: list(of.fault),
      certificate: leaf.nullable(),
      chainNotAfter: of.date.nullable().describe('Earliest end in the verified path.'),
    })
    .nullable()
    .describe('Since the daemon started; null where it was not asked yet.'),
  lastProbe: z
    .object({
      at: of.date,
      result: z.enum(probeResults),
      reason: of.anyReason.nullable(),
      seconds: of.seconds,
    })
    .nullable(),
  nextProbe: of.date.nullable(),
});

export const probed = z.object({
  endpoint: of.endpoint,
  at: of.date,
  seconds: of.seconds,
  result: z.enum(probeResults),
  verdict: of.verdict.nullable().describe('null where no server was reached.'),
  reason: of.anyReason.nullable(),
  spki: of.spki.nullable(),
  faults: list(of.fault),
  ref: z.string().nullable().describe('Of the candidate it left.'),
  certificate: leaf.nullable(),
});

export const certificate = z.object({
  spki: of.spki.nullable(),
  sha256: of.sha256,
  subject: of.raw,
  issuer: of.raw,
  serial: z.string(),
  version: z.int().nullable(),
  names: list(z.object({ type: z.enum(['dns', 'ip', 'srv', 'uri', 'email', 'other']), value: of.raw })),
  notBefore: of.date.nullable(),
  notAfter: of.date.nullable(),
  key: z.string().describe('`RSA 2048`, `EC P-256`, `Ed25519`.'),
  signature: z.string(),
  keyUsage: list(z.string()),
  extendedKeyUsage: list(z.string()),
  ca: z.boolean(),
  faults: list(of.fault).describe('Those that show in this certificate alone.'),
  pem: z.string(),
});

export const side = z.object({
  spki: of.spki,
  basis: z
    .enum(sideBases)
    .describe('A live pin, what a CA vouched for last, a pin that counts no more, or the key that waits.'),
  sha256: of.sha256.nullable().describe('null for a pinned key that was never seen.'),
  certificate: certificate.nullable(),
  pem: z.string().nullable(),
});

export const candidate = z.object({
  endpoint: of.endpoint,
  ref: z.string(),
  state: of.endpointState,
  sentence: z.string().describe('What changed, in one sentence.'),
  notes: list(z.string()).describe('What else to know before deciding.'),
  proof: z.string().describe('What proves that the key is the server’s.'),
  known: side.nullable().describe('null where nothing was known of the endpoint.'),
  presented: side,
  differences: list(
    z.object({
      field: z.enum(comparedFields),
      known: of.raw.nullable(),
      presented: of.raw.nullable(),
      same: z.boolean(),
    }),
  ),
  faults: list(z.object({ code: of.fault, meaning: z.string(), advice: z.string() })),
  corroboration: of.corroboration.nullable(),
  reason: z.string().describe('Why it was refused when last seen.'),
  caValid: z.boolean(),
  firstSeen: of.date,
  lastSeen: of.date,
  seenCount: of.count,
});

export const event = z.object({
  id: of.count.describe('Rises by one with each entry, also over restarts.'),
  at: of.date,
  level: z.enum(['error', 'warn', 'info', 'debug']),
  event: z.string().describe('The type of the event, as in the log.'),
  message: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
});

export const hello = z.object({
  id: of.count.describe('Of the latest entry there is.'),
  dropped: z.boolean().describe('Entries after the one asked for are not kept any more: there is a gap.'),
});
