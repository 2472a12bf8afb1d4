// Whether sessions that carry much read into buffers of ours on this Node, found out when the first of them would. Until that is
// known, and where it does not work, they go on as streams: slower, and nothing else.

import { ReadBuffers } from './read-buffers.ts';

const deadlineMs = 10_000;

/** One for a process. */
export class OwnReads {
  readonly #failed: () => void;
  readonly #stop = new AbortController();
  #state: 'untried' | 'trying' | 'no' = 'untried';
  #buffers: ReadBuffers | null = null;

  /** `failed` is called once when they do not work here. */
  constructor(failed: () => void = () => undefined) {
    this.#failed = failed;
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
    const { tryReadInto } = await import('./read-trial.ts');
    const buffers = new ReadBuffers();
    const works = await tryReadInto(buffers, { deadlineMs, signal: this.#stop.signal });
    if (works) this.#buffers = buffers;
    else this.#state = 'no';
    if (!works && !this.#stop.signal.aborted) this.#failed();
  }
}
