// Counts what is dropped and tells of it at once, then once a minute while it goes on.

const everyMs = 60_000;

export class DropCount {
  readonly #told: (count: number) => void;
  #count = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(told: (count: number) => void) {
    this.#told = told;
  }

  add(): void {
    this.#count += 1;
    if (this.#timer === null) this.#tell();
  }

  /** Tells the rest. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#count > 0) this.#told(this.#count);
    this.#count = 0;
  }

  #tell(): void {
    const count = this.#count;
    this.#count = 0;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#count > 0) this.#tell();
    }, everyMs).unref();
    this.#told(count);
  }
}
