// What the TLS clients of all routes are shown: a leaf of the local CA, or files of the operator's own. A
// configuration is prepared as a whole or not at all; then it is looked after: leaves are renewed and files read
// again, by the clock and not by how long something has run, so that a machine that slept or whose clock was set
// is no exception.

import { hostname, userInfo } from 'node:os';
import { LetterlockError } from '../errors.ts';
import type { ServerCredentials } from '../net/local-handshake.ts';
import type { Listener, ProxyEvent } from '../proxy/events.ts';
import type { Route } from '../proxy/route.ts';
import { diskIo, type StoreIo } from '../store/io.ts';
import { standingOf } from './authority.ts';
import { isLegacy } from './context.ts';
import { Folder } from './folder.ts';
import { LocalLeaf } from './local-leaf.ts';
import { localNames, servedLocally } from './names.ts';
import { news, type News } from './news.ts';
import { OwnCertificate } from './own-certificate.ts';
import { discardReady, makeReady, putReady, stageReady, type Ready, type Wish } from './ready.ts';

export interface LocalTlsOptions {
  /** Absolute state directory; it is there. */
  readonly state: string;
  readonly on: Listener<ProxyEvent>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly io?: StoreIo;
}

export interface ServedConfig {
  readonly routes: readonly Route[];
  readonly localCa: { readonly names: readonly string[] };
}

/** The credentials of one configuration, not in force before `take`. One of `take` and `drop` must follow. */
export interface PreparedTls {
  /** Throws TypeError for a route without client TLS. */
  credentialsFor(route: Route): ServerCredentials;
  /** Puts what was made in place on the disk. Without it, `look` does so later. @throws StoreError */
  save(): Promise<void>;
  take(): void;
  /** Never rejects. */
  drop(): Promise<void>;
}

/** How often clock and files are looked at. */
const lookEveryMs = 30_000;
/** A trouble that stays is told again after this. */
const retellMs = 86_400_000;

interface Force {
  readonly local: { readonly wish: Wish; readonly leaf: LocalLeaf } | null;
  readonly own: ReadonlyMap<string, OwnCertificate>;
}

interface Made {
  readonly wish: Wish;
  readonly leaf: LocalLeaf;
  readonly ready: Ready;
}

const nothing: Force = { local: null, own: new Map() };

export class LocalTls {
  readonly #options: LocalTlsOptions;
  readonly #folder: Folder;
  readonly #told = new Map<string, number>();
  #force: Force = nothing;
  #unsaved: Ready | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  /** Two would write over each other's files. */
  #isPreparing = false;

  constructor(options: LocalTlsOptions) {
    this.#options = options;
    this.#folder = new Folder(options.state, options.io ?? diskIo);
  }

  /** @throws CommandError `config` (own files) or `store`, StoreError */
  async prepare(config: ServedConfig): Promise<PreparedTls> {
    this.#isPreparing = true;
    try {
      await this.#looking;
      const own = await openOwn(config.routes);
      const made = await this.#prepareLocal(config);
      return this.#prepared(own, made);
    } catch (error) {
      this.#isPreparing = false;
      throw error;
    }
  }

