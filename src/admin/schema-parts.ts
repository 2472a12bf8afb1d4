// The small parts that the schemas of the admin API are made of. Objects are open: an answer may get fields that a
// reader does not know, and goes on being an answer.

import * as z from 'zod';
import { failures, refusals } from '../errors.ts';
import { policies, firstUses, occasions } from '../trust/evidence.ts';
import { rules } from '../trust/deliberation.ts';
import { faults } from '../trust/fault.ts';
import { endpointStates } from './shapes.ts';

export const list = <T extends z.ZodType>(of: T): z.ZodArray<T> => z.array(of);

/** The keys of a table of ours, which are a closed set in one version. */
const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>) =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys gives the keys, and forgets their names
  z.enum(Object.keys(table) as K[]);

export const date = z.iso.datetime().describe('ISO 8601, UTC.');
export const spki = z.string().describe('`sha256//BASE64=` of the key (DER SubjectPublicKeyInfo).');
export const sha256 = z.string().describe('`AB:CD:…`, SHA-256 of the DER certificate.');
export const endpoint = z.string().describe('Canonical `name:port`.');
export const raw = z.string().describe('As the server sent it: escape it before a terminal or a page.');
export const count = z.int().nonnegative();
export const seconds = z.number().nonnegative();

export const fault = keysOf(faults).describe('See docs/codes.md.');
export const refusalReason = keysOf(refusals).describe('See docs/codes.md.');
export const anyReason = keysOf({ ...refusals, ...failures }).describe('See docs/codes.md.');
export const rule = keysOf(rules).describe('The question, by its stable name.');
export const basis = z.enum(['none', 'ca', 'pinned']);
export const acceptBasis = z
  .enum(['ca', 'pin', 'first-use', 'dane'])
  .describe('A pinned connection is never to be shown as equal to a CA-verified one.');
export const verdict = z.enum(['ca', 'pin', 'first-use', 'dane', 'refused']);
export const protocol = z.enum(['imap', 'pop3', 'smtp', 'lmtp', 'sieve', 'tls']);
export const policy = z.enum(policies);
export const firstUse = z.enum(firstUses);
export const occasion = z.enum(occasions);
export const endpointState = z.enum(endpointStates);

export const corroboration = z.object({
  spki: spki.describe('The key that was compared.'),
  agreed: list(z.string()).describe('Vantage points that showed the same key.'),
  differing: list(z.object({ where: z.string(), spki: spki.nullable() })),
  unreached: list(z.string()),
});
