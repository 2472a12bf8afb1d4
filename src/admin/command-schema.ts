// What a command may look like when it comes over the socket: every field named, every text bounded, nothing
// more than that. Loaded only when a command arrives.

import * as z from 'zod';
import { parseEndpoint } from '../endpoint.ts';
import { CommandError } from '../errors.ts';
import type { Command } from '../trust/command.ts';
import type { DashboardRequest } from './shapes.ts';

const endpoint = z
  .string()
  .max(300)
  .refine(isCanonical, 'not a canonical endpoint such as imap.example.org:993');
const fingerprint = z.string().min(1).max(512);
const duration = z.number().int().positive().nullable();

export const commandSchema = z.discriminatedUnion('command', [
  z.strictObject({
    command: z.literal('approve'),
    endpoint,
    expect: fingerprint,
    forMs: duration,
    as: z.enum(['ca', 'pin']).nullable(),
    keep: z.boolean(),
    endOld: z.boolean(),
    unreject: z.boolean(),
  }),
  z.strictObject({ command: z.literal('reject'), endpoint, expect: fingerprint }),
  z.strictObject({
    command: z.literal('forget'),
    endpoint,
    expect: fingerprint.nullable(),
    yes: z.boolean(),
  }),
  z.strictObject({ command: z.literal('undo'), endpoint }),
  z.strictObject({
    command: z.literal('add'),
    endpoint,
    pin: fingerprint,
    forMs: duration,
    unreject: z.boolean(),
  }),
]);

/** @throws CommandError `usage` naming the first field that is wrong */
export function parseCommand(value: unknown): Command {
  const parsed = commandSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? 'command' : issue.path.join('.');
  throw new CommandError('usage', `${field}: ${issue?.message ?? 'not a command'}`);
}

function isCanonical(text: string): boolean {
  try {
    return parseEndpoint(text).name === text;
  } catch {
    return false;
  }
}

/** Bodies of POST /v1/commands and /v1/probes. */
export const probeSchema = z.strictObject({ endpoint });

/** The endpoint to probe. @throws CommandError `usage` */
export function parseProbe(value: unknown): string {
  const parsed = probeSchema.safeParse(value);
  if (parsed.success) return parsed.data.endpoint;
  throw new CommandError('usage', `endpoint: ${parsed.error.issues[0]?.message ?? 'not an endpoint'}`);
}

/** Body of POST /v1/dashboard. */
export const dashboardSchema = z.strictObject({
  scope: z.enum(['read', 'admin']),
  uid: z.int().min(0).max(0xffff_ffff).nullable().describe('The local user whose programs may use it.'),
});

/** For whom an address of the page is wanted. @throws CommandError `usage` */
export function parseDashboard(value: unknown): DashboardRequest {
  const parsed = dashboardSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CommandError('usage', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not a request'}`);
}
