// The log: one line an entry, on stderr (stdout is for results), as JSON or for people. Never a file of its
// own, never a reason to stop or to wait: a reader that is slow or went away is not an error of the proxy.

import { fstatSync } from 'node:fs';
import { pino } from 'pino';
import type { ProxyEvent } from '../proxy/events.ts';
import { entryOf, type LogEntry, type Said } from './entry-of.ts';
import { isQuiet, logEntry } from './log-entry.ts';
import type { LogEventName, LogLevel } from './log-events.ts';
import { LogSink } from './log-sink.ts';
import { prettyLine } from './pretty-line.ts';
import { Repeats } from './repeats.ts';

export interface LogLook {
  readonly level: LogLevel;
  /** `auto`: pretty on a terminal, JSON elsewhere. */
  readonly format: 'json' | 'pretty' | 'auto';
}

export interface LogOptions extends LogLook {
  /** Where lines go; default 2, stderr. */
  readonly fd?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly terminal?: boolean;
  readonly now?: () => number;
}

/** Whoever opens one closes it: only then is told what is still summed up or kept. */
export interface Log {
  /** Listener for the proxy's events; `entryFor` makes the entry, where one is wanted. */
  event(event: ProxyEvent, entryFor?: typeof logEntry): void;
  /** For what is not an event of the proxy. Texts are escaped and bounded; name no secret. */
  write<E extends LogEventName>(level: LogLevel, entry: Said<E> & { readonly event: E }): void;
  /** From now on at this level, in this format. */
  configure(look: LogLook): void;
  close(): void;
}

/** Syslog priorities as journald reads them from `<N>` at the start of a line (sd-daemon(3)). */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

export function openLog(options: LogOptions): Log {
  const { env = process.env, terminal = process.stderr.isTTY, now = Date.now } = options;
  let look: LogLook = options;
  const isPretty = (): boolean => look.format === 'pretty' || (look.format === 'auto' && terminal);
  const json = jsonLines(now);
  const mark = isJournal(options.fd ?? 2, env['JOURNAL_STREAM']) ? journalMark : () => '';
  const line = (entry: LogEntry): string => {
    const colour = terminal && !env['NO_COLOR'];
    const text = isPretty() ? prettyLine(entry, { colour, now: now() }) : json(entry);
    return `${mark(entry.level)}${text}\n`;
  };
  const sink = new LogSink(options.fd ?? 2, ({ lines, bytes }) =>
    line(entryOf('log-lost', 'warn', { message: lostMessage(lines), fields: { lines, bytes } })),
  );
  const repeats = new Repeats({ put: (entry) => sink.write(line(entry)), now });
  const take = (entry: LogEntry): void => {
    if (priorities[entry.level] <= priorities[look.level]) repeats.take(entry);
  };
  return {
    event: (event, entryFor = logEntry) => {
      if (look.level === 'debug' || !isQuiet(event)) take(entryFor(event));
    },
    write: (level, entry) => take(entryOf(entry.event, level, entry)),
    configure: (next) => {
      look = next;
    },
    close: () => {
      repeats.close();
      sink.close();
    },
  };
}

const lostMessage = (lines: number): string =>
  `${lines} ${lines === 1 ? 'line is' : 'lines are'} missing here: whoever reads this log did not keep up`;

const journalMark = (level: LogLevel): string => `<${priorities[level]}>`;

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

/** pino escapes and orders; its own writing waits for a slow reader, so that it writes into a variable. */
function jsonLines(now: () => number): (entry: LogEntry) => string {
  let line = '';
  const logger = pino(
    {
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (text) => {
        line = text.trimEnd();
      },
    },
  );
  return ({ level, event, message, fields }) => {
    logger[level]({ event, ...fields }, message);
    return line;
  };
}
