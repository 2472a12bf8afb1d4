// `letterlock status --watch`: the state of the running proxy, looked at again and again. On a terminal it is drawn in
// place, elsewhere block after block, with --json one object a line. A daemon that goes is waited for; Ctrl-C ends it.

import { setTimeout as delay } from 'node:timers/promises';
import type { Operator } from '../src/admin/operator.ts';
import { CommandError } from '../src/errors.ts';
import type { Io } from './io.ts';
import { jsonText } from './io.ts';
import { overviewLines } from './overview-lines.ts';
import { Observer, type Overview } from './overview.ts';
import { Screen } from './screen.ts';

export interface WatchOptions {
  readonly io: Io;
  readonly everyMs: number;
  readonly json: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Until Ctrl-C, after which the terminal is as it was. @throws CommandError when there is no daemon at the beginning */
export async function watchUntilStopped(
  operator: Operator,
  options: Omit<WatchOptions, 'signal'>,
): Promise<void> {
  const stop = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const end = (): void => stop.abort();
  for (const signal of signals) process.on(signal, end);
  try {
    await watch(operator, { ...options, signal: stop.signal });
  } finally {
    for (const signal of signals) process.removeListener(signal, end);
  }
}

/** As watchUntilStopped, until the signal aborts. */
export async function watch(operator: Operator, { io, everyMs, json, signal }: WatchOptions): Promise<void> {
  const observer = new Observer(operator, io.now);
  let picture: Picture | null = null;
  try {
    let last = await observer.look();
    picture = json ? jsonPicture(io) : pictureOn(io);
    picture.show(last, null);
    while (await paused(everyMs, signal)) {
      const next = await observer.look().catch(gone);
      if (next instanceof CommandError) picture.show(last, next);
      else {
        const anew = next.status.startedAt !== last.status.startedAt;
        picture.show(next, anew ? 'the daemon was started anew' : null);
        last = next;
      }
    }
  } finally {
    observer.close();
    picture?.close();
  }
}

/** A daemon that does not answer may be there again; anything else is an error of ours. */
function gone(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  throw error;
}

/** False when it was ended meanwhile. */
async function paused(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    // Ended.
  }
  return !signal.aborted;
}

type News = CommandError | string | null;

interface Picture {
  readonly show: (overview: Overview, news: News) => void;
  readonly close: () => void;
}

const newsLines = (news: News): readonly string[] => {
  if (news === null) return [];
  return news instanceof CommandError
    ? [`NO ANSWER: ${news.message}. What follows is of the last answer; trying again.`, '']
    : [`NEW: ${news}.`, ''];
};

function pictureOn(io: Io): Picture {
  const { terminal } = io;
  if (terminal === undefined) {
    return {
      show: (overview, news) => io.print(...newsLines(news), ...overviewLines(overview), ''),
      close: () => undefined,
    };
  }
  const screen = new Screen(terminal);
  return {
    show: (overview, news) =>
      screen.draw([...newsLines(news), ...overviewLines(overview), '', '(Ctrl-C ends)']),
    close: () => screen.close(),
  };
}

/** Each event once, in the line after it happened. */
function jsonPicture(io: Io): Picture {
  let told = -1;
  return {
    show: (overview, news) => {
      const events = overview.events.filter(({ id }) => id > told);
      told = overview.events.at(-1)?.id ?? told;
      const line =
        news instanceof CommandError
          ? { at: new Date(io.now()).toISOString(), error: { code: news.code, message: news.message } }
          : { ...overview, events };
      io.print(jsonText(line, 0));
    },
    close: () => undefined,
  };
}
