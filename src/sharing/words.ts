// What two processes that share a pin store say to each other: lines of JSON, each with its checksum, over a
// UNIX socket that only their user can open. What does not look as it stands here ends the connection.

import * as z from 'zod';
import type { StoreState } from '../trust/evidence.ts';
import type { StoredAuditEntry } from '../store/pin-store.ts';
import { decode } from '../store/codec.ts';
import type { Voice } from './line-of.ts';
import { auditSchema, count, name, recordSchema } from './record-schema.ts';

const states: Record<StoreState, StoreState> = {
  good: 'good',
  damaged: 'damaged',
  unavailable: 'unavailable',
};

const health = z.object({
  state: z.enum(states),
  detail: z.string().nullable(),
  generation: count,
  records: count,
});
const held = z.array(name);
const key = z.string().min(1).max(300);

const row = z.object({
  endpoint: name,
  revision: count,
  record: recordSchema.nullable(),
  verified: z.boolean(),
  /** Rejections and ends that store and seal show of it. */
  sealed: z.object({ rejected: z.array(key), until: z.array(z.tuple([key, z.number()])) }),
});

const change = z.object({
  endpoint: name,
  expected: count,
  record: recordSchema.nullable(),
  audit: z.array(auditSchema).max(10_000),
});
const touch = z.object({ endpoint: name, spki: key, lastSeen: z.number(), seenCount: count });
const id = count;

/** What a guest asks. */
export const askSchema = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('load'), id }),
  z.object({ ask: z.literal('commit'), id, changes: z.array(change) }),
  z.object({ ask: z.literal('history'), id, endpoint: name.nullable() }),
  z.object({ ask: z.literal('touch'), id, touches: z.array(touch) }),
  /** A daemon wants the store; a library process that holds it lets go. */
  z.object({ ask: z.literal('give-way'), id }),
]);

/** What the holder tells: `hello` first, then answers by `id`, ended by `done`, `committed`, `conflict` or `failed`. */
export const tellSchema = z.discriminatedUnion('tell', [
  z.object({ tell: z.literal('hello'), secret: z.base64().length(44), health, held }),
  z.object({ tell: z.literal('rows'), id, rows: z.array(row) }),
  z.object({ tell: z.literal('entries'), id, entries: z.array(z.custom<StoredAuditEntry>(isStoredEntry)) }),
  z.object({ tell: z.literal('done'), id, health, held }),
  z.object({ tell: z.literal('committed'), id, rows: z.array(row), health, held }),
  z.object({ tell: z.literal('conflict'), id, rows: z.array(row), health, held }),
  z.object({
    tell: z.literal('failed'),
    id,
    code: z.string().max(100),
    message: z.string().max(10_000),
    hint: z.string().max(10_000).nullable(),
  }),
  /** What somebody wrote, in the order in which it was written. */
  z.object({ tell: z.literal('changed'), rows: z.array(row), health, held }),
  /** Now and then, so that silence means that nobody is there. */
  z.object({ tell: z.literal('beat'), health, held }),
  /** The holder lets go for a daemon: come back, and do not take the store meanwhile. */
  z.object({ tell: z.literal('bye') }),
]);

const place = z.looseObject({ sequence: count, hash: z.string().regex(/^[0-9a-f]{64}$/) });

function isStoredEntry(value: unknown): boolean {
  return place.safeParse(value).success && auditSchema.safeParse(value).success;
}

export type Ask = z.infer<typeof askSchema>;
export type Tell = z.infer<typeof tellSchema>;
export type Row = z.infer<typeof row>;

/** null for a line whose checksum does not hold, or that is none of ours. */
export const askOf = (line: string): Ask | null => parsed(askSchema, decoded('guest', line));
export const tellOf = (line: string): Tell | null => parsed(tellSchema, decoded('holder', line));

const decoded = (voice: Voice, line: string): unknown => decode(voice, line.replace(' ', '\n'));

function parsed<T>(schema: z.ZodType<T>, value: unknown): T | null {
  const outcome = schema.safeParse(value);
  return outcome.success ? outcome.data : null;
}
