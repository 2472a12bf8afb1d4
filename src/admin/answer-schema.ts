// Schemas of what is answered about records, store and configuration; the shapes are those of shapes.ts, and a test
// of the compiler holds the two equal. Loaded only when somebody asks for the schemas.

import * as z from 'zod';
import { factSources } from '../trust/deliberation.ts';
import { hashAlgorithms } from '../trust/record.ts';
import * as of from './schema-parts.ts';

const { list } = of;

export const seenCertificate = z.object({
  sha256: of.sha256,
  subject: of.raw,
  issuer: of.raw,
  names: list(of.raw),
  notBefore: of.date,
  notAfter: of.date,
  seenAt: of.date,
  caValid: z.boolean().describe('Whether a trusted CA vouched for it under this name, when it was seen.'),
  faults: list(of.fault),
  corroboration: of.corroboration.exactOptional(),
  pem: z.string().exactOptional().describe('Only of one endpoint.'),
});

const pinRow = z.object({
  spki: of.spki,
  kind: z.enum(['leaf', 'anchor']),
  origin: z.enum(['first-use', 'approved', 'added', 'imported', 'config']),
  firstSeen: of.date.nullable().describe('null for a pin from the configuration.'),
  lastSeen: of.date.nullable(),
  until: of.date.nullable().describe('The pin counts until then; null has no end.'),
  live: z.boolean().describe('False once rejected, ended, or past `until`.'),
  parent: of.spki.exactOptional().describe('The key that handed over to this one.'),
  certificate: seenCertificate.nullable(),
});

const candidateRow = z.object({
  ref: z.string().describe('8 characters; finds the key, never approves it.'),
  spki: of.spki,
  seenCount: of.count,
  firstSeen: of.date,
  lastSeen: of.date,
  caValid: z.boolean(),
  faults: list(of.fault),
  reason: z.string().describe('Why it was refused when last seen.'),
  certificate: seenCertificate,
});

const lastCaRow = z.object({
  spki: of.spki,
  sha256: of.sha256,
  issuer: of.raw,
  notAfter: of.date,
  seenAt: of.date,
  pem: z.string().exactOptional(),
});

export const pin = z.object({
  endpoint: of.endpoint,
  state: of.endpointState,
  basis: of.basis,
  byDane: z.literal(true).exactOptional().describe('Known by DANE alone.'),
  lastCa: lastCaRow.nullable(),
  pins: list(pinRow),
  candidates: list(candidateRow),
  rejected: list(of.spki),
  expected: list(
    z.object({
      of: z.enum(['certificate', 'key']),
      algorithm: z.enum(hashAlgorithms),
      digest: z.string(),
      importedAt: of.date,
      until: of.date.nullable(),
    }),
  ).describe('Imported by a hash, and not seen yet.'),
});

export const historyRow = z.object({
  sequence: of.count,
  at: of.date,
  endpoint: of.endpoint,
  event: z.enum([
    'first-use',
    'ca-verified',
    'approved',
    'added',
    'imported',
    'matched',
    'promoted',
    'handed-over',
    'retired',
    'rejected',
    'unrejected',
    'forgotten',
    'expired',
    'undone',
    'candidate',
    'config-pinned',
    'dane-proven',
    'started-over',
    'rollback-accepted',
    'repaired',
  ]),
  origin: z.enum(['proxy', 'cli', 'admin', 'config', 'library']),
  spki: of.spki.nullable(),
  detail: z.string(),
  hash: z.string().describe('Chains this entry to all before it.'),
});

export const storeRow = z.object({
  state: z.enum(['good', 'damaged', 'unavailable']),
  detail: z.string().nullable(),
  backend: z.string(),
  generation: of.count,
  records: of.count,
});

export const status = z.object({
  version: z.string(),
  pid: z.int(),
  user: z.string(),
  startedAt: of.date,
  stateDirectory: z.string(),
  metrics: z.string().nullable().describe('Address of the metrics page; null when there is none.'),
  routes: list(
    z.object({
      name: z.string(),
      listen: z.string().describe('Every place bound, comma-separated.'),
      upstream: z.string(),
      endpoint: of.endpoint,
      protocol: of.protocol,
      sessions: of.count.describe('Open now.'),
      state: z.string().describe('`ready`, `refusing`, `failing` or `draining`.'),
    }),
  ),
  store: storeRow,
});

export const dashboardLink = z.object({
  url: z.string().describe('Opens the page once, until `expiresAt`.'),
  scope: z.enum(['read', 'admin']),
  expiresAt: of.date,
});

const decision = z.object({
  spki: of.spki,
  verdict: z.enum(['accepted', 'refused']),
  basis: of.acceptBasis.nullable(),
  reason: of.refusalReason.nullable(),
  why: z.string(),
  steps: list(
    z.object({
      rule: of.rule,
      asks: z.string(),
      found: z.string().describe('In words: `yes`, `no: …`.'),
      from: z.enum(factSources),
      decides: z.boolean().describe('True for one of them: its answer settled the verdict.'),
    }),
  ).describe('In the order in which the judge asks.'),
});

const codeMeaning = z.object({
  code: z.string(),
  kind: z.enum(['refusal', 'failure', 'client', 'program', 'fault']),
  permanence: z.enum(['permanent', 'temporary']).nullable(),
  clients: list(z.object({ protocol: z.string(), gets: z.string() })).describe(
    'What clients of each protocol get.',
  ),
});

export const explanation = z.object({
  target: z.string(),
  kind: z.enum(['code', 'reference', 'endpoint', 'session']),
  endpoint: of.endpoint.nullable(),
  spki: of.spki.nullable(),
  summary: z.string().describe('One sentence.'),
  steps: list(z.string()),
  advice: list(z.string()),
  decision: decision.nullable().describe('null where no key was ever seen, and for codes.'),
  code: codeMeaning.nullable(),
});

export const answer = z.object({
  endpoint: of.endpoint,
  lines: list(z.string()).describe('What was done, and which keys stay trusted until when.'),
  pins: pin,
});

export const imported = z.object({
  applied: z.boolean().describe('False when anything stands in the way: then nothing is stored.'),
  endpoints: list(
    z.object({
      endpoint: of.endpoint,
      items: list(
        z.object({
          does: z.enum(['pin', 'expect', 'restore', 'nothing', 'conflict', 'rejected']),
          text: z.string(),
        }),
      ),
      lines: list(z.string()),
    }),
  ),
});

export const reload = z.object({
  reloaded: z.boolean().describe('False with problems: the old configuration stays in force.'),
  problems: list(
    z.object({
      source: z.string(),
      line: z.int().nullable(),
      column: z.int().nullable(),
      message: z.string(),
      suggestion: z.string().nullable(),
      excerpt: z.string().nullable(),
    }),
  ),
});

export const verification = z.object({
  ok: z.boolean(),
  store: storeRow,
  auditEntries: of.count,
  problems: list(z.string()),
});

export const error = z.object({
  error: z.object({
    code: z.string().describe('Stable: what a program goes by.'),
    message: z.string(),
    hint: z.string().nullable(),
    exit: z.string().exactOptional().describe('Name of the exit code of the command line.'),
  }),
});
