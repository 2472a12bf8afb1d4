// Whether sessions that carry much read into buffers of ours on this Node, found out when the first of them would. Until that is
// known, and where it does not work, they go on as streams: slower, and nothing else.

import { ReadBuffers } from './read-buffers.ts';
import type * as Trial from './read-trial.ts';

const deadlineMs = 10_000;

/** Loads with the first that asks. */
const loadTrial = (): Promise<Pick<typeof Trial, 'tryReadInto'>> => import('./read-trial.ts');

/** One for a process. */
export class OwnReads {
  readonly #failed: () => void;
  readonly #load: typeof loadTrial;
  readonly #stop = new AbortController();
  #state: 'untried' | 'trying' | 'no' = 'untried';
  #buffers: ReadBuffers | null = null;

  /** `failed` is called once when they do not work here. */
  constructor(failed: () => void = () => undefined, load = loadTrial) {
    this.#failed = failed;
    this.#load = load;
  }

  /** Null now; to be asked again. */
  readonly buffers = (): ReadBuffers | null => {
    if (this.#buffers === null && this.#state === 'untried') void this.#try();
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
