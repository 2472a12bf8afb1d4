// Whether sessions read into buffers of ours on this Node, found out once one carries much or there were some. Until that is
// known, and where it does not work, they go on as streams: slower, and nothing else.

import { ReadBuffers } from './read-buffers.ts';
import type * as Trial from './read-trial.ts';

const deadlineMs = 10_000;
/** A program that asks its server now and then is not worth a trial; it is one direction of a session each. */
const asksBeforeTrial = 32;

/** What the buffers are for: a session that begins, or one that carries much. */
export type Need = 'session' | 'bulk';

/** Loads with the first that asks. */
const loadTrial = (): Promise<Pick<typeof Trial, 'tryReadInto'>> => import('./read-trial.ts');

/** One for a process. */
export class OwnReads {
  readonly #failed: () => void;
  readonly #load: typeof loadTrial;
  readonly #stop = new AbortController();
  #state: 'untried' | 'trying' | 'no' = 'untried';
  #buffers: ReadBuffers | null = null;
  #asks = 0;

  /** `failed` is called once when they do not work here. */
  constructor(failed: () => void = () => undefined, load = loadTrial) {
    this.#failed = failed;
    this.#load = load;
  }

  /** Null now; to be asked again. */
  readonly buffers = (need: Need): ReadBuffers | null => {
    if (this.#buffers !== null || this.#state !== 'untried') return this.#buffers;
    this.#asks += 1;
    if (need === 'bulk' || this.#asks >= asksBeforeTrial) void this.#try();
    return this.#buffers;
  };

  close(): void {
    this.#stop.abort();
  }

  async #try(): Promise<void> {
    this.#state = 'trying';
    const buffers = new ReadBuffers();
    const works = await this.#works(buffers);
    if (works) this.#buffers = buffers;
    else this.#state = 'no';
    if (!works && !this.#stop.signal.aborted) this.#failed();
  }

  /** Not where it cannot be loaded either: another release was put in the place of this one while it ran. */
  async #works(buffers: ReadBuffers): Promise<boolean> {
    try {
      const { tryReadInto } = await this.#load();
      return await tryReadInto(buffers, { deadlineMs, signal: this.#stop.signal });
    } catch {
      return false;
    }
  }
}
