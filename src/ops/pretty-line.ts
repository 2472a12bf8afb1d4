// One entry of the log as a line for people: a text that the message says already is not said again, and the
// connection is named as the refusal sentence names it, `#K7Q-123`.

import type { LogEntry, LogField } from './entry-of.ts';
import type { LogLevel } from './log-events.ts';

const colours: Readonly<Record<LogLevel, number>> = { error: 31, warn: 33, info: 32, debug: 90 };

/** Without a line end. */
export function prettyLine(
  { level, message, fields }: LogEntry,
  look: { readonly colour: boolean; readonly now: number },
): string {
  const time = `${new Date(look.now).toISOString().slice(11, 19)}Z`;
  const label = level.toUpperCase().padEnd(5);
  const painted = look.colour ? `\u001b[${colours[level]}m${label}\u001b[0m` : label;
  const words = new Set([message, ...message.split(' ')]);
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== null && !(typeof value === 'string' && words.has(value)))
    .flatMap(([name, value]) => field(name, value, message));
  return [`${time} ${painted} ${message}`, ...(rest.length === 0 ? [] : ['', ...rest])].join(' ');
}

function field(name: string, value: LogField, message: string): readonly string[] {
  if (name !== 'session') return [`${name}=${shown(value)}`];
  const id = `#${String(value)}`;
  return message.includes(id) ? [] : [id];
}

function shown(value: LogField): string {
  const text = Array.isArray(value) ? value.join('; ') : String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
