// What an import may look like when it comes over the socket, and how it goes back. Loaded only when one arrives.

import * as z from 'zod';
import { CommandError } from '../errors.ts';
import {
  endpointName,
  expectedFields,
  fitsAlgorithm,
  recordSchema,
  spki,
  time,
} from '../formats/record-schema.ts';
import type { ImportOrder } from '../trust/import-order.ts';
import type { ImportRequest } from './shapes.ts';

const until = time.nullable();
const entry = z.union([
  z.strictObject({ kind: z.literal('pin'), spki, until }),
  z.strictObject({ kind: z.literal('expectation'), ...expectedFields, until }).refine(fitsAlgorithm),
  z.strictObject({ kind: z.literal('record'), record: recordSchema }),
]);

export const importSchema = z.strictObject({
  orders: z
    .array(
      z.strictObject({
        endpoint: endpointName,
        entries: z.array(entry).min(1).max(256),
        keep: z.boolean(),
        unreject: z.array(spki).max(256),
      }),
    )
    .max(4096),
  apply: z.boolean(),
});

/** @throws CommandError `usage` naming the first field that is wrong */
export function parseImport(value: unknown): ImportRequest {
  const parsed = importSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue === undefined || issue.path.length === 0 ? 'import' : issue.path.join('.');
    throw new CommandError('usage', `${field}: ${issue?.message ?? 'not an import'}`);
  }
  const { orders } = parsed.data;
  const names = new Set<string>();
  const twice = orders.find(({ endpoint }) => names.size === names.add(endpoint).size);
  if (twice !== undefined) throw new CommandError('usage', `${twice.endpoint} stands in the import twice`);
  const mixed = orders.find((order) => !isWhole(order));
  if (mixed !== undefined)
    throw new CommandError('usage', `the record of ${mixed.endpoint} does not stand alone`);
  return parsed.data;
}

/** A record stands alone, and under the name of its own endpoint. */
const isWhole = ({ endpoint, entries }: ImportOrder): boolean =>
  entries.every((one) => one.kind !== 'record' || (entries.length === 1 && one.record.endpoint === endpoint));
