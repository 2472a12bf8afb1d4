// Waiting for the user to end a command that goes on by itself.

export interface Stop {
  /** Resolves at the first signal; one that comes earlier than anybody waits counts too. */
  readonly stopped: Promise<void>;
  /** From here on a signal ends the process at once. */
  readonly release: () => void;
}

/** A signal that comes while something is being closed must not end that. */
export function untilStopped(): Stop {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of signals) process.on(signal, stop);
  return {
    stopped: new Promise((resolve) => {
      stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    }),
    release: () => {
      for (const signal of signals) process.removeListener(signal, stop);
    },
  };
}
