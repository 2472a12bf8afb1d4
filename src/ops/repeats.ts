// A storm must not fill the disk that the log is kept on: of entries that say the same, the first few of a minute are
// written and the others counted, and the count is written when the minute is over. What counts as the same stands in
// log-events.ts; entries without a row for it (changes of trust) always pass. Memory is bounded however many
// different things come: beyond the limit the less is told apart.

import type { LogEntry, LogField } from './entry-of.ts';
import { entryOf } from './entry-of.ts';
import { logEvents, type LogLevel } from './log-events.ts';

/** How many of the same are written within a window. Whoever asks for debug wants to see more of them. */
const written: Readonly<Record<LogLevel, number>> = { error: 5, warn: 5, info: 50, debug: 100 };
const windowMs = 60_000;
/** Things told apart within a window. */
const maxKinds = 1_000;

export interface RepeatsOptions {
  readonly put: (entry: LogEntry) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Entries that say the same, since `from`. */
interface Kind {
  readonly first: LogEntry;
  readonly from: number;
  seen: number;
  /** The ends of what was not written. */
  held: { readonly first: LogField | undefined; last: LogField | undefined } | null;
}

/** Whoever makes one closes it, which tells what is still held. Its timer does not keep the process alive. */
export class Repeats {
  readonly #options: RepeatsOptions;
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RepeatsOptions) {
    this.#options = options;
  }

  /** Writes the entry, or counts it. */
  take(entry: LogEntry): void {
    const key = keyOf(entry);
    if (key === null) return this.#options.put(entry);
    const kind = this.#kindOf(key, entry);
    kind.seen += 1;
    if (kind.seen <= written[entry.level]) return this.#options.put(entry);
    const { session } = entry.fields;
    if (kind.held === null) kind.held = { first: session, last: session };
    else kind.held.last = session;
    this.#timer ??= setTimeout(() => this.#look(), windowMs).unref();
  }

  /** Tells of all that is held, now. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const kind of this.#kinds.values()) this.#tell(kind);
    this.#kinds.clear();
  }

  #kindOf(key: string, entry: LogEntry): Kind {
    const now = this.#options.now();
    const known = this.#kinds.get(key);
    if (known !== undefined && !isOver(known, now)) return known;
    if (known === undefined && this.#kinds.size >= maxKinds) this.#endOver(now);
    const crowded = known === undefined && this.#kinds.size >= maxKinds;
    // All that is new in a crowd is one kind for each event and level, and no place is taken from any other.
    const place = crowded ? `${entry.event} ${entry.level}` : key;
    const there = crowded ? this.#kinds.get(place) : known;
    if (there !== undefined && !isOver(there, now)) return there;
    if (there !== undefined) this.#tell(there);
    const kind: Kind = { first: crowded ? withoutFields(entry) : entry, from: now, seen: 0, held: null };
    this.#kinds.set(place, kind);
    return kind;
  }

  #look(): void {
    this.#timer = null;
    this.#endOver(this.#options.now());
    if ([...this.#kinds.values()].some(({ held }) => held !== null))
      this.#timer = setTimeout(() => this.#look(), windowMs / 4).unref();
  }

  #endOver(now: number): void {
    for (const [key, kind] of this.#kinds) {
      if (!isOver(kind, now)) continue;
      this.#tell(kind);
      this.#kinds.delete(key);
    }
  }

  #tell({ first, from, seen, held }: Kind): void {
    if (held === null) return;
    const { event, level, fields } = first;
    const times = seen - written[level];
    const seconds = Math.max(0, Math.round((this.#options.now() - from) / 1000));
    this.#options.put(
      entryOf('repeated', level, {
        message: `${whatOf(first)} ${grouped(times)} more ${times === 1 ? 'time' : 'times'} in the last ${seconds} s`,
        fields: {
          of: event,
          route: fields['route'],
          endpoint: fields['endpoint'],
          outcome: fields['outcome'],
          reason: fields['reason'],
          result: fields['result'],
          times,
          seconds,
          firstSession: held.first,
          lastSession: held.last,
        },
      }),
    );
  }
}

/** A clock set back ends a window rather than making hours of it. */
const isOver = ({ from }: Kind, now: number): boolean => now < from || now - from >= windowMs;

function keyOf({ event, level, message, fields }: LogEntry): string | null {
  const { sameBy } = logEvents[event];
  if (sameBy === undefined) return null;
  const same = sameBy.map((name) => (name === 'message' ? message : fields[name]));
  return [event, level, ...same.map(String)].join('\0');
}

const withoutFields = ({ level, event }: LogEntry): LogEntry => ({
  level,
  event,
  message: `${event} of other kinds`,
  fields: {},
});

/** What happened, in words: an entry's own message names one connection among thousands. */
function whatOf({ event, message, fields: { outcome, endpoint, route, reason } }: LogEntry): string {
  if (event !== 'session-ended' || typeof outcome !== 'string') return `${message},`;
  const about = String(outcome === 'rejected' ? route : endpoint);
  const why = typeof reason === 'string' ? ` (${reason})` : '';
  return `${deeds[outcome] ?? outcome} ${about}${why}`;
}

const deeds: Readonly<Record<string, string>> = {
  relayed: 'relayed',
  refused: 'refused',
  failed: 'no session with',
  rejected: 'closed a client of',
};

/** `4 812`: with a space, which every language reads. */
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ' ');
