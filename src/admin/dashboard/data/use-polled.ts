// Asks one question of the daemon again and again while the page is seen. What was answered last stays on the
// screen when a later question fails, with the error beside it.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { ApiError, type Api } from './api.ts';

export interface Polled<T> {
  readonly value: T | null;
  readonly error: ApiError | null;
  /** Asks again at once. */
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
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const value = await api.ask<T>(path, ended.signal);
        setAnswer({ path, value, error: null });
      } catch (error) {
        if (ended.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError('internal', String(error), null);
        setAnswer((last) => ({ path, value: last.path === path ? last.value : null, error: told }));
      }
      if (everyMs !== null && !ended.signal.aborted) timer = setTimeout(again, everyMs);
    };
    const again = (): void => {
      if (!document.hidden) void look();
    };
    const seen = (): void => {
      clearTimeout(timer);
      again();
    };
    if (everyMs !== null) document.addEventListener('visibilitychange', seen);
    void look();
    return () => {
      ended.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [api, path, everyMs, turn]);
  const refresh = useCallback(() => setTurn((count) => count + 1), []);
  const current = answer.path === path ? answer : { value: null, error: null };
  return { value: current.value, error: current.error, refresh };
}
