// The connections that are in use, by key: when a key loses its trust they are closed at once.

import type { TLSSocket } from 'node:tls';
import { Failure } from '../errors.ts';
import type { KeyEvent } from './hooks.ts';

export class Live {
  readonly #sockets = new Map<string, Set<TLSSocket>>();

  add(socket: TLSSocket, key: KeyEvent): void {
    if (socket.destroyed) return;
    const name = nameOf(key);
    const sockets = this.#sockets.get(name) ?? new Set();
    this.#sockets.set(name, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.#sockets.get(name) === sockets) this.#sockets.delete(name);
    });
  }

  revoke(key: KeyEvent): void {
    const error = new Failure('relay', `the key of ${key.endpoint} is not trusted any more`);
    for (const socket of this.#sockets.get(nameOf(key)) ?? []) socket.destroy(error);
  }
}

const nameOf = ({ endpoint, spki }: KeyEvent): string => `${endpoint}\0${spki}`;
