// Carries bytes both ways after the verdict, and nothing before it: it demands a Vouched and compares its
// trust epoch in the tick in which it attaches. It makes nothing up: an end is passed on as an end, a break
// as a break, never a terminator of any protocol. Byte for byte, but for what the login filter takes out.

import type { Socket } from 'node:net';
import { isVouched } from '../trust/vouched.ts';
import { Deadline } from './deadline.ts';
import { Doubt } from './doubt.ts';
import { codeOf } from './failure.ts';
import { Flow } from './flow.ts';
import type { RelayEnd, RelayOptions } from './relay-options.ts';
import { reset } from './reset.ts';

/** After one side ended, the other may stay silent only so long. */
const halfClosedMs = 120_000;

/** Longest first line that is kept for another server. */
const askedBytes = 4096;
const lineFeed = 0x0a;
const noBuffers = (): null => null;

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
  readonly #up: Flow;
  readonly #down: Flow;
  #resolve: (end: RelayEnd) => void = () => undefined;
  #held: Uint8Array | null = new Uint8Array(0);
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
    this.#up = this.#upward();
    this.#down = this.#downward();
    this.#attach();
  }

  #doubted(): Doubt | null {
    const { raw, suspicion, suspectMs } = this.#options;
    if (suspicion === undefined) return null;
    const dead = (detail: string): void => this.#broken('upstream', detail);
    return new Doubt(raw, { suspicion, answerMs: suspectMs ?? 10_000, dead });
  }

  #upward(): Flow {
    const { client, upstream, drainMs, buffers = noBuffers } = this.#options;
    return new Flow({
      source: client,
      destination: upstream,
      drainMs,
      buffers,
      mayBeLeft: this.#asked !== null,
      take: (chunk) => this.#fromClient(chunk),
      plain: () => this.#held === null && this.#isPlain(),
      carried: (bytes) => this.#toldUpstream(bytes),
      ended: () => this.#ended(() => this.#endUpstream()),
      stuck: () => this.#broken('upstream', 'not drained'),
      took: () => this.#doubt?.took(),
    });
  }

  #downward(): Flow {
    const { client, upstream, drainMs, buffers = noBuffers } = this.#options;
    return new Flow({
      source: upstream,
      destination: client,
      drainMs,
      buffers,
      mayBeLeft: this.#asked !== null,
      take: (chunk) => this.#fromUpstream(chunk),
      plain: () => this.#isPlain(),
      carried: (bytes) => this.#toldClient(bytes),
      ended: () => this.#ended(() => this.#endClient()),
      stuck: () => this.#broken('client', 'not drained'),
      took: () => undefined,
    });
  }

  /** Nothing is looked at any more, and nothing could have to be said again to another server. */
  #isPlain(): boolean {
    const { filter } = this.#options;
    return this.#asked === null && (filter === null || filter.done);
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
    this.#up.start();
    this.#down.start();
  }

  #ended(passOn: () => void): void {
    this.#open -= 1;
    passOn();
    if (this.#open === 0) this.#finish({ state: 'ended' });
    else this.#touch();
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
    if (socket.destroyed) queueMicrotask(closed);
    socket.on('error', failed);
    socket.on('close', closed);
    this.#release.push(() => {
      socket.removeListener('error', failed);
      socket.removeListener('close', closed);
    });
  }

  #fromClient(chunk: Uint8Array): void {
    if (this.#asked !== null) this.#asked = oneLine(Buffer.concat([this.#asked, chunk]));
    const passed = this.#held === null ? chunk : this.#recognise(chunk);
    if (passed === null) return;
    const { filter } = this.#options;
    const bytes = filter === null || filter.done ? passed : filter.upstream(passed);
    this.#toldUpstream(bytes.length);
    this.#up.write(bytes);
  }

  #toldUpstream(bytes: number): void {
    this.#touch();
    this.#doubt?.asked();
    this.#options.counted('up', bytes);
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
    const { filter } = this.#options;
    const bytes = filter === null || filter.done ? chunk : filter.downstream(chunk);
    this.#toldClient(bytes.length);
    this.#down.write(bytes);
  }

  #toldClient(bytes: number): void {
    this.#touch();
    this.#doubt?.answered();
    if (bytes > 0) this.#options.counted('down', bytes);
  }

  /** Nothing is an answer to a line that is not whole. */
  #isAnswer(said: Uint8Array, asked: Uint8Array): boolean {
    return asked.at(-1) === lineFeed && this.#options.isGoodbye?.({ said, asked }) !== true;
  }

  #unanswered(asked: Uint8Array): void {
    this.#finish({ state: 'unanswered', asked });
  }

  /** Of ours, or of the filter's: nothing that the server says now. */
  #toClient(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#options.counted('down', bytes.length);
    this.#down.write(bytes);
  }

  #endUpstream(): void {
    const { upstream } = this.#options;
    this.#asked = null;
    // Undecided first bytes followed by the end: a short last line, and no request to wait for.
    if (this.#held !== null && this.#held.length > 0) {
      const held = this.#held;
      this.#held = null;
      this.#toldUpstream(held.length);
      this.#up.write(held);
    }
    upstream.end();
  }

  #endClient(): void {
    if (this.#asked !== null) return this.#unanswered(this.#asked);
    const { filter, client } = this.#options;
    if (filter !== null && !filter.done) this.#toClient(filter.flush());
    client.end();
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

  /** What a side said before it broke is passed on still: the other side has as much of it as without buffers. */
  #broken(side: 'client' | 'upstream', detail: string): void {
    if (!this.#over) (side === 'client' ? this.#up : this.#down).flush();
    const parted = this.#options.client.readableEnded;
    this.#finish({ state: 'broken', side, detail, parted });
  }

  #finish(end: RelayEnd): void {
    if (this.#over) return;
    const gone = end.state === 'broken' && end.side === 'upstream';
    if (gone && this.#asked !== null) return this.#unanswered(this.#asked);
    this.#over = true;
    this.#idle.stop();
    this.#up.stop();
    this.#down.stop();
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
