// How many connections a server holds. When it is full, the oldest of strangers goes: somebody who only opens
// connections must not keep out whoever has something to ask. Who is no stranger the server itself says.

import type { Server, Socket } from 'node:net';

interface Places {
  readonly most: number;
  /** Who goes where nobody is a stranger but the one that comes; default: that one. */
  readonly whenAllKnown?: 'newcomer' | 'oldest';
}

export class Crowd {
  readonly #places: Places;
  readonly #strangers = new Set<Socket>();
  readonly #known = new Set<Socket>();

  constructor(server: Server, places: Places) {
    this.#places = places;
    server.on('connection', (socket) => this.#enter(socket));
  }

  /** From now on this connection counts as one of somebody we know. */
  know(socket: Socket): void {
    if (this.#strangers.delete(socket)) this.#known.add(socket);
  }

  /** From now on it is a stranger's again, the youngest. */
  forget(socket: Socket): void {
    if (this.#known.delete(socket)) this.#strangers.add(socket);
  }

  #enter(socket: Socket): void {
    const { most, whenAllKnown = 'newcomer' } = this.#places;
    const [oldestKnown] = this.#known;
    const [oldest] = this.#strangers;
    socket.once('close', () => {
      this.#strangers.delete(socket);
      this.#known.delete(socket);
    });
    this.#strangers.add(socket);
    if (this.#strangers.size + this.#known.size <= most) return;
    const leaving = whenAllKnown === 'oldest' ? oldestKnown : socket;
    (oldest ?? leaving)?.destroy();
  }
}
