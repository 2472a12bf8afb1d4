// The sessions of a proxy that are open now, and how many of them each route has. It starts and ends none.

import type { Session } from './session.ts';

export class SessionTable {
  readonly #sessions = new Set<Session>();
  /** By the name of the route: also those that began before a reload. */
  readonly #counts = new Map<string, number>();
  #emptied: (() => void) | null = null;

  add(session: Session): void {
    const { name } = session.desk.route;
    this.#sessions.add(session);
    this.#counts.set(name, this.of(name) + 1);
  }

  remove(session: Session): void {
    const { name } = session.desk.route;
    this.#sessions.delete(session);
    const left = this.of(name) - 1;
    if (left > 0) this.#counts.set(name, left);
    else this.#counts.delete(name);
    if (this.#sessions.size === 0) this.#emptied?.();
  }

  /** How many a route has, by its name. */
  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Oldest first; one that ends meanwhile is left out. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** Resolves when no session is left, or after `ms`; null waits without an end. */
  emptiedWithin(ms: number | null): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
