// Notices that the machine slept or its addresses changed. Sockets opened before are then suspect: the other
// side may be gone without a word, and TCP would take many minutes to say so. It closes nothing itself.

import { networkInterfaces } from 'node:os';

export interface SuspicionOptions {
  readonly everyMs?: number;
  /**
   * Wall clock, milliseconds: the clock of the timers may stand still while the machine sleeps. Set forward by hand it
   * looks like a sleep, which costs a healthy connection nothing but a few probes.
   */
  readonly now?: () => number;
  /** The machine's interfaces; may throw. */
  readonly interfaces?: typeof networkInterfaces;
}

/** A clock that was not looked at for so much longer than planned means sleep, not a slow event loop. */
const sleptMs = 20_000;

/** The machine's addresses at one look. */
interface Picture {
  /** Changes when the machine may be reached, or reach others, in another way than before. */
  readonly text: string;
  readonly addresses: ReadonlySet<string>;
}

interface Watched {
  readonly address: string;
  readonly gone: () => void;
  /** Never seen here, here at the last look, or seen before and missing at the last look. */
  state: 'unseen' | 'here' | 'missing';
}

/** One watch for all sessions: a single unreferenced timer that stops when it finds that nobody listens any more. */
export class Suspicion {
  readonly #raised = new Set<(unseenMs: number) => void>();
  readonly #watched = new Set<Watched>();
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #interfaces: typeof networkInterfaces;
  #timer: NodeJS.Timeout | null = null;
  /** By the wall clock, and by the clock of performance.now(). */
  #lookedAt = { wall: 0, steady: 0 };
  #known: Picture | null = null;

  constructor(options: SuspicionOptions = {}) {
    this.#everyMs = options.everyMs ?? 5_000;
    this.#now = options.now ?? Date.now;
    this.#interfaces = options.interfaces ?? networkInterfaces;
  }

  /**
   * Calls `raised` after each sleep or address change until the returned function is called; it happened within the
   * last `unseenMs`, by the clock of performance.now().
   */
  listen(raised: (unseenMs: number) => void): () => void {
    this.#start();
    this.#raised.add(raised);
    return () => void this.#raised.delete(raised);
  }

  /**
   * Calls `gone` once `address` was this machine's and is missing at two looks in a row, until the returned function is
   * called. Two, because a cable that is put in again or another access point gives the same address back.
   */
  watch(address: string, gone: () => void): () => void {
    this.#start();
    const watched: Watched = { address, gone, state: 'unseen' };
    if (this.#known?.addresses.has(address)) watched.state = 'here';
    this.#watched.add(watched);
    return () => void this.#watched.delete(watched);
  }

  /** For whoever is about to rely on a connection: after a sleep clients are awake before the next look is due. */
  check(): void {
    if (this.#timer === null || !this.#overdue(this.#now())) return;
    this.#timer.refresh();
    this.#look();
  }

  /** Sessions that follow one another share a picture: it is read with the first, and no more than once a turn after. */
  #start(): void {
    if (this.#timer !== null && !(this.#isAlone && this.#overdue(this.#now()))) return;
    this.#lookedAt = { wall: this.#now(), steady: performance.now() };
    this.#known = this.#picture();
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs).unref();
  }

  get #isAlone(): boolean {
    return this.#raised.size + this.#watched.size === 0;
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #overdue(wall: number): boolean {
    return wall - this.#lookedAt.wall > this.#everyMs + sleptMs;
  }

  #look(): void {
    if (this.#isAlone) return this.#stop();
    const now = { wall: this.#now(), steady: performance.now() };
    const unseenMs = now.steady - this.#lookedAt.steady;
    const slept = this.#overdue(now.wall);
    const [before, seen] = [this.#known, this.#picture()];
    this.#lookedAt = now;
    this.#known = seen ?? before;
    const moved = before !== null && seen !== null && seen.text !== before.text;
    if (slept || moved) for (const raised of this.#raised) raised(unseenMs);
    if (seen !== null) this.#lookFor(seen.addresses);
  }

  #lookFor(addresses: ReadonlySet<string>): void {
    for (const watched of this.#watched) {
      if (addresses.has(watched.address)) watched.state = 'here';
      else if (watched.state === 'here') watched.state = 'missing';
      else if (watched.state === 'missing') watched.gone();
    }
  }

  /** Null when they cannot be read: that takes a descriptor and a netlink socket, and no session may end for it. */
  #picture(): Picture | null {
    try {
      return pictureOf(this.#interfaces());
    } catch {
      return null;
    }
  }
}

function pictureOf(interfaces: ReturnType<typeof networkInterfaces>): Picture {
  const rows = Object.entries(interfaces).flatMap(([name, found]) =>
    (found ?? []).map((row) => ({ ...row, name })),
  );
  return {
    addresses: new Set(rows.map(({ address }) => address)),
    text: rows
      .filter(({ internal, address }) => !internal && !linkLocal.test(address))
      // The same private address may be another network's: then it is another card's, or has another MAC.
      .map(({ name, mac, address }) => `${name} ${mac} ${address}`)
      .toSorted()
      .join('\n'),
  };
}

/** Each container that starts brings one, and no way to a mail server leads over them. */
const linkLocal = /^(?:fe[89ab][0-9a-f]:|169\.254\.)/i;
