// Is a line of the log as docs/logs.md says? What is not is said in words.

import { logEvents, type LogEventName } from '../../src/ops/log-events.ts';
import { logFields, type FieldName, type FieldRow } from '../../src/ops/log-fields.ts';

const own = new Set(['level', 'time', 'event', 'msg']);

/** Empty for a line that keeps its promise. `line` is a parsed line of the JSON log. */
export function wrongIn(line: Readonly<Record<string, unknown>>): readonly string[] {
  const { event, level, msg, time } = line;
  if (typeof event !== 'string' || !isEvent(event)) return [`no such event: ${String(event)}`];
  const { levels, fields } = logEvents[event];
  return [
    ...(levels.some((known) => known === level) ? [] : [`${event} at level ${String(level)}`]),
    ...(typeof msg === 'string' && msg !== '' ? [] : [`${event} says nothing`]),
    ...(typeof time === 'string' && isTime(time) ? [] : [`${event} without a time`]),
    ...Object.entries(line)
      .filter(([name]) => !own.has(name))
      .flatMap(([name, value]) => {
        const field = fields.find((known) => known === name);
        if (field === undefined) return [`${event} has a field ${name}`];
        return isOf(value, logFields[field]) ? [] : [`${event}.${name} is ${JSON.stringify(value)}`];
      }),
  ];
}

const isEvent = (name: string): name is LogEventName => Object.hasOwn(logEvents, name);
const isTime = (text: string): boolean => /^-?\d{4,6}-\d\d-\d\dT[\d:.]+Z$/.test(text);

function isOf(value: unknown, { type, nullable }: FieldRow): boolean {
  if (value === null) return nullable === true;
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && value >= 0;
    case 'count':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0;
    case 'yes or no':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'time':
      return typeof value === 'string' && (value === 'never' || isTime(value));
  }
}

/** The names of all fields, as a set to be emptied. */
export const fieldNames = (): Set<FieldName> =>
  new Set(Object.values(logEvents).flatMap(({ fields }) => fields));
