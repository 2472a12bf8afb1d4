// For the rest of a socket's life: an error between two phases must not end the process. The listener is one function for
// all sockets: one made where it is put would keep alive, as long as the socket, all that is known there.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export const swallowErrors = (socket: Socket): void => void socket.on('error', swallow);

const swallow = (): void => undefined;

/**
 * The same for TLS towards a server: Node tells of TLS that breaks after the handshake and leaves the connection open, so
 * that whoever waits for a word or an end would wait in vain. Those who listen for the error hear of it first.
 */
export const closeOnError = (socket: TLSSocket): void => void socket.on('error', closeSoon);

function closeSoon(this: Socket): void {
  queueMicrotask(() => this.destroy());
}
