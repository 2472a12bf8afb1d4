// Waits that end early when they are not wanted any more.

/** Resolves after `ms`, or when `signal` aborts. `unref`: does not keep the process alive. Never rejects. */
export function pause(
  ms: number,
  { refs, signal }: { readonly refs: 'ref' | 'unref'; readonly signal: AbortSignal | null },
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (refs === 'unref') timer.unref();
    signal?.addEventListener('abort', done, { once: true });
  });
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
