// A pin store that another process of the same user keeps: the contract over one connection, for as long as
// that lasts. Seal, holds and health are known here at any moment, as the last word of the holder had them;
// with the connection the store is unavailable, at once and for good.

import type { Socket } from 'node:net';
import type {
  Change,
  Committed,
  Conflict,
  PinStore,
  SealedKeys,
  StoreHealth,
  StoredAuditEntry,
  StoredRecord,
  Touch,
} from '../store/pin-store.ts';
import { noSealedKeys } from '../store/sealed-keys.ts';
import { ownChanges } from '../store/stage.ts';
import { storeClosed } from '../store/store-error.ts';
import { Known } from './known.ts';
import { Line, lineTiming, unavailable, type Answer, type LineTiming } from './line.ts';
import type { Row, Tell } from './words.ts';

export interface RemoteOptions {
  /** Just upgraded; the store closes it. */
  readonly socket: Socket;
  readonly head: Uint8Array;
  readonly timing?: LineTiming;
}

/** Hears the holder out. @throws StoreError `store-unavailable` */
export async function openRemoteStore(options: RemoteOptions): Promise<RemoteStore> {
  const store = new RemoteStore(options);
  try {
    await store.greeted();
    // Seal and revisions of everything have to be known before anything is judged.
    await store.load().next();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

type Hello = Extract<Tell, { tell: 'hello' }>;

export class RemoteStore implements PinStore {
  readonly #line: Line;
  readonly #known = new Known();
  readonly #sealed = new Map<string, SealedKeys>();
  readonly #greeting: Promise<Hello>;
  readonly #over: Promise<string>;
  #told: Pick<Hello, 'health' | 'held'> | null = null;
  #held: ReadonlySet<string> = new Set();
  #secret: Uint8Array = new Uint8Array();
  #why: string | null = null;
  #closing: Promise<void> | null = null;
  #leave: 'lost' | 'bye' = 'lost';
  #end: (why: string) => void = () => undefined;
  #greet: (hello: Hello) => void = () => undefined;

  constructor({ socket, head, timing = lineTiming }: RemoteOptions) {
    this.#over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#greeting = new Promise((resolve) => {
      this.#greet = resolve;
    });
    const over = (why: string): void => {
      this.#why = why;
      this.#known.end();
      this.#end(why);
    };
    this.#line = new Line({ socket, head, timing, heard: (tell) => this.#hear(tell), over });
  }

  /** Keys the references, as in the process that holds the store. */
  get secret(): Uint8Array {
    return this.#secret;
  }

  /** Resolves, with why, when the connection is over. */
  get over(): Promise<string> {
    return this.#over;
  }

  /** `bye`: the holder let go of the store for a daemon. */
  get leave(): 'lost' | 'bye' {
    return this.#leave;
  }

  async greeted(): Promise<void> {
    const first = await Promise.race([this.#greeting, this.#over]);
    if (typeof first === 'string') throw unavailable(first);
  }

  async *load(): AsyncGenerator<StoredRecord> {
    this.#checkOpen();
    const { parts } = await this.#line.ask({ ask: 'load' });
    yield* parts.flatMap(rowsOf).map(storedOf);
  }

  async commit(changes: readonly Change[]): Promise<Committed | Conflict> {
    this.#checkOpen();
    const own = ownChanges(changes);
    const { end } = await this.#line.ask({ ask: 'commit', changes: own.map(written) });
    switch (end.tell) {
      case 'committed':
        return { committed: true, revisions: new Map(end.rows.map((row) => [row.endpoint, row.revision])) };
      case 'conflict':
        return { committed: false, current: end.rows.map(storedOf) };
      case 'done':
        throw unavailable('an answer did not fit its question');
    }
  }

  async *changes(generation: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    this.#checkOpen();
    yield* this.#known.follow(generation, signal);
  }

  async *history(endpoint: string | null): AsyncGenerator<StoredAuditEntry> {
    this.#checkOpen();
    const { parts } = await this.#line.ask({ ask: 'history', endpoint });
    yield* parts.flatMap((part) => (part.tell === 'entries' ? part.entries : []));
  }

  async touch(touches: readonly Touch[]): Promise<void> {
    this.#checkOpen();
    await this.#line.ask({ ask: 'touch', touches: [...touches] });
  }

  /** Asks a process that holds the store for nobody in particular to let go. @throws StoreError `store-locked` */
  async giveWay(): Promise<void> {
    await this.#line.ask({ ask: 'give-way' });
  }

  sealed(endpoint: string): SealedKeys {
    return this.#sealed.get(endpoint) ?? noSealedKeys;
  }

  held(): ReadonlySet<string> {
    return this.#held;
  }

  health(): StoreHealth {
    const told = this.#told?.health ?? { state: 'unavailable', detail: null, generation: 0, records: 0 };
    const lost = this.#closing === null ? this.#why : 'the pin store is closed';
    return { ...told, backend: 'daemon', ...(lost === null ? {} : { state: 'unavailable', detail: lost }) };
  }

  /** What was asked before is answered first. */
  close(): Promise<void> {
    this.#closing ??= this.#line.idle().then(() => this.#line.end('the pin store is closed'));
    return this.#closing;
  }

  // Everything is taken in before whoever asked hears of it: what it reads next is never older than its answer.
  #hear(tell: Tell): void {
    if (tell.tell === 'bye') this.#leave = 'bye';
    if (tell.tell === 'hello') this.#hello(tell);
    if ('health' in tell) this.#takeState(tell);
    if (!('rows' in tell)) return;
    for (const row of tell.rows) this.#sealed.set(row.endpoint, sealedOf(row));
    this.#known.put(tell.rows.map(storedOf), this.#told?.health.generation ?? 0);
  }

  #hello(hello: Hello): void {
    if (this.#secret.length > 0) return this.#line.end('the process that holds the pin store began anew');
    this.#secret = Buffer.from(hello.secret, 'base64');
    this.#greet(hello);
  }

  #takeState(told: Pick<Hello, 'health' | 'held'>): void {
    const before = this.#told?.held ?? [];
    const same = before.length === told.held.length && before.every((name, at) => name === told.held[at]);
    if (!same) this.#held = new Set(told.held);
    this.#told = { health: told.health, held: told.held };
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw storeClosed();
    if (this.#why !== null) throw unavailable(this.#why);
  }
}

const rowsOf = (part: Answer): readonly Row[] => (part.tell === 'rows' ? part.rows : []);

const storedOf = ({ endpoint, revision, record, verified }: Row): StoredRecord => ({
  endpoint,
  revision,
  record,
  verified,
});

const sealedOf = ({ sealed: { rejected, until } }: Row): SealedKeys => ({
  rejected: new Set(rejected),
  until: new Map(until),
});

const written = ({ endpoint, expected, record, audit }: Change) => ({
  endpoint,
  expected,
  record,
  audit: [...audit],
});
