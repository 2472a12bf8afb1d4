// The holder's side of one connection: it answers what the guest asks, and tells it of every change. A
// commit is answered when it is durable, never before; a guest that is slow to read hears of the latest state
// of each endpoint instead of filling the memory.

import type { Duplex } from 'node:stream';
import type { AuditEntry, PinStore, StoredRecord } from '../store/pin-store.ts';
import { StoreError } from '../store/store-error.ts';
import { linesFrom, Pen } from './framing.ts';
import { lineOf, maxLineBytes } from './line-of.ts';
import { askOf, type Ask, type Row, type Tell } from './words.ts';

/** The store as it is given to other processes. */
export interface Sharing {
  readonly store: PinStore;
  /** Keys the references; whoever may write the store may have it. */
  readonly secret: Uint8Array;
  /** Hears what guests changed, after it is durable. Must not throw. */
  readonly committed: (audit: readonly AuditEntry[]) => void;
  /** A daemon wants the store: let go of it. null for a process that keeps it. */
  readonly giveWay: (() => void) | null;
}

export interface Connection {
  readonly socket: Duplex;
  /** What came with the request. */
  readonly head: Uint8Array;
}

const beatMs = 2000;
const patienceMs = 30_000;
const maxAsksAtOnce = 64;

/** Serves a guest until it goes. Never rejects; the socket is closed then. */
export async function serveGuest(connection: Connection, sharing: Sharing): Promise<void> {
  const { socket } = connection;
  const host = new Host(socket, sharing);
  socket.on('error', () => undefined);
  try {
    await host.greet();
    await Promise.race([host.tellChanges(), host.answerAll(connection)]);
  } catch {
    // Whatever it was, the guest hears that nobody serves it any more, and comes again.
  } finally {
    host.close();
    socket.destroy();
  }
}

class Host {
  readonly #sharing: Sharing;
  readonly #pen: Pen;
  readonly #gone = new AbortController();
  readonly #beat: NodeJS.Timeout;

  constructor(socket: Duplex, sharing: Sharing) {
    this.#sharing = sharing;
    this.#pen = new Pen(socket, { patienceMs });
    this.#beat = setInterval(() => {
      if (!this.#pen.behind) void this.#tell({ tell: 'beat', ...this.#state() });
    }, beatMs);
    this.#beat.unref();
  }

  close(): void {
    clearInterval(this.#beat);
    this.#gone.abort();
  }

  greet(): Promise<void> {
    const secret = Buffer.from(this.#sharing.secret).toString('base64');
    return this.#tell({ tell: 'hello', secret, ...this.#state() });
  }

  /** Ends when the store does. */
  async tellChanges(): Promise<void> {
    const { store } = this.#sharing;
    for await (const stored of store.changes(store.health().generation, this.#gone.signal)) {
      await this.#tell({ tell: 'changed', rows: [this.#row(stored)], ...this.#state() });
    }
  }

  /** Ends when the guest does. @throws TypeError for what is no question of ours */
  async answerAll({ socket, head }: Connection): Promise<void> {
    const answering = new Set<Promise<void>>();
    for await (const line of linesFrom(socket, { head, maxBytes: maxLineBytes })) {
      const ask = askOf(line);
      if (ask === null) throw new TypeError('a line of a guest does not verify');
      const answer = this.#answer(ask).finally(() => answering.delete(answer));
      answering.add(answer);
      if (answering.size >= maxAsksAtOnce) await Promise.race(answering);
    }
    await Promise.all(answering);
  }

  async #answer(ask: Ask): Promise<void> {
    try {
      await this.#tell(await this.#carriedOut(ask));
    } catch (error) {
      await this.#tell({ tell: 'failed', id: ask.id, ...told(error) });
    }
  }

  async #carriedOut(ask: Ask): Promise<Tell> {
    const { store } = this.#sharing;
    const { id } = ask;
    switch (ask.ask) {
      case 'load':
        // One in a line: sixteen candidates with certificates as large as TLS allows make some megabytes.
        for await (const stored of store.load())
          await this.#tell({ tell: 'rows', id, rows: [this.#row(stored)] });
        break;
      case 'commit':
        return this.#commit(ask);
      case 'history':
        for await (const entry of store.history(ask.endpoint))
          await this.#tell({ tell: 'entries', id, entries: [entry] });
        break;
      case 'touch':
        await store.touch(ask.touches);
        break;
      case 'give-way':
        this.#giveWay();
        break;
    }
    return { tell: 'done', id, ...this.#state() };
  }

  async #commit({ id, changes }: Extract<Ask, { ask: 'commit' }>): Promise<Tell> {
    const answer = await this.#sharing.store.commit(changes);
    if (!answer.committed) {
      return { tell: 'conflict', id, rows: answer.current.map((row) => this.#row(row)), ...this.#state() };
    }
    this.#sharing.committed(changes.flatMap(({ audit }) => audit));
    const rows = changes.map(({ endpoint, record, expected }) =>
      this.#row({
        endpoint,
        revision: answer.revisions.get(endpoint) ?? expected + 1,
        record,
        verified: true,
      }),
    );
    return { tell: 'committed', id, rows, ...this.#state() };
  }

  #giveWay(): void {
    const { giveWay } = this.#sharing;
    if (giveWay === null) throw new StoreError('store-locked', 'a daemon keeps this pin store');
    // Once the answer is on its way.
    setImmediate(giveWay);
  }

  #row({ endpoint, revision, record, verified }: StoredRecord): Row {
    const { rejected, until } = this.#sharing.store.sealed(endpoint);
    return { endpoint, revision, record, verified, sealed: { rejected: [...rejected], until: [...until] } };
  }

  #state(): Pick<Extract<Tell, { tell: 'beat' }>, 'health' | 'held'> {
    const { state, detail, generation, records } = this.#sharing.store.health();
    return { health: { state, detail, generation, records }, held: [...this.#sharing.store.held()] };
  }

  #tell(tell: Tell): Promise<void> {
    return this.#pen.write(lineOf('holder', tell));
  }
}

/** An error that is not the store's says nothing of its inside. */
function told(error: unknown): Pick<Extract<Tell, { tell: 'failed' }>, 'code' | 'message' | 'hint'> {
  if (error instanceof StoreError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'store-io', message: 'the process that holds the pin store made a mistake', hint: null };
}
