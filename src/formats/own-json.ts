// The backup: every record whole, as JSON. What was written is what is put back, so that nothing of a record is
// lost between two machines or versions; an unknown field is an error, never dropped in silence.

import * as z from 'zod';
import type { EndpointRecord } from '../trust/record.ts';
import { recordSchema } from './record-schema.ts';
import { Findings, type Reader } from './reading.ts';

const backupFormat = 'letterlock-pins';
const version = 1;

/** What is printed, ready for JSON.stringify; `at` is milliseconds since 1970. */
export const printBackup = (
  records: readonly EndpointRecord[],
  at: number,
): Readonly<Record<string, unknown>> => ({
  format: backupFormat,
  version,
  madeAt: new Date(at).toISOString(),
  records,
});

const frame = z.looseObject({
  format: z.literal(backupFormat),
  version: z.number(),
  records: z.array(z.unknown()).max(131_072),
});

export const readBackup: Reader = (source) => {
  const found = new Findings(source);
  const framed = frame.safeParse(jsonOf(source.text));
  if (!framed.success) {
    found.problem(1, `this is no backup of letterlock: JSON with format "${backupFormat}" and records`);
    return found;
  }
  if (framed.data.version !== version) {
    found.problem(
      1,
      `this backup has version ${framed.data.version}, and this letterlock knows version ${version}`,
    );
    return found;
  }
  const names = new Set<string>();
  for (const [at, value] of framed.data.records.entries()) addRecord(value, { at, names, found });
  return found;
};

function addRecord(
  value: unknown,
  { at, names, found }: { readonly at: number; readonly names: Set<string>; readonly found: Findings },
): void {
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return found.problem(
      1,
      `records.${[at, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'no record'}`,
    );
  }
  const record = parsed.data;
  if (names.has(record.endpoint)) return found.problem(1, `${record.endpoint} stands there twice`);
  names.add(record.endpoint);
  found.entries.push({ line: 1, endpoint: record.endpoint, entry: { kind: 'record', record } });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
