// The last of a connection: data written and not yet taken must get out, but not for ever.

import type { Socket } from 'node:net';

/** Resolves once every socket was destroyed, after `ms`, or when the signal is aborted. Closes nothing itself. */
export function closedWithin(
  sockets: readonly Socket[],
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      for (const socket of sockets) socket.removeListener('close', look);
      resolve();
    };
    const look = (): void => {
      if (sockets.every((socket) => socket.destroyed)) over();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over, { once: true });
    for (const socket of sockets) socket.on('close', look);
    if (signal.aborted) over();
    else look();
  });
}
