// Carries bytes both ways after the verdict, and nothing before it: it demands a Vouched and compares its
// trust epoch in the tick in which it attaches. It makes nothing up: an end is passed on as an end, a break
// as a break, never a terminator of any protocol. Byte for byte, but for what the login filter takes out.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isVouched, type Vouched } from '../trust/vouched.ts';
import { Deadline } from './deadline.ts';
import { Doubt } from './doubt.ts';
import { codeOf } from './failure.ts';
import { reset } from './reset.ts';
import type { Suspicion } from './suspicion.ts';

/** What the relay needs of the login filter (mail/login-filter.ts). */
export interface RelayFilter {
  /** Server to client: what to pass on now. */
  downstream(chunk: Uint8Array): Uint8Array;
  /** Client to server: seen, passed on unchanged. */
  upstream(chunk: Uint8Array): Uint8Array;
  /** What is still held, when the server's stream ends. */
  flush(): Uint8Array;
  readonly done: boolean;
}

/** Judges the client's first bytes; while undecided they are held. */
export type FirstBytes = (held: Uint8Array) => 'undecided' | 'http' | 'tls' | 'mail';

export type Direction = 'up' | 'down';

export interface RelayOptions {
  readonly vouched: Vouched;
  /** The endpoint's trust epoch now, read in the tick of this call. */
  readonly epoch: number;
  readonly client: Socket;
  /** The raw socket under `client`, or `client` itself where its side has no TLS; reset when the session breaks. */
  readonly clientRaw: Socket;
  readonly upstream: TLSSocket;
  /** The raw socket under `upstream`, reset when the client's side breaks. */
  readonly raw: Socket;
  /** Sent to the client first, as it is. */
  readonly toClient: Uint8Array;
  /** Bytes of the client that were held until now; they pass filter and first-bytes check like all others. */
  readonly toUpstream: Uint8Array;
  readonly filter: RelayFilter | null;
  readonly firstBytes: FirstBytes | null;
  /** No byte either way for so long ends the session. */
  readonly idleMs: number;
  /** Written data not taken by the other side for so long breaks the session. */
  readonly drainMs: number;
  readonly signal: AbortSignal;
  readonly counted: (direction: Direction, bytes: number) => void;
  readonly suspicion?: Suspicion;
  /** How long a suspect upstream may take to answer the client's next bytes. */
  readonly suspectMs?: number;
  /**
   * Of an upstream that may have gone unnoticed: whether the server's first bytes only say that it closes, and are no answer
   * to the client's first line. Until that answer a server that goes is `unanswered`.
   */
  readonly isGoodbye?: (first: { readonly said: Uint8Array; readonly asked: Uint8Array }) => boolean;
}

export type RelayEnd =
  | { readonly state: 'ended' }
  /** `parted`: the client had ended before; a server that closes while our end is on its way resets as well. */
  | {
      readonly state: 'broken';
      readonly side: 'client' | 'upstream';
      readonly detail: string;
      readonly parted: boolean;
    }
  | { readonly state: 'idle' }
  /** The signal was aborted; both legs were reset. */
  | { readonly state: 'aborted' }
  /** The client turned out to be a browser or a TLS client; nothing of it was sent on. */
  | { readonly state: 'rejected'; readonly found: 'http' | 'tls' }
  /** The trust epoch moved between verdict and relay: nothing was written, nothing closed. */
  | { readonly state: 'stale' }
  /**
   * The server went without an answer to the client's first line: its side is reset, the client's left open and paused.
   * `asked` is all that the client said, one line at most; nobody has carried it out as far as anybody can tell.
   */
  | { readonly state: 'unanswered'; readonly asked: Uint8Array };

/** How a relay ended that began and is over. */
export type RelayOver = Exclude<RelayEnd, { readonly state: 'stale' | 'unanswered' }>;

/** After one side ended, the other may stay silent only so long. */
const halfClosedMs = 120_000;

/** Longest first line that is kept for another server. */
const askedBytes = 4096;
const lineFeed = 0x0a;

/** Relays until both sides ended or one broke, and closes both (but for `stale` and `unanswered`). Never rejects; TypeError for no Vouched. */
export function relay(options: RelayOptions): Promise<RelayEnd> {
  if (!isVouched(options.vouched)) throw new TypeError('relay needs a Vouched made by the judge');
  if (options.vouched.epoch !== options.epoch) return Promise.resolve({ state: 'stale' });
  return new Relay(options).ended;
}

