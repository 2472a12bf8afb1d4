// Name look-ups that one unresponsive name cannot stop. The system's look-up blocks a thread until it gives up, half
// a minute and more, and libuv lends look-ups no more than half of its few threads: asked anew by each client, one
// such name would take them all, and no other name would ever be looked up.

import { lookup, type LookupAddress } from 'node:dns';

/** Nobody was asked; the message may be shown. */
export class NotLookedUp extends Error {}

export interface LookupsOptions {
  /** The system's unless a test has its own. */
  readonly lookUp?: (host: string) => Promise<readonly LookupAddress[]>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Look-ups under way at once. */
  readonly atOnce?: number;
}

/** A first name server that is down costs five seconds and is no reason to give up. */
const lateMs = 6_000;
/** So long after a look-up that came late to nothing the name is not asked for again. */
const rememberedMs = 10_000;
const mostWaiting = 64;
const mostRemembered = 256;

interface Flight {
  /** Null while it waits for a thread. */
  startedAt: number | null;
}

/** One for all dials of a process. Nothing of it can be aborted: who does not wait any longer leaves. */
export class Lookups {
  readonly #lookUp: (host: string) => Promise<readonly LookupAddress[]>;
  readonly #now: () => number;
  readonly #atOnce: number;
  readonly #flights = new Map<string, Flight & { readonly answer: Promise<readonly LookupAddress[]> }>();
  readonly #waiting: (() => void)[] = [];
  /** Names that hung, until when they are not asked for. */
  readonly #hung = new Map<string, number>();
  #underWay = 0;

  constructor({ lookUp = lookUpWithSystem, now, atOnce = threadsForLookups() }: LookupsOptions = {}) {
    this.#lookUp = lookUp;
    this.#now = now ?? (() => performance.now());
    this.#atOnce = atOnce;
  }

  /** All who ask for one name at once share one look-up. Throws NotLookedUp, or what the look-up throws. */
  async resolve(host: string): Promise<readonly LookupAddress[]> {
    const flying = this.#flights.get(host);
    if (flying === undefined ? !this.#mayAsk(host) : this.#isLate(flying))
      throw new NotLookedUp('its name look-up hangs; it is tried again in a few seconds');
    if (flying !== undefined) return flying.answer;
    if (this.#waiting.length >= mostWaiting) throw new NotLookedUp('too many names are being looked up');
    const flight: Flight = { startedAt: null };
    const answer = this.#fly(host, flight);
    this.#flights.set(host, Object.assign(flight, { answer }));
    return answer;
  }

  /** One thread is never given to names that hung: it is there for those that answer. */
  #mayAsk(host: string): boolean {
    const until = this.#hung.get(host);
    if (until === undefined) return true;
    const hanging = [...this.#flights].filter(
      ([name, flight]) => this.#hung.has(name) || this.#isLate(flight),
    );
    return this.#now() >= until && hanging.length < Math.max(1, this.#atOnce - 1);
  }

  #isLate({ startedAt }: Flight): boolean {
    return startedAt !== null && this.#now() - startedAt >= lateMs;
  }

  async #fly(host: string, flight: Flight): Promise<readonly LookupAddress[]> {
    if (this.#underWay < this.#atOnce) this.#underWay += 1;
    else await new Promise<void>((free) => void this.#waiting.push(free));
    flight.startedAt = this.#now();
    try {
      const found = await this.#lookUp(host);
      this.#hung.delete(host);
      return found;
    } catch (error) {
      this.#hung.delete(host);
      if (this.#isLate(flight)) this.#remember(host);
      throw error;
    } finally {
      this.#flights.delete(host);
      this.#pass();
    }
  }

  #remember(host: string): void {
    this.#hung.set(host, this.#now() + rememberedMs);
    const [oldest] = this.#hung.keys();
    if (this.#hung.size > mostRemembered && oldest !== undefined) this.#hung.delete(oldest);
  }

  /** The thread goes to whoever waits longest. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay -= 1;
    else next();
  }
}

/** What libuv lends to slow work of its pool, which has four threads unless the environment says otherwise. */
export function threadsForLookups(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const asked = Number.parseInt(env.UV_THREADPOOL_SIZE ?? '4', 10);
  const threads = Number.isNaN(asked) || asked < 1 ? 1 : Math.min(asked, 1024);
  return Math.floor((threads + 1) / 2);
}

export const lookUpWithSystem = (host: string): Promise<readonly LookupAddress[]> =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses);
    });
  });
