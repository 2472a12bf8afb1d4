// Binds everything that routes listen on, or nothing. Doors that are open already are kept, for whichever
// route; two routes never share one.

import { CommandError } from '../errors.ts';
import type { Door, Listening } from './door.ts';
import type { Inherited } from './inherited.ts';
import { listenFd } from './listen-fd.ts';
import { listenTcp } from './listen-tcp.ts';
import { listenUnix } from './listen-unix.ts';
import type { ListenPlace, Route } from './route.ts';

export type ListeningRoute = Pick<Route, 'name' | 'listen' | 'unsafeListen' | 'allowUsers' | 'clientTls'>;

export type Listened = Pick<Listening, 'doors' | 'skipped'>;

/** One attempt. Whoever makes it calls `undo` when anything of it fails. */
export class Binding {
  readonly #open: Map<string, Door>;
  readonly #inherited: Inherited;
  readonly #routes = new Map<Door, string>();
  readonly #done: Listening[] = [];
  readonly #asked = new Map<ListeningRoute, Promise<Listened>>();

  constructor(open: readonly Door[], inherited: Inherited) {
    this.#open = new Map(open.map((door) => [door.key, door]));
    this.#inherited = inherited;
  }

  /**
   * Every place of a route; asked again, the same answer. Throws CommandError: code `listen-busy`, `listen-denied`,
   * `listen-unsafe` or `listen-failed`.
   */
  listen(route: ListeningRoute): Promise<Listened> {
    const asked = this.#asked.get(route) ?? this.#listen(route);
    this.#asked.set(route, asked);
    return asked;
  }

  async #listen(route: ListeningRoute): Promise<Listened> {
    const doors = new Set<Door>();
    const skipped: Listening['skipped'][number][] = [];
    for (const place of route.listen) {
      const listening = await this.#listenAt(place, route);
      this.#done.push(listening);
      for (const door of listening.opened) this.#open.set(door.key, door);
      for (const door of listening.doors) doors.add(door);
      skipped.push(...listening.skipped);
    }
    for (const door of doors) this.#claim(door, route);
    return { doors: [...doors], skipped };
  }

  #listenAt(place: ListenPlace, route: ListeningRoute): Promise<Listening> {
    const open = this.#open;
    // On a TLS leg nothing crosses the network in clear.
    const reach = route.unsafeListen || route.clientTls.mode !== 'off' ? 'anywhere' : 'loopback';
    switch (place.kind) {
      case 'tcp':
        return listenTcp(place, { name: route.name, reach, open });
      case 'unix':
        return listenUnix(place, { open });
      case 'fd':
        return listenFd(place, { reach, open, inherited: this.#inherited });
    }
  }

  #claim(door: Door, { name, allowUsers }: ListeningRoute): void {
    const other = this.#routes.get(door);
    if (other !== undefined) throw shared(door, [other, name]);
    if (allowUsers !== null && door.address === null) throw uncheckable(door, name);
    this.#routes.set(door, name);
  }

  /** The doors that were not open before. */
  get opened(): ReadonlySet<Door> {
    return new Set(this.#done.flatMap(({ opened }) => opened));
  }

  /** Closes what was opened and takes back what was changed, the last first. Never rejects. */
  async undo(): Promise<void> {
    for (const listening of this.#done.toReversed()) await listening.undo();
  }
}

/** Two routes of one address would serve the clients of one with the server of the other. */
const shared = (door: Door, [one, other]: readonly [string, string]): CommandError =>
  new CommandError('config', `${one} and ${other} both listen on ${door.text}`, {
    code: 'listen-busy',
    hint: 'Give one of them another port (PORT=URL, or listen: in the configuration), path or name.',
  });

const uncheckable = (door: Door, route: string): CommandError =>
  new CommandError('config', `${route} cannot tell the users apart who connect to ${door.text}`, {
    code: 'listen-failed',
    hint: 'allowUsers works on loopback TCP only: say with mode and group who may open the socket file.',
  });
