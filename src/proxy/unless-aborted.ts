// A wait that nobody needs any more must not hold a session: a store that hangs would keep the places of
// clients that left long ago, and a shutdown would never end.

import { Failure } from '../errors.ts';

/** Settles as `work` does, or throws the signal's reason when that is first. The work itself goes on. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const release = (): void => signal.removeEventListener('abort', aborted);
    const aborted = (): void => {
      release();
      const reason: unknown = signal.reason;
      reject(reason instanceof Error ? reason : new Failure('client'));
    };
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(release);
    if (signal.aborted) aborted();
  });
}
