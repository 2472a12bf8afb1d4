// One listening socket, of whatever kind, as the proxy sees it. It accepts at once. Who comes before somebody serves
// there waits, unread and unanswered, until somebody does; who comes after the last one is reset.

import { createServer, type Server, type Socket } from 'node:net';
import { swallowErrors } from '../net/swallow-errors.ts';
import type { Address } from './address.ts';

export interface DoorParts {
  /** Two doors with one key cannot be open together. */
  readonly key: string;
  /** As shown: `127.0.0.1:1143`, `unix:/run/imap.sock`. */
  readonly text: string;
  /** Listening already, made by `doorServer`. */
  readonly server: Server;
  /** Instead of closing the server. */
  readonly leave?: () => void;
}

export class Door {
  readonly key: string;
  readonly text: string;
  /** Null for a socket file. */
  readonly address: Address | null;
  /** The listening socket failed after it was bound (out of descriptors); it goes on listening. */
  failed: ((error: Error) => void) | null = null;
  readonly #server: Server;
  readonly #leave: () => void;
  #serve: ((socket: Socket) => void) | null = null;
  /** In the order they came, those who are still there; null once somebody served, or nobody ever will. */
  #waiting: Set<Socket> | null = new Set();

  constructor({ key, text, server, leave }: DoorParts) {
    const bound = server.address();
    this.key = key;
    this.text = text;
    this.address = bound === null || typeof bound === 'string' ? null : bound;
    this.#server = server;
    this.#leave = leave ?? (() => void server.close());
    server.on('error', (error) => this.failed?.(error));
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** Must not throw. The socket is the receiver's. From now on the door keeps the process alive. */
  set serve(serve: (socket: Socket) => void) {
    this.#serve = serve;
    this.#server.ref();
    for (const socket of this.#waiters()) serve(socket);
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting?.size ?? 0;
  }

  #accept(socket: Socket): void {
    swallowErrors(socket);
    // A UNIX socket has no reset, and Node throws when it is asked for one.
    if (this.address === null) socket.resetAndDestroy = () => socket.destroy();
    if (this.#serve !== null) this.#serve(socket);
    else if (this.#waiting !== null && this.#waiting.size < mostWaiting) this.#wait(socket, this.#waiting);
    else socket.resetAndDestroy();
  }

  /** Who leaves meanwhile keeps no place that another could have. */
  #wait(socket: Socket, waiting: Set<Socket>): void {
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
  }

  /** Those who are still there; from now on nobody waits. */
  #waiters(): readonly Socket[] {
    const waiting = [...(this.#waiting ?? [])].filter(({ destroyed }) => !destroyed);
    this.#waiting?.clear();
    this.#waiting = null;
    return waiting;
  }

  /** Stops accepting, at once, and resets who waits; connections that are served go on. */
  close(): void {
    this.#serve = null;
    for (const socket of this.#waiters()) socket.resetAndDestroy();
    this.#leave();
  }
}

/** Half-open: a client that ended may still be owed an answer. */
export const doorServer = (): Server =>
  createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });

/**
 * Connections the kernel holds until they are accepted, where it grants so many. Who finds no place there is not told, and
 * comes again after seconds: with the usual 511 a flood fills it whenever this process has to wait for a processor.
 */
export const backlog = 4096;

/** Clients a door holds until they are served: each has a descriptor of ours. */
export const mostWaiting = 511;

/** What one place gave. */
export interface Listening {
  /** Every door of this place, kept ones and new ones. */
  readonly doors: readonly Door[];
  /** The new ones among them. */
  readonly opened: readonly Door[];
  /** What could not be bound because this machine has no such address or family. */
  readonly skipped: readonly { readonly address: string; readonly cause: string }[];
  /** Takes back what was done for this place. Never rejects. */
  readonly undo: () => Promise<void>;
}

/** What a place gave that had nothing to take back but its new doors. */
export const listeningAt = (
  doors: readonly Door[],
  { opened, skipped = [] }: { readonly opened: readonly Door[]; readonly skipped?: Listening['skipped'] },
): Listening => ({
  doors,
  opened,
  skipped,
  undo: () => {
    for (const door of opened) door.close();
    return Promise.resolve();
  },
});
