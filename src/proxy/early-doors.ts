// The listening sockets of a proxy that is not there yet: bound as soon as the configuration is known to be sound, while
// all that serves there is still being loaded. Who connects waits. What cannot be bound is told when the proxy starts,
// so that whatever else keeps it from starting is told in the same order as ever.

import { Inherited, takeInherited } from './inherited.ts';
import { Binding, type ListeningRoute } from './listener.ts';

/** What a proxy takes over; it closes both. */
export interface Doors {
  readonly inherited: Inherited;
  readonly binding: Binding;
}

/** Whoever opens them hands them to a proxy or closes them. */
export class EarlyDoors {
  readonly #doors: Doors;
  readonly #broken: unknown;
  #claimed = false;

  private constructor(doors: Doors, broken: unknown) {
    this.#doors = doors;
    this.#broken = broken;
  }

  /** Never rejects. Takes the variables of socket activation out of `env`. */
  static async open(routes: readonly ListeningRoute[], env: NodeJS.ProcessEnv): Promise<EarlyDoors> {
    let opened: Doors;
    try {
      opened = doorsOf(new Inherited(takeInherited(env, process.pid)));
    } catch (error) {
      return new EarlyDoors(doorsOf(new Inherited()), error);
    }
    await listenAll(opened.binding, routes);
    return new EarlyDoors(opened, null);
  }

  /** Once. Throws CommandError `listen-failed` where the sockets that were passed make no sense. */
  claim(): Doors {
    this.#claimed = true;
    if (this.#broken !== null) throw this.#broken;
    return this.#doors;
  }

  /** What `load` comes to; where it fails they are closed: open doors would keep alive a process that serves nobody. */
  async across<T>(load: Promise<T>): Promise<T> {
    try {
      return await load;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Unless they were claimed. Never rejects. */
  async close(): Promise<void> {
    if (this.#claimed) return;
    this.#doors.inherited.close();
    await this.#doors.binding.undo();
  }
}

const doorsOf = (inherited: Inherited): Doors => ({ inherited, binding: new Binding([], inherited) });

/** Up to the first that cannot be bound: the binding gives the same answer to the proxy. */
async function listenAll(binding: Binding, routes: readonly ListeningRoute[]): Promise<void> {
  try {
    for (const route of routes) await binding.listen(route);
  } catch {
    // Told by the proxy.
  }
}
