// Ends a connection so that the other side sees it broken, not ended.

import type { Socket } from 'node:net';

/**
 * RST where the handle can (TCP), else a plain destroy. Over TLS give the raw socket: the TLS socket over it follows, and
 * must not send close_notify first, which would make a broken mail look whole.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
