// docs/logs.md, made from the tables of the log: run vitest with -u to write it anew.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logEntry } from '../../src/ops/log-entry.ts';
import { logEvents } from '../../src/ops/log-events.ts';
import { logFields, type FieldRow } from '../../src/ops/log-fields.ts';
import { everyEvent } from './events.ts';
import { fieldNames, wrongIn } from './log-line.ts';

const page = join(import.meta.dirname, '../../docs/logs.md');
/** What is made from the tables begins here; the text above is written by hand. */
const made = '## Events\n';

const typeOf = ({ type, unit, nullable }: FieldRow): string =>
  [type, ...(unit === undefined ? [] : [`in ${unit}`]), ...(nullable === true ? ['or null'] : [])].join(' ');

const tables = (): string =>
  [
    made,
    'Made from `src/ops/log-events.ts`. *Summed* says by which fields repeats within a minute count as the same; an event',
    'without any is always written.',
    '',
    '| event | level | what happened | fields | summed |',
    '|---|---|---|---|---|',
    ...Object.entries(logEvents).map(
      ([name, { levels, tells, fields, sameBy = [] }]) =>
        `| \`${name}\` | ${levels.join(', ')} | ${tells} | ${fields.join(', ')} | ${sameBy.join(', ')} |`,
    ),
    '',
    '## Fields',
    '',
    'Every line has `level`, `time` (ISO 8601, UTC), `event` and `msg` as well. Made from `src/ops/log-fields.ts`.',
    '',
    '| field | type | what it is |',
    '|---|---|---|',
    ...Object.entries(logFields).map(([name, row]) => `| \`${name}\` | ${typeOf(row)} | ${row.tells} |`),
    '',
  ].join('\n');

test('the page lists every event and field as the sources have it', async () => {
  const text = await readFile(page, 'utf8');
  const byHand = text.slice(0, text.indexOf(made));
  await expect(byHand + tables()).toMatchFileSnapshot(page);
});

test('every field that is explained stands in some event, and the other way round', () => {
  expect([...fieldNames()].toSorted()).toEqual(Object.keys(logFields).toSorted());
});

test.each(everyEvent.map((event) => [event.type, event] as const))(
  'what is logged of %s is listed',
  (_type, event) => {
    const { level, event: name, message, fields } = logEntry(event);
    const line = { level, event: name, msg: message, time: new Date(0).toISOString(), ...fields };
    expect(wrongIn(line)).toEqual([]);
  },
);

test.each([
  [{ event: 'session-begun' }, 'no such event'],
  [{ event: 'greeted', level: 'error' }, 'at level'],
  [{ event: 'greeted', route: 7 }, 'greeted.route is 7'],
  [{ event: 'greeted', seconds: null }, 'greeted.seconds is null'],
  [{ event: 'greeted', password: 'x' }, 'a field password'],
])('a line like %j would be found out', (line, words) => {
  expect(wrongIn({ level: 'debug', msg: 'x', time: new Date(0).toISOString(), ...line }).join()).toContain(
    words,
  );
});
