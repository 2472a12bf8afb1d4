// Asks one question of the daemon again and again while the page is seen. What was answered last stays on the
// screen when a later question fails, with the error beside it.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, type Api } from './api.ts';

/** What failed is asked again sooner: until then the page is out of date. */
const retryMs = 2000;

export interface Polled<T> {
  readonly value: T | null;
  readonly error: ApiError | null;
  /** Asks again at once, or as soon as what is being asked is answered. */
  readonly refresh: () => void;
}

/** `path` null asks nothing. `everyMs` null asks once, and again on `refresh`. */
export function usePolled<T>(api: Api, path: string | null, everyMs: number | null): Polled<T> {
  const [answer, setAnswer] = useState<{
    readonly path: string | null;
    readonly value: T | null;
    readonly error: ApiError | null;
  }>({
    path: null,
    value: null,
    error: null,
  });
  const asking = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (path === null) return undefined;
    const ended = new AbortController();
    const look = async (): Promise<boolean> => {
      try {
        const value = await api.ask<T>(path, ended.signal);
        setAnswer({ path, value, error: null });
        return true;
      } catch (error) {
        if (ended.signal.aborted) return false;
        const told = error instanceof ApiError ? error : new ApiError('internal', String(error), null);
        setAnswer((last) => ({ path, value: last.path === path ? last.value : null, error: told }));
        return false;
      }
    };
    const { ask, stop } = inTurn(look, everyMs);
    const seen = (): void => {
      if (!document.hidden) ask();
    };
    asking.current = ask;
    if (everyMs !== null) document.addEventListener('visibilitychange', seen);
    ask();
    return () => {
      asking.current = () => undefined;
      ended.abort();
      stop();
      document.removeEventListener('visibilitychange', seen);
    };
  }, [api, path, everyMs]);
  const refresh = useCallback(() => asking.current(), []);
  const current = answer.path === path ? answer : { value: null, error: null };
  return { value: current.value, error: current.error, refresh };
}

/**
 * One question at a time. Whoever asks meanwhile gets the next answer: a question that is cut off for a new one would
 * never be answered where there is more to tell than time to tell it.
 */
function inTurn(
  /** Whether it was answered. */
  look: () => Promise<boolean>,
  everyMs: number | null,
): { readonly ask: () => void; readonly stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let [busy, wanted, stopped] = [false, false, false];
  const turn = async (): Promise<void> => {
    busy = true;
    const answered = await look();
    busy = false;
    if (stopped) return;
    if (wanted) ask();
    else if (everyMs !== null) {
      const wait = answered ? everyMs : Math.min(everyMs, retryMs);
      timer = setTimeout(() => document.hidden || ask(), wait);
    }
  };
  const ask = (): void => {
    clearTimeout(timer);
    wanted = busy;
    if (!busy && !stopped) void turn();
  };
  const stop = (): void => {
    clearTimeout(timer);
    stopped = true;
  };
  return { ask, stop };
}
