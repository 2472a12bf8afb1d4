// Makes the entry of one event: only fields the table gives it, every text escaped and bounded. No credential, no
// command, no mail, ever.

import type { FieldsOf, LogEventName, LogLevel } from './log-events.ts';
import { printable } from './printable.ts';

export type LogField = string | number | boolean | null | readonly string[];

export interface LogEntry {
  readonly level: LogLevel;
  /** The event's type, stable. */
  readonly event: LogEventName;
  readonly message: string;
  readonly fields: Readonly<Record<string, LogField>>;
}

/** What is said of an event, before it is made safe. */
export interface Said<E extends LogEventName> {
  readonly message: string;
  /** One that is undefined is left out. */
  readonly fields?: Readonly<Partial<Record<FieldsOf<E>, LogField | undefined>>>;
}

export function entryOf<E extends LogEventName>(
  event: E,
  level: LogLevel,
  { message, fields }: Said<E>,
): LogEntry {
  const given: readonly (readonly [string, LogField | undefined])[] = Object.entries(fields ?? {});
  const safe = given.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, safeField(value)] as const],
  );
  return { level, event, message: printable(message), fields: Object.fromEntries(safe) };
}

/** Escaped and bounded. */
function safeField(value: LogField): LogField {
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'object' && value !== null)
    return value.slice(0, 32).map((item) => printable(item, 64));
  return value;
}

/** Clocks have no more digits than these; floating point has. */
export const toMicroseconds = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** `never` where no date can say it. */
export const isoDate = (milliseconds: number): string => {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? 'never' : date.toISOString();
};
