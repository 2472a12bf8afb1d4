// What was opened, to be closed in the reverse order, each once, whatever the others say.

export class Closing {
  readonly #steps: (() => Promise<void> | void)[] = [];
  #running: Promise<void> | null = null;

  /** Adds what closes the thing just opened. */
  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Never rejects; called twice, both wait for the one run. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      try {
        await step();
      } catch {
        // The next ones must be closed all the same: a store left open loses nothing, but a lock stays.
      }
    }
  }
}
