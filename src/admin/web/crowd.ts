// How many connections the door holds. When it is full, the oldest that has not shown a token goes: somebody
// who only opens connections must not keep out whoever has one.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export class Crowd {
  readonly #most: number;
  readonly #strangers = new Set<Socket>();
  readonly #known = new Set<Socket>();

  constructor(server: Server, most: number) {
    this.#most = most;
    server.on('connection', (socket) => this.#enter(socket));
  }

  /** From now on this connection counts as one of somebody we know. */
  know(socket: Socket): void {
    if (this.#strangers.delete(socket)) this.#known.add(socket);
  }

  #enter(socket: Socket): void {
    socket.once('close', () => {
      this.#strangers.delete(socket);
      this.#known.delete(socket);
    });
    this.#strangers.add(socket);
    if (this.#strangers.size + this.#known.size <= this.#most) return;
    const [oldest] = this.#strangers;
    oldest?.destroy();
  }
}