class Relay {
  readonly ended: Promise<RelayEnd>;
  readonly #options: RelayOptions;
  readonly #idle: Deadline;
  readonly #doubt: Doubt | null;
  readonly #release: (() => void)[] = [];
  #resolve: (end: RelayEnd) => void = () => undefined;
  #held: Uint8Array | null = new Uint8Array(0);
  readonly #stalled = new Map<Socket, Deadline>();
  #open = 2;
  #over = false;
  /** All that the client said, while another server could still be asked it; null once none could. */
  #asked: Uint8Array | null;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
    this.#idle = new Deadline(() => this.#finish({ state: 'idle' })).start(options.idleMs);
    this.#doubt = this.#doubted();
    if (options.firstBytes === null) this.#held = null;
    this.#asked = options.isGoodbye === undefined ? null : new Uint8Array(0);
    this.#attach();
  }

  #doubted(): Doubt | null {
    const { raw, suspicion, suspectMs } = this.#options;
    if (suspicion === undefined) return null;
    const dead = (detail: string): void => this.#broken('upstream', detail);
    return new Doubt(raw, { suspicion, answerMs: suspectMs ?? 10_000, dead });
  }

  #attach(): void {
    const { client, upstream, signal } = this.#options;
    this.#on(signal, () => this.#finish({ state: 'aborted' }));
    this.#watch(client, 'client');
    this.#watch(upstream, 'upstream');
    if (signal.aborted) return this.#finish({ state: 'aborted' });
    if (this.#options.toClient.length > 0) this.#toClient(this.#options.toClient);
    if (this.#options.toUpstream.length > 0) this.#fromClient(this.#options.toUpstream);
    if (this.#over) return;
    this.#pump(client, { take: (chunk) => this.#fromClient(chunk), end: () => this.#endUpstream() });
    this.#pump(upstream, { take: (chunk) => this.#fromUpstream(chunk), end: () => this.#endClient() });
  }

  #pump(
    source: Socket,
    sink: { readonly take: (chunk: Uint8Array) => void; readonly end: () => void },
  ): void {
    const ended = (): void => {
      this.#open -= 1;
      sink.end();
      if (this.#open === 0) this.#finish({ state: 'ended' });
      else this.#touch();
    };
    if (source.readableEnded) return ended();
    source.on('data', sink.take);
    source.on('end', ended);
    this.#release.push(() => {
      source.removeListener('data', sink.take);
      source.removeListener('end', ended);
    });
    if (!source.isPaused() || !this.#stalled.has(this.#facing(source))) source.resume();
  }

  /** The socket that what comes from `source` goes to. */
  #facing(source: Socket): Socket {
    return source === this.#options.client ? this.#options.upstream : this.#options.client;
  }

  /** A close without an end before it, or an error, is a break. */
  #watch(socket: Socket, side: 'client' | 'upstream'): void {
    let detail = 'closed';
    // Not when it closes: TLS that broke is not closed by Node, and the end behind it would look like one.
    const failed = (error: Error): void => {
      detail = codeOf(error);
      this.#broken(side, detail);
    };
    const closed = (): void => {
      if (!socket.readableEnded || detail !== 'closed') this.#broken(side, detail);
    };
    const drained = (): void => this.#drained(socket);
    if (socket.destroyed) queueMicrotask(closed);
    socket.on('error', failed);
    socket.on('close', closed);
    socket.on('drain', drained);
    // A socket that was ended while it was full never says 'drain' again.
    socket.on('finish', drained);
    this.#release.push(() => {
      socket.removeListener('drain', drained);
      socket.removeListener('finish', drained);
      socket.removeListener('error', failed);
      socket.removeListener('close', closed);
    });
  }

  #fromClient(chunk: Uint8Array): void {
    if (this.#asked !== null) this.#asked = oneLine(Buffer.concat([this.#asked, chunk]));
    const passed = this.#held === null ? chunk : this.#recognise(chunk);
    if (passed === null) return;
    this.#touch();
    this.#doubt?.asked();
    const { filter, client, upstream } = this.#options;
    const bytes = filter === null || filter.done ? passed : filter.upstream(passed);
    this.#write(client, upstream, bytes);
    this.#options.counted('up', bytes.length);
  }

  /** Null while the first line is undecided; all that was held once it is known to be mail. */
  #recognise(chunk: Uint8Array): Uint8Array | null {
    const held = Buffer.concat([this.#held ?? new Uint8Array(0), chunk]);
    const found = this.#options.firstBytes?.(held) ?? 'mail';
    if (found === 'http' || found === 'tls') {
      this.#finish({ state: 'rejected', found });
      return null;
    }
    this.#held = found === 'undecided' ? held : null;
    return this.#held === null ? held : null;
  }

  #fromUpstream(chunk: Uint8Array): void {
    if (this.#asked !== null && !this.#isAnswer(chunk, this.#asked)) return this.#unanswered(this.#asked);
    this.#asked = null;
    this.#touch();
    this.#doubt?.answered();
    const { filter } = this.#options;
    this.#toClient(filter === null || filter.done ? chunk : filter.downstream(chunk));
  }

  /** Nothing is an answer to a line that is not whole. */
  #isAnswer(said: Uint8Array, asked: Uint8Array): boolean {
    return asked.at(-1) === lineFeed && this.#options.isGoodbye?.({ said, asked }) !== true;
  }

  #unanswered(asked: Uint8Array): void {
    this.#finish({ state: 'unanswered', asked });
  }

  #toClient(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#write(this.#options.upstream, this.#options.client, bytes);
    this.#options.counted('down', bytes.length);
  }

  #endUpstream(): void {
    const { upstream, client } = this.#options;
    this.#asked = null;
    // Undecided first bytes followed by the end: a short last line, and no request to wait for.
    if (this.#held !== null && this.#held.length > 0) {
      const held = this.#held;
      this.#held = null;
      this.#write(client, upstream, held);
    }
    upstream.end();
  }

  #endClient(): void {
    if (this.#asked !== null) return this.#unanswered(this.#asked);
    const { filter, client } = this.#options;
    if (filter !== null && !filter.done) this.#toClient(filter.flush());
    client.end();
  }

  /** Back-pressure: a full destination pauses its source until it drained; one that never does breaks the session. */
  #write(source: Socket, destination: Socket, bytes: Uint8Array): void {
    if (bytes.length === 0 || !destination.writable) return;
    if (destination.write(bytes)) return;
    source.pause();
    if (this.#stalled.has(destination)) return;
    const side = destination === this.#options.client ? 'client' : 'upstream';
    const stuck = (): void => this.#broken(side, 'not drained');
    this.#stalled.set(destination, new Deadline(stuck).start(this.#options.drainMs));
  }

  #drained(destination: Socket): void {
    this.#stalled.get(destination)?.stop();
    this.#stalled.delete(destination);
    if (destination === this.#options.upstream) this.#doubt?.took();
    if (!this.#over) this.#facing(destination).resume();
  }

  #touch(): void {
    if (this.#over) return;
    if (this.#open === 2) this.#idle.extend();
    else this.#idle.start(Math.min(halfClosedMs, this.#options.idleMs));
  }

  #on(signal: AbortSignal, aborted: () => void): void {
    signal.addEventListener('abort', aborted, { once: true });
    this.#release.push(() => signal.removeEventListener('abort', aborted));
  }

  #broken(side: 'client' | 'upstream', detail: string): void {
    const parted = this.#options.client.readableEnded;
    this.#finish({ state: 'broken', side, detail, parted });
  }

  #finish(end: RelayEnd): void {
    if (this.#over) return;
    const gone = end.state === 'broken' && end.side === 'upstream';
    if (gone && this.#asked !== null) return this.#unanswered(this.#asked);
    this.#over = true;
    for (const deadline of [this.#idle, ...this.#stalled.values()]) deadline.stop();
    this.#doubt?.close();
    for (const release of this.#release) release();
    this.#close(end);
    this.#resolve(end);
  }

  /** A clean end lets written data out; everything else is a reset on both sides, so that no half mail looks whole. */
  #close(end: RelayEnd): void {
    const { client, clientRaw, upstream, raw, drainMs } = this.#options;
    if (end.state === 'ended') {
      closeSoon(client, { raw: clientRaw, drainMs });
      closeSoon(upstream, { raw, drainMs });
      return;
    }
    if (end.state === 'unanswered') client.pause();
    else reset(clientRaw, client);
    reset(raw, upstream);
  }
}

/** Ends after the written data went out, but waits no longer than `drainMs` for a peer that does not take it. */
function closeSoon(
  socket: Socket,
  { raw, drainMs }: { readonly raw: Socket; readonly drainMs: number },
): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => reset(raw, socket), drainMs);
  socket.once('close', () => clearTimeout(timer));
  socket.destroySoon();
}

/** Null for what is more: another server may be asked one line of the client's, not a dialogue. */
function oneLine(bytes: Uint8Array): Uint8Array | null {
  const end = bytes.indexOf(lineFeed);
  return bytes.length > askedBytes || (end >= 0 && end < bytes.length - 1) ? null : bytes;
}
