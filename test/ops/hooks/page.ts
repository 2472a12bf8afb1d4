// The generated part of docs/hooks.md, from the list of classes, the form of what is sent and one sample of each class.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hookClasses, hookClassNames } from '../../../src/ops/hooks/classes.ts';
import { noticeOf } from '../../../src/ops/hooks/notice.ts';
import { eventVariables, payloadSchema } from '../../../src/ops/hooks/payload-schema.ts';
import { payloadOf, type Payload } from '../../../src/ops/hooks/payload.ts';
import { told, type Sample } from './samples.ts';

/** What is generated begins here; what stands above is written by hand. */
const generated = '## Reference\n';

const samplePayload = (sample: Sample): Payload | null => {
  const at = 1_790_000_000_000;
  const made = noticeOf(sample.event, { now: () => at, referenceOf: () => '7F3AK2QM' });
  if (made === null) return null;
  const dispatch = { id: 'msg_0f8fad5b-d9cb-469f-a165-70867728950e', at, notice: made, suppressed: 0 };
  return payloadOf(dispatch, { hook: 'pager', teller: { machine: 'mailbox', version: '0.1.0' } });
};

/** Fields that a class fills, besides those that every notice has. */
const everywhere: ReadonlySet<string> = new Set([
  'version',
  'id',
  'hook',
  'severity',
  'message',
  'advice',
  'machine',
  'letterlock',
  'suppressed',
]);

function fieldsOf(of: string): string {
  const samples = told.filter((sample) => sample.class === of).map(samplePayload);
  const filled = samples.flatMap((payload) =>
    Object.entries(payload?.data ?? {}).flatMap(([field, value]) =>
      everywhere.has(field) || value === null || (Array.isArray(value) && value.length === 0) ? [] : [field],
    ),
  );
  return [...new Set(filled)].map((field) => `\`${field}\``).join(', ');
}

function describedFields(): readonly string[] {
  const { shape } = payloadSchema;
  const variables = new Map(eventVariables.map(([variable, field]) => [field, variable] as const));
  const fields = [
    ['type', shape.type],
    ['timestamp', shape.timestamp],
    ...Object.entries(shape.data.shape).map(([field, schema]) => [`data.${field}`, schema] as const),
  ] as const;
  return fields.map(
    ([field, schema]) =>
      `| \`${field}\` | \`${variables.get(field) ?? ''}\` | ${schema.meta()?.description ?? ''} |`,
  );
}

export const hookEventSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(payloadSchema, { target: 'draft-7' }),
  title: 'a notice of letterlock to a hook',
});

export async function hooksPage(): Promise<string> {
  const page = await readFile(join(import.meta.dirname, '../../../docs/hooks.md'), 'utf8');
  const sample = told.find((each) => each.class === 'refused');
  const example = sample === undefined ? null : samplePayload(sample);
  return [
    page.slice(0, page.indexOf(generated) + generated.length),
    'Generated from `src/ops/hooks/classes.ts` and `src/ops/hooks/payload.ts`. As JSON Schema: `config/hook-event.schema.json`.',
    '',
    '### Classes of events',
    '',
    'A hook without `on:` is told of the usual ones. The severity is that of most; a notice may know better.',
    '',
    '| class | usual | severity | when | fields besides the common ones |',
    '|---|---|---|---|---|',
    ...hookClassNames.map((name) => {
      const { usual, severity, when } = hookClasses[name];
      return `| \`${name}\` | ${usual ? 'yes' : 'no'} | ${severity} | ${when} | ${fieldsOf(name)} |`;
    }),
    '',
    '### Fields',
    '',
    'All of them stand in every notice; what is not known is `null` in JSON and empty in the environment. In the environment a list',
    'is its words with a blank between. Texts are bounded, and what moves a terminal or ends a line is written as `\\x0a`.',
    '',
    '| field | variable | what it is |',
    '|---|---|---|',
    ...describedFields(),
    '',
    '### Example',
    '',
    '```json',
    JSON.stringify(example, null, 2),
    '```',
    '',
  ].join('\n');
}
