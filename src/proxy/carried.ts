// What a session carries: counted as it is relayed, told of whenever somebody asks and at the end.

import type { ConnectionId } from './connection-id.ts';
import type { Listener, ProxyEvent } from './events.ts';
import type { Route } from './route.ts';
import { secondsSince } from './upstream.ts';

/** The bytes of one session. Tells of the first ones for the client as of its greeting. */
export class Carried {
  up = 0;
  down = 0;
  readonly #session: ConnectionId;
  readonly #route: Route;
  readonly #on: Listener<ProxyEvent>;
  readonly #started: number;
  readonly #told = { up: 0, down: 0 };
  #greeted = false;

  /** `started` is the session's beginning, as of performance.now(). */
  constructor(
    route: Route,
    facts: {
      readonly session: ConnectionId;
      readonly on: Listener<ProxyEvent>;
      readonly started: number;
    },
  ) {
    this.#session = facts.session;
    this.#route = route;
    this.#on = facts.on;
    this.#started = facts.started;
  }

  count(direction: 'up' | 'down', bytes: number): void {
    if (direction === 'down' && bytes > 0) this.greeted();
    this[direction] += bytes;
  }

  /** The client's greeting goes out now; told once. */
  greeted(): void {
    const { name, protocol } = this.#route;
    if (this.#greeted || protocol === 'tls') return;
    this.#greeted = true;
    this.#on({
      type: 'greeted',
      session: this.#session,
      route: name,
      seconds: secondsSince(this.#started),
    });
  }

  /** Tells of the bytes since it last told of them. */
  tell(): void {
    const bytesUp = this.up - this.#told.up;
    const bytesDown = this.down - this.#told.down;
    if (bytesUp === 0 && bytesDown === 0) return;
    this.#told.up = this.up;
    this.#told.down = this.down;
    this.#on({
      type: 'carried',
      session: this.#session,
      route: this.#route.name,
      bytesUp,
      bytesDown,
    });
  }
}
