// The pins of a user for any number of his processes: one of them, or a daemon, holds the database, the others
// ask it. When the holder goes, every other one is unavailable at once, and good again only when it holds the
// database or found who does, and everybody here has taken in what changed meanwhile.

import type {
  AuditEntry,
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
import { awake } from './awake.ts';
import { Keeper, type SharedTiming } from './keeper.ts';
import { lineTiming, unavailable } from './line.ts';
import { placeOf, type PlaceOptions } from './place.ts';

export interface SharedStoreOptions {
  /** The state directory; null (default) for the user's own, or that of a daemon that is found. */
  readonly state?: string | null;
  /** The admin socket of a daemon, asked first and alone; null (default) looks for one if no state is named. */
  readonly socket?: string | null;
  readonly now: () => number;
  /** Ends the wait for a store. The store opened is closed with `close`. */
  readonly signal?: AbortSignal;
  /**
   * While this process holds the database: hears of what its siblings changed, after it is durable, and first, oldest
   * first, of changes a crash kept from being told. Must not throw.
   */
  readonly changed?: (audit: readonly AuditEntry[]) => void;
  readonly env?: NodeJS.ProcessEnv;
  /** Daemons to look for instead of those everybody looks for. */
  readonly wellKnown?: NonNullable<PlaceOptions['wellKnown']>;
  readonly timing?: Partial<SharedTiming>;
}

export interface SharedStore extends PinStore {
  /** Keys the references: give it to `Tofu.open`. */
  readonly secret: Uint8Array;
  /** `waiting`: the holder went away, and nobody is found yet. */
  readonly role: 'holder' | 'guest' | 'waiting';
  /** Resolves when the store can be used, or after 5 s: `health()` says which. Never rejects. */
  usable(): Promise<void>;
}

const ownTiming: SharedTiming = { ...lineTiming, patienceMs: 5000, callMs: 2000 };

/**
 * The one way in for a library process: the daemon's pins, those a sibling holds, or the database itself, made
 * if there is none. Keeps no process alive. The caller closes it. Throws StoreError `store-unavailable` when
 * nobody can be asked for 5 s, `store-permissions`, `store-newer`, `store-io`; and the reason of `signal`.
 */
export async function openSharedStore(options: SharedStoreOptions): Promise<SharedStore> {
  const { state = null, socket = null, env = process.env, wellKnown, now, signal } = options;
  const place = placeOf({ state, socket, env, ...(wellKnown === undefined ? {} : { wellKnown }) });
  const timing = { ...ownTiming, ...options.timing };
  const keeper = new Keeper({ place, now, timing, changed: options.changed ?? null });
  try {
    signal?.throwIfAborted();
    await awake(keeper.open(signal ?? null));
    return new Shared(keeper);
  } catch (error) {
    await keeper.close();
    throw error;
  }
}

class Shared implements SharedStore {
  readonly #keeper: Keeper;
  #closing: Promise<void> | null = null;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  get secret(): Uint8Array {
    return this.#keeper.secret ?? new Uint8Array();
  }

  get role(): SharedStore['role'] {
    return this.#keeper.attached?.role ?? 'waiting';
  }

  usable(): Promise<void> {
    return awake(this.#keeper.usable());
  }

  async *load(): AsyncGenerator<StoredRecord> {
    yield* this.#store().load();
  }

  async commit(changes: readonly Change[]): Promise<Committed | Conflict> {
    const store = this.#store();
    const own = ownChanges(changes);
    const answer = await awake(store.commit(own));
    if (answer.committed) this.#keeper.known.committed(own, answer, store.health().generation);
    return answer;
  }

  async *changes(generation: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    if (this.#closing !== null) throw storeClosed();
    yield* this.#keeper.known.follow(generation, signal);
  }

  async *history(endpoint: string | null): AsyncGenerator<StoredAuditEntry> {
    yield* this.#store().history(endpoint);
  }

  async touch(touches: readonly Touch[]): Promise<void> {
    await this.#store().touch(touches);
  }

  sealed(endpoint: string): SealedKeys {
    return this.#keeper.last?.sealed(endpoint) ?? noSealedKeys;
  }

  held(): ReadonlySet<string> {
    return this.#keeper.last?.held() ?? new Set();
  }

  health(): StoreHealth {
    const { attached, last, why } = this.#keeper;
    const said = last?.health() ?? { backend: 'daemon', state: 'unavailable', generation: 0, records: 0 };
    if (this.#closing !== null) return { ...said, state: 'unavailable', detail: 'the pin store is closed' };
    return attached === null ? { ...said, state: 'unavailable', detail: why } : attached.store.health();
  }

  close(): Promise<void> {
    this.#closing ??= this.#keeper.close();
    return this.#closing;
  }

  #store(): PinStore {
    const { attached, why } = this.#keeper;
    if (this.#closing !== null) throw storeClosed();
    if (attached === null) throw unavailable(why);
    return attached.store;
  }
}
