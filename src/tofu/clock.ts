// Is the clock of this machine to be believed? A clock that is wrong makes good certificates look bad and bad
// ones good, so nothing is learnt while it is in doubt. Nobody on the network is asked.

const graceMs = 30 * 86_400_000;
const enoughEndpoints = 3;
/** A program that looks at ever new servers must not fill the memory: the ones seen last are kept. */
const maxEndpoints = 1024;

/** Validity dates of a leaf, milliseconds since 1970. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Compares the clock with the build date and with what the servers show. One entry for each endpoint is kept, the
 * latest: one server whose dates fit the clock is enough to believe it.
 */
export class ClockWatch {
  readonly #builtAt: number;
  readonly #seen = new Map<string, Validity>();

  constructor(builtAt: number) {
    this.#builtAt = builtAt;
  }

  note(endpoint: string, validity: Validity): void {
    this.#seen.delete(endpoint);
    this.#seen.set(endpoint, validity);
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined && this.#seen.size > maxEndpoints) this.#seen.delete(oldest);
  }

  /** Before the build date, or every endpoint (three at least) shows dates that cannot be right now. */
  isSuspect(now: number): boolean {
    // Also a time that is none.
    if (!(now >= this.#builtAt)) return true;
    const seen = [...this.#seen.values()];
    return seen.length >= enoughEndpoints && seen.every((validity) => isStrange(validity, now));
  }
}

const isStrange = ({ notBefore, notAfter }: Validity, now: number): boolean =>
  now < notBefore || now > notAfter + graceMs;
