// A limit in time that acts only after what has arrived was looked at. When the process itself stood still
// (SIGSTOP, a frozen container), Node runs the timers that came due before it reads any socket: without this,
// an answer that lay there in time would count as missing, and a healthy session would end for it.

/** Does nothing until `start`; whoever made it stops it. */
export class Deadline {
  readonly #passed: () => void;
  #timer: NodeJS.Timeout | null = null;
  #last: NodeJS.Immediate | undefined;

  constructor(passed: () => void) {
    this.#passed = passed;
  }

  get running(): boolean {
    return this.#timer !== null;
  }

  /** From now on, whether it ran or not. */
  start(ms: number): this {
    this.stop();
    this.#timer = setTimeout(() => {
      // Sockets are read between the timers and the immediates of a turn; what comes there may still stop this.
      this.#last = setImmediate(() => {
        this.#timer = null;
        this.#passed();
      });
    }, ms);
    return this;
  }

  /** As long again from now, where it runs. */
  extend(): void {
    clearImmediate(this.#last);
    this.#timer?.refresh();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    clearImmediate(this.#last);
    this.#timer = null;
  }
}
