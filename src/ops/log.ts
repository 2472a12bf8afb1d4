// The log: one line an entry, on stderr (stdout is for results), as JSON or for people. Never a file of its
// own, never lost at exit (writes are synchronous), never a reason to stop: a reader that went away is not
// an error of the proxy.

import { fstatSync } from 'node:fs';
import { pino } from 'pino';
import type { ProxyEvent } from '../proxy/events.ts';
import { logEntry, safeField } from './log-entry.ts';
import type { LogEntry, LogField, LogLevel } from './log-entry.ts';
import { printable } from './printable.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** `auto`: pretty on a terminal, JSON elsewhere. */
  readonly format: 'json' | 'pretty' | 'auto';
  /** Where lines go; default 2, stderr. */
  readonly fd?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly terminal?: boolean;
  readonly now?: () => number;
}

export interface Log {
  /** Listener for the proxy's events. */
  event(event: ProxyEvent): void;
  /** For what is not an event of the proxy. Texts are escaped and bounded; name no secret. */
  write(
    level: LogLevel,
    entry: {
      readonly event: string;
      readonly message: string;
      readonly fields?: Readonly<Record<string, LogField>>;
    },
  ): void;
}

/** Syslog priorities as journald reads them from `<N>` at the start of a line (sd-daemon(3)). */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };
const colours: Readonly<Record<LogLevel, number>> = { error: 31, warn: 33, info: 32, debug: 90 };

export function openLog(options: LogOptions): Log {
  const env = options.env ?? process.env;
  const terminal = options.terminal ?? process.stderr.isTTY;
  const pretty = options.format === 'pretty' || (options.format === 'auto' && terminal);
  const line = openSink(options.fd ?? 2, env);
  const put = pretty
    ? prettyWriter(line, { colour: terminal && !env['NO_COLOR'], now: options.now ?? Date.now })
    : jsonWriter(line, options.level);
  const write = (entry: LogEntry): void => {
    if (priorities[entry.level] <= priorities[options.level]) put(entry);
  };
  return {
    event: (event) => write(logEntry(event)),
    write: (level, entry) =>
      write({
        level,
        event: entry.event,
        message: printable(entry.message),
        fields: safeFields(entry.fields ?? {}),
      }),
  };
}

function safeFields(fields: Readonly<Record<string, LogField>>): Readonly<Record<string, LogField>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, safeField(value)]));
}

type Line = (level: LogLevel, text: string) => void;

function openSink(fd: number, env: NodeJS.ProcessEnv): Line {
  const sink = pino.destination({ dest: fd, sync: true });
  sink.on('error', () => undefined);
  const journal = isJournal(fd, env['JOURNAL_STREAM']);
  return (level, text) => {
    sink.write(journal ? `<${priorities[level]}>${text}\n` : `${text}\n`);
  };
}

/** systemd names the stream it gave; a redirected stderr is another one and gets no priorities. */
function isJournal(fd: number, stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

function jsonWriter(line: Line, level: LogLevel): (entry: LogEntry) => void {
  let current: LogLevel = 'info';
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (text) => line(current, text.trimEnd()) },
  );
  return (entry) => {
    current = entry.level;
    logger[entry.level]({ event: entry.event, ...entry.fields }, entry.message);
  };
}

/** For people: a text that the message says already is not said again. */
function prettyWriter(
  line: Line,
  look: { readonly colour: boolean; readonly now: () => number },
): (entry: LogEntry) => void {
  return (entry) => {
    const time = `${new Date(look.now()).toISOString().slice(11, 19)}Z`;
    const level = entry.level.toUpperCase().padEnd(5);
    const painted = look.colour ? `\u001b[${colours[entry.level]}m${level}\u001b[0m` : level;
    const words = new Set([entry.message, ...entry.message.split(' ')]);
    const rest = Object.entries(entry.fields)
      .filter(([, value]) => value !== null && !(typeof value === 'string' && words.has(value)))
      .map(([name, value]) => `${name}=${shown(value)}`)
      .join(' ');
    line(entry.level, `${time} ${painted} ${entry.message}${rest === '' ? '' : `  ${rest}`}`);
  };
}

function shown(value: LogField): string {
  const text = Array.isArray(value) ? value.join('; ') : String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
