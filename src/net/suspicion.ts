// Notices that the machine slept or its addresses changed. Sockets opened before are then suspect: the other
// side may be gone without a word, and TCP would take many minutes to say so.

import { networkInterfaces } from 'node:os';

export interface SuspicionOptions {
  readonly everyMs?: number;
  /** Wall clock, milliseconds. */
  readonly now?: () => number;
  /** A text that changes when the machine's addresses do; null when they cannot be read now. */
  readonly addresses?: () => string | null;
}

/** A clock that was not looked at for so much longer than planned means sleep, not a slow event loop. */
const sleptMs = 20_000;

/** One watch for all sessions: a single unreferenced timer that runs only while somebody listens. */
export class Suspicion {
  readonly #listeners = new Set<() => void>();
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #addresses: () => string | null;
  #timer: NodeJS.Timeout | null = null;
  #lookedAt = 0;
  #known: string | null = null;

  constructor(options: SuspicionOptions = {}) {
    this.#everyMs = options.everyMs ?? 15_000;
    this.#now = options.now ?? Date.now;
    this.#addresses = options.addresses ?? localAddresses;
  }

  /** Calls `raised` after each sleep or address change until the returned function is called. */
  listen(raised: () => void): () => void {
    this.#listeners.add(raised);
    if (this.#timer === null) this.#start();
    return () => {
      this.#listeners.delete(raised);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  #start(): void {
    this.#lookedAt = this.#now();
    this.#known = this.#addresses();
    this.#timer = setInterval(() => this.#look(), this.#everyMs).unref();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const now = this.#now();
    const addresses = this.#addresses() ?? this.#known;
    const slept = now - this.#lookedAt > this.#everyMs + sleptMs;
    const moved = this.#known !== null && addresses !== this.#known;
    this.#lookedAt = now;
    this.#known = addresses;
    if (slept || moved) for (const raised of this.#listeners) raised();
  }
}

/** Reading them takes a descriptor and a netlink socket: neither is to be had always, and no session may end for it. */
function localAddresses(): string | null {
  try {
    return Object.values(networkInterfaces())
      .flatMap((rows) => rows ?? [])
      .map(({ cidr }) => cidr ?? '')
      .toSorted()
      .join(' ');
  } catch {
    return null;
  }
}
