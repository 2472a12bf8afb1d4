// When an answer is over: it was written whole, or nobody is there to read it any more. Whatever lasts as long as an
// answer hangs on this, and on nothing else.

import { once, setMaxListeners } from 'node:events';
import type { Server, ServerResponse } from 'node:http';

/**
 * Calls once, at once where it is over already. An answer that waits behind another one on its connection hears
 * nothing of the connection's end from Node before 24, so that the connection is listened to as well.
 */
export function whenOver(response: ServerResponse, told: () => void): void {
  const { socket } = response.req;
  const over = (): void => {
    response.off('close', over);
    socket.off('close', over);
    told();
  };
  if (response.closed || socket.destroyed) return told();
  // As many as were sent without waiting for an answer; each is taken off when it is answered.
  setMaxListeners(0, socket);
  response.once('close', over);
  socket.once('close', over);
}

/** Waits until what was written has been taken. Rejects when that takes too long, or the signal aborts. */
export async function taken(
  response: ServerResponse,
  { drainMs, signal }: { readonly drainMs: number; readonly signal: AbortSignal },
): Promise<void> {
  await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(drainMs)]) });
}

/** Whoever does not take a finished answer in this time is let go: Node itself waits for ever, and any byte it sends counts as life. */
export function endUnread(server: Server, answerMs = 120_000): void {
  server.on('request', ({ socket }, response) => {
    response.once('prefinish', () => {
      const timer = setTimeout(() => socket.destroy(), answerMs).unref();
      const isTaken = (): void => clearTimeout(timer);
      response.once('finish', isTaken);
      whenOver(response, isTaken);
    });
  });
}
