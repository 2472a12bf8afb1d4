// JSON Schemas (draft 2020-12) of everything the admin API takes and answers, made from the Zod schemas beside the table
// of routes. Loaded when somebody asks for them: the daemon has no other use for Zod until a command comes.

import * as z from 'zod';
import { keyEvidence, recordSchema } from '../formats/record-schema.ts';
import * as answers from './answer-schema.ts';
import { commandSchema, dashboardSchema, probeSchema } from './command-schema.ts';
import { importSchema } from './import-schema.ts';
import * as live from './live-schema.ts';
import { routes, type RouteEntry } from './routes.ts';
import { corroboration } from './schema-parts.ts';

export interface ApiSchema {
  readonly $schema: string;
  readonly title: string;
  readonly routes: readonly RouteSchema[];
  readonly $defs: Readonly<Record<string, unknown>>;
}

interface RouteSchema {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query: string | null;
  /** `#/$defs/…`; null where there is none. */
  readonly body: string | null;
  readonly answer: string | null;
}

const routeSchema = z.object({
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  query: z.string().nullable(),
  body: z.string().nullable().describe('Reference to a schema of `$defs`.'),
  answer: z.string().nullable().describe('Reference to a schema of `$defs`; null for a stream of events.'),
});

/** By the name that the table of routes gives them, the stream's events, the one shape of every error, and what is part of several. */
export const apiSchemas = {
  Status: answers.status,
  Sessions: z.array(live.session),
  Session: live.session,
  Endpoints: z.array(live.endpointRow),
  Endpoint: live.endpointRow,
  Pins: z.array(answers.pin),
  Pin: answers.pin,
  Candidate: live.candidate,
  History: z.array(answers.historyRow),
  HistoryEntry: answers.historyRow,
  Explanation: answers.explanation,
  Records: z.object({
    records: z.array(recordSchema),
    damaged: z.array(z.string()).describe('Endpoints whose record does not verify.'),
  }),
  Schema: z.object({
    $schema: z.string(),
    title: z.string(),
    routes: z.array(routeSchema),
    $defs: z.record(z.string(), z.unknown()),
  }),
  Command: commandSchema,
  Answer: answers.answer,
  Import: importSchema,
  Imported: answers.imported,
  Probe: probeSchema,
  Probed: live.probed,
  Dashboard: dashboardSchema,
  DashboardLink: answers.dashboardLink,
  Reload: answers.reload,
  Verification: answers.verification,
  Event: live.event,
  Hello: live.hello,
  Error: answers.error,
  Store: answers.storeRow,
  SeenCertificate: answers.seenCertificate,
  Certificate: live.certificate,
  Leaf: live.leaf,
  Side: live.side,
  Corroboration: corroboration,
  Record: recordSchema,
  KeyEvidence: keyEvidence,
} as const satisfies Readonly<Record<string, z.ZodType>>;

export function apiSchema(): ApiSchema {
  const named = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(apiSchemas)) named.add(schema, { id });
  const { schemas } = z.toJSONSchema(named, { io: 'input', uri: referenceTo, unrepresentable: 'any' });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'letterlock admin API, version 1',
    routes: routes.map((route: RouteEntry) => ({
      method: route.method,
      path: route.path,
      query: route.query ?? null,
      body: route.body === undefined ? null : referenceTo(route.body),
      answer: route.answer === null ? null : referenceTo(route.answer),
    })),
    $defs: Object.fromEntries(
      // Each would be a document of its own; here they are parts of one.
      Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...rest }]) => [id, rest]),
    ),
  };
}

const referenceTo = (id: string): string => `#/$defs/${id}`;
