// Ends a connection so that the other side sees it broken, not ended.

import type { Socket } from 'node:net';

/**
 * RST where the handle can (TCP), else a plain destroy. Over TLS give the raw socket and what is `over` it: the TLS socket
 * follows, and must not send close_notify first, which would make a broken mail look whole.
 *
 * While an end is on its way out the system refuses a reset; Node then loses the descriptor for good and the process
 * cannot end. The other side has been told of that end already: a plain destroy it is.
 */
export function reset(socket: Socket, over: Socket = socket): void {
  if (socket.destroyed) return;
  if (isEnding(socket) || isEnding(over)) {
    socket.destroy();
    return;
  }
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}

const isEnding = ({ writableEnded, writableFinished }: Socket): boolean => writableEnded && !writableFinished;
