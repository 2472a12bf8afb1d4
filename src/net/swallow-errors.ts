// For the rest of a socket's life: an error between two phases must not end the process. The listener is one function for
// all sockets: one made where it is put would keep alive, as long as the socket, all that is known there.

import type { Socket } from 'node:net';

export const swallowErrors = (socket: Socket): void => void socket.on('error', swallow);

const swallow = (): void => undefined;
