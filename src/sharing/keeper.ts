// Keeps one process at the pins: finds them, notices when they are gone, finds them again. It is attached only
// after everybody who follows has taken in what changed meanwhile, and never to another store than before.

import type { AuditEntry, PinStore, StoredRecord } from '../store/pin-store.ts';
import { storeClosed, StoreError } from '../store/store-error.ts';
import { attach, type Attached, type Trouble } from './attach.ts';
import { Known } from './known.ts';
import { unavailable, type LineTiming } from './line.ts';
import { aborted, pause } from './pause.ts';
import type { Place } from './place.ts';

export interface SharedTiming extends LineTiming {
  /** How long to wait for a holder that starts or ends. */
  readonly patienceMs: number;
  /** How long a holder has to answer a call. */
  readonly callMs: number;
}

export interface KeeperParts {
  readonly place: Place;
  readonly now: () => number;
  readonly timing: SharedTiming;
  /** null: changes nobody was told of wait for one who tells. */
  readonly changed: ((audit: readonly AuditEntry[]) => void) | null;
}

const shortestPauseMs = 20;
const longestPauseMs = 1000;
/** For a daemon that asked for the database: longer than it takes to try again. */
const shyMs = 3000;

export class Keeper {
  /** What this process knows of the records, whoever holds them. */
  readonly known = new Known();
  readonly #parts: KeeperParts;
  readonly #closed = new AbortController();
  #secret: Uint8Array | null = null;
  #attached: Attached | null = null;
  #last: PinStore | null = null;
  #why = 'the pin store is not open yet';
  #searching: Promise<void> | null = null;
  #shyUntil = 0;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  get attached(): Attached | null {
    return this.#attached;
  }

  /** What was attached last: its rejections hold while nobody can be asked. */
  get last(): PinStore | null {
    return this.#last;
  }

  get secret(): Uint8Array | null {
    return this.#secret;
  }

  /** Why nothing is attached. */
  get why(): string {
    return this.#why;
  }

  /** Tries for `patienceMs`. @throws StoreError, and the reason of `signal` */
  async open(signal: AbortSignal | null): Promise<void> {
    const until = performance.now() + this.#parts.timing.patienceMs;
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const trouble = await this.#attempt();
      signal?.throwIfAborted();
      if (trouble === null) return;
      if (trouble.again === 'never') throw trouble.error;
      const leftMs = until - performance.now();
      if (leftMs <= 0) throw gaveUp(trouble.error, this.#parts);
      await pause(Math.min(pauseMs, leftMs), { refs: 'ref', signal });
    }
  }

  /** Resolves when something is attached, or after `patienceMs`. */
  async usable(): Promise<void> {
    if (this.#searching === null) return;
    const { patienceMs } = this.#parts.timing;
    const patience = new AbortController();
    await Promise.race([this.#searching, pause(patienceMs, { refs: 'ref', signal: patience.signal })]);
    patience.abort();
  }

  /** What was asked before is answered first. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#searching;
    await this.#attached?.close('closed');
    this.known.end();
  }

  /** null when attached. */
  async #attempt(): Promise<Trouble | null> {
    const { place, now, timing, changed } = this.#parts;
    const attempt = await attach({
      place,
      now,
      timing,
      callMs: timing.callMs,
      database: performance.now() < this.#shyUntil ? 'leave' : 'open',
      changed,
      giveWay: () => void this.#giveWay(),
    });
    if ('trouble' in attempt) return this.#noted(attempt.trouble);
    const error = await this.#take(attempt.attached);
    if (error === null) return null;
    await attempt.attached.close('closed').catch(() => undefined);
    return this.#noted({ error, again: 'soon' });
  }

  #noted(trouble: Trouble): Trouble {
    this.#why = trouble.error.message;
    return trouble;
  }

  /** Brings everybody here up to date, then uses it; why not, if it is not the store it was. */
  async #take(attached: Attached): Promise<StoreError | null> {
    const error = await this.#catchUp(attached);
    if (error !== null) return error;
    await Promise.race([this.known.taken(), aborted(this.#closed.signal)]);
    if (this.#closed.signal.aborted) return storeClosed();
    if (attached.role === 'holder') await attached.serve();
    this.#secret = attached.secret;
    this.#last = attached.store;
    this.#attached = attached;
    if (attached.role === 'guest') void attached.store.over.then((why) => this.#lose(attached, why));
    return null;
  }

  async #catchUp({ store, secret }: Attached): Promise<StoreError | null> {
    if (this.#secret !== null && !Buffer.from(secret).equals(this.#secret))
      return replaced('it is another one');
    try {
      const { generation } = store.health();
      const records: StoredRecord[] = [];
      for await (const stored of store.load()) records.push(stored);
      const missing = this.known.missingIn(records);
      if (missing !== null) return replaced(`it knows less of ${missing} than before`);
      this.known.put(records, generation);
      void this.#pump(store, generation);
      return null;
    } catch (error) {
      return error instanceof StoreError ? error : unavailable('the pin store could not be read', error);
    }
  }

  /** What others write comes to whoever follows, until the store is gone. */
  async #pump(store: PinStore, generation: number): Promise<void> {
    try {
      for await (const stored of store.changes(generation, this.#closed.signal))
        this.known.put([stored], store.health().generation);
    } catch {
      // A store that is closed or lost says so in its health.
    }
  }

  #lose(attached: Attached, why: string): void {
    if (this.#attached !== attached) return;
    if (attached.role === 'guest' && attached.store.leave === 'bye') this.#beShy();
    this.#attached = null;
    this.#why = why;
    this.#search();
  }

  #search(): void {
    if (!this.#closed.signal.aborted && this.#searching === null) this.#searching = this.#findAgain();
  }

  // Whoever is attached may be lost in the same moment: looked at, and marked, in one tick.
  async #findAgain(): Promise<void> {
    const { signal } = this.#closed;
    for (let pauseMs = shortestPauseMs; !signal.aborted; pauseMs *= 2) {
      if ((await this.#attempt()) === null && this.#attached !== null) break;
      await pause(Math.min(pauseMs, longestPauseMs), { refs: 'unref', signal });
    }
    this.#searching = null;
  }

  async #giveWay(): Promise<void> {
    const attached = this.#attached;
    if (attached?.role !== 'holder') return;
    this.#beShy();
    this.#attached = null;
    this.#why = 'the pin store is being handed to a daemon';
    // What could not be tidied up must not keep this process from its pins: whoever opens them next says what is wrong.
    await attached.close('bye').catch(() => undefined);
    this.#search();
  }

  #beShy(): void {
    this.#shyUntil = performance.now() + shyMs;
  }
}

const replaced = (how: string): StoreError =>
  new StoreError('store-unavailable', `the pin store was replaced while this program ran: ${how}`, {
    hint: 'Start the program again when the store is as it should be.',
  });

function gaveUp(cause: StoreError, { place, timing }: KeeperParts): StoreError {
  const why = `nobody could be asked in ${timing.patienceMs / 1000} s: ${cause.message}`;
  return new StoreError('store-unavailable', `the pins of ${place.directory} are not available: ${why}`, {
    cause,
    ...(cause.hint === null ? {} : { hint: cause.hint }),
  });
}