  async #prepareLocal({ routes, localCa }: ServedConfig): Promise<Made | null> {
    const served = servedLocally(routes);
    if (served.length === 0) return null;
    const versions = served.map(({ clientTls }) => clientTls.minVersion);
    const wish: Wish = {
      names: localNames(served, localCa.names),
      kinds: versions.some(isLegacy) ? ['ecdsa', 'rsa'] : ['ecdsa'],
      owner: thisOwner(),
    };
    const ready = await makeReady(this.#folder, wish, this.#options.now());
    await stageReady(this.#folder, ready);
    return { wish, ready, leaf: new LocalLeaf(ready, versions) };
  }

  #prepared(own: Force['own'], made: Made | null): PreparedTls {
    const local = made === null ? null : { wish: made.wish, leaf: made.leaf };
    // Let go as soon as it is written: it may hold the key of a new CA.
    let unsaved = made?.ready ?? null;
    return {
      credentialsFor: ({ clientTls: { files, minVersion } }) => {
        const found =
          files === null
            ? local?.leaf.credentials(minVersion, () => this.#asked(local.leaf))
            : own.get(keyOf(files, minVersion));
        if (found === undefined) throw new TypeError('no certificate was prepared for this route');
        return found;
      },
      save: async () => {
        if (unsaved === null) return;
        await putReady(this.#folder, unsaved, this.#options.now());
        this.#tell(unsaved.news);
        unsaved = null;
      },
      take: () => {
        this.#force = { own, local };
        this.#unsaved = unsaved;
        this.#tell(unsaved?.news ?? []);
        unsaved = null;
        this.#isPreparing = false;
        if (local !== null || own.size > 0)
          this.#timer ??= setInterval(() => void this.look(), lookEveryMs).unref();
      },
      drop: async () => {
        await discardReady(this.#folder, unsaved);
        unsaved = null;
        this.#isPreparing = false;
      },
    };
  }

  /** Does what is due by clock and files now. Never rejects. */
  look(): Promise<void> {
    if (this.#isPreparing) return Promise.resolve();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** Nothing is written once it resolves. */
  async close(): Promise<void> {
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
    this.#force = nothing;
    await this.#looking;
  }

  /** A handshake comes between two looks: the clock may have been set. */
  #asked(leaf: LocalLeaf): void {
    if (this.#force.local?.leaf === leaf && leaf.isDue(this.#options.now())) void this.look();
  }

  async #look(): Promise<void> {
    const { own } = this.#force;
    for (const certificate of own.values()) this.#tell(await certificate.look(this.#options.now()));
    await this.#attempt(news.notRenewed, () => this.#renew());
    this.#tell(this.#standing());
    await this.#attempt(news.unsaved, () => this.#saveLate());
  }

  async #renew(): Promise<void> {
    const { local } = this.#force;
    if (local === null || !local.leaf.isDue(this.#options.now())) return;
    const ready = await makeReady(this.#folder, local.wish, this.#options.now());
    local.leaf.replace(ready);
    this.#unsaved = ready;
    this.#tell(ready.news);
  }

  #standing(): readonly News[] {
    const { local } = this.#force;
    if (local === null) return [];
    const { authority } = local.leaf;
    const standing = standingOf(authority, { names: local.wish.names, now: this.#options.now() });
    return standing.state === 'ended' || standing.state === 'narrow'
      ? []
      : news.standing(authority, standing);
  }

  async #saveLate(): Promise<void> {
    const ready = this.#unsaved;
    if (ready === null) return;
    await stageReady(this.#folder, ready);
    await putReady(this.#folder, ready, this.#options.now());
    this.#unsaved = null;
  }

  async #attempt(trouble: (why: string) => News, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tell([trouble(error instanceof LetterlockError ? error.message : nameOf(error))]);
    }
  }

  /** The same words at most once a day. */
  #tell(all: readonly News[]): void {
    const now = this.#options.now();
    for (const { code, message } of all) {
      const before = this.#told.get(message);
      if (before !== undefined && Math.abs(now - before) < retellMs) continue;
      this.#told.set(message, now);
      this.#options.on({ type: 'warning', code, message });
    }
  }
}

const keyOf = (files: { readonly certificate: string; readonly key: string }, minVersion: string): string =>
  JSON.stringify([files.certificate, files.key, minVersion]);

async function openOwn(routes: readonly Route[]): Promise<Force['own']> {
  const own = new Map<string, OwnCertificate>();
  for (const { clientTls } of routes) {
    const { mode, files, minVersion } = clientTls;
    if (mode === 'off' || files === null) continue;
    const key = keyOf(files, minVersion);
    if (!own.has(key)) own.set(key, await OwnCertificate.open(files, minVersion));
  }
  return own;
}

function thisOwner(): Wish['owner'] {
  try {
    return { host: hostname(), user: userInfo().username };
  } catch {
    return { host: hostname(), user: String(process.getuid?.() ?? 'unknown') };
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : 'unknown error');
