// What stands behind a preloaded process: it opens the store when the first server is to be judged, keeps it for the
// next, and tells on stderr what a person should know. What cannot be opened refuses.

import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Endpoint } from '../endpoint.ts';
import { Refusal } from '../errors.ts';
import { printable } from '../ops/printable.ts';
import type { SharedStore } from '../sharing/shared-store.ts';
import type { AuditEntry } from '../store/pin-store.ts';
import type { Tofu as Engine } from '../tofu.ts';
import { Aids } from './aids.ts';
import { runEngine } from './engine.ts';
import { TlsGuard } from './guard.ts';
import { holdApart } from './hold-apart.ts';
import { Announcer, type Hooks } from './hooks.ts';
import { Live } from './live.ts';
import { Settings, type Terms } from './settings.ts';
import type { Surroundings } from './surroundings.ts';
import { Vouching } from './vouching.ts';

interface Open {
  readonly store: SharedStore;
  readonly engine: Engine;
  readonly vouching: Vouching;
}

export class Preload {
  readonly #surroundings: Surroundings;
  readonly #settings: Settings;
  readonly #aids: Aids;
  readonly #guard: TlsGuard;
  readonly #live = new Live();
  #open: Open | null = null;
  #opening: Promise<Open> | null = null;

  /** Loads the trust anchors. @throws AnchorError */
  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#settings = new Settings(surroundings.common, { ready: new Map(surroundings.ready) });
    this.#settings.load();
    this.#aids = new Aids({ resolver: surroundings.resolver, now: Date.now });
    this.#guard = new TlsGuard({
      settings: this.#settings,
      vouching: async () => (await this.#opened()).vouching,
      isEstablished: (endpoint, terms) => this.#isEstablished(endpoint, terms),
      live: this.#live,
    });
  }

  connect(options: ConnectionOptions): TLSSocket {
    return this.#guard.connect(options);
  }

  /** Before the store is open no server is known: what would be shown to it before any verdict is not. */
  #isEstablished(endpoint: Endpoint, { settings }: Terms): boolean {
    return this.#open?.engine.isEstablished({ endpoint, settings }) ?? false;
  }

  async #opened(): Promise<Open> {
    if (this.#open !== null) {
      // The process that held the database may just have ended.
      await this.#open.store.usable();
      return this.#open;
    }
    this.#opening ??= this.#openNow().finally(() => {
      this.#opening = null;
    });
    try {
      this.#open = await this.#opening;
      return this.#open;
    } catch (cause) {
      // The next connection tries again.
      throw new Refusal('store-unavailable', undefined, { cause });
    }
  }

  async #openNow(): Promise<Open> {
    const { state, env } = this.#surroundings;
    const { openSharedStore } = await import('../sharing/shared-store.ts');
    const announcer = new Announcer(hooksFor(this.#surroundings));
    const changed = (audit: readonly AuditEntry[]): void => {
      for (const entry of audit) announcer.engine({ type: 'pin-changed', ...entry });
    };
    await holdApart({ state, env });
    const store = await openSharedStore({ state, env, now: Date.now, changed });
    try {
      const { secret } = store;
      const parts = { settings: this.#settings, announcer, live: this.#live };
      const { engine } = await runEngine({ store, secret, now: Date.now, ...parts });
      return {
        store,
        engine,
        vouching: new Vouching({ engine, announcer, dialogue: null, aids: this.#aids }),
      };
    } catch (error) {
      // The next connection opens it anew.
      await store.close();
      throw error;
    }
  }
}

function hooksFor({ level }: Surroundings): Hooks {
  if (level === 'error') return {};
  const warnings: Hooks = {
    pinned: ({ endpoint, spki, how }) =>
      tell(
        how === 'first-use'
          ? `${endpoint}: its key ${spki} was pinned on first use; nobody verified it`
          : `${endpoint}: the key ${spki} is pinned (${how})`,
      ),
    refused: ({ message }) => tell(message),
    untrusted: ({ endpoint, spki }) => tell(`${endpoint}: the key ${spki} is not trusted any more`),
  };
  if (level === 'warn') return warnings;
  const notes: Hooks = {
    ...warnings,
    renewed: ({ endpoint, sha256 }) => tell(`${endpoint}: a new certificate for the known key, ${sha256}`),
  };
  if (level === 'info') return notes;
  return { ...notes, connected: ({ endpoint, basis }) => tell(`${endpoint}: connected (${basis})`) };
}

function tell(line: string): void {
  process.stderr.write(`letterlock: ${printable(line)}\n`);
}
