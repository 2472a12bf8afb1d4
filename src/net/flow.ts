// One direction of a relay: what comes from `source` goes to `destination`, no faster than that takes it. Where it can it
// reads into a buffer that all sessions share (read-into.ts), else as a stream. What somebody looks at, and what is little, goes on chunk
// by chunk; once nothing is looked at any more and much comes, it is written once a turn of the event loop. It closes nothing.

import type { Socket } from 'node:net';
import { Deadline } from './deadline.ts';
import type { Need } from './own-reads.ts';
import { slabBytes, type ReadBuffers } from './read-buffers.ts';
import { readInto } from './read-into.ts';

export interface FlowOptions {
  readonly source: Socket;
  readonly destination: Socket;
  /** A destination that takes nothing for so long is stuck. */
  readonly drainMs: number;
  /** Asked at the start, and again when much comes; null: as a stream for now. */
  readonly buffers: (need: Need) => ReadBuffers | null;
  /** Whether another reader may come for `source` after this one: it is read as a stream then until much comes. */
  readonly mayBeLeft: boolean;
  /** A chunk of its own memory; what of it goes on is given to `write`. */
  readonly take: (chunk: Uint8Array) => void;
  /** Whether all that comes from now on goes on as it is. */
  readonly plain: () => boolean;
  /** So many bytes go on now that nobody looks at. */
  readonly carried: (bytes: number) => void;
  /** The source ended, and all that it said was given to `destination`. */
  readonly ended: () => void;
  readonly stuck: () => void;
  /** The destination has taken all of the much that it was given. */
  readonly took: () => void;
}

interface Pending {
  readonly slab: Buffer;
  readonly bytes: number;
}

/** Who carries so much is no longer talking: a mail or a mailbox is on its way. */
const bulkBytes = 65_536;
/** So many turns in a row that brought one small read each: a dialogue again, which should not wait for the end of a turn. */
const calmTurns = 8;
const smallBytes = 4096;
/** No more than this waits for a destination before the source is stopped. */
const pendingBytes = 131_072;

export class Flow {
  readonly #options: FlowOptions;
  readonly #stuck: Deadline;
  #stopped = false;
  /** The source is stopped until the destination has taken all. */
  #waiting = false;
  /** The destination was given more than it buffers. */
  #full = false;
  /** Bytes that nobody had to look at, until they are many. */
  #plainBytes = 0;
  #isBulk = false;
  #changing = false;
  #buffers: ReadBuffers | null = null;
  #slab: Buffer | null = null;
  #filled = 0;
  /** Reads since what came was last given to the destination. */
  #reads = 0;
  #calm = 0;
  #turn: NodeJS.Immediate | null = null;

  constructor(options: FlowOptions) {
    this.#options = options;
    this.#stuck = new Deadline(options.stuck);
    const { destination } = options;
    destination.on('drain', this.#drained);
    // A socket that was ended while it was full never says 'drain' again.
    destination.on('finish', this.#drained);
  }

  /** Begins to read. */
  start(): void {
    const { source } = this.#options;
    if (source.readableEnded) return this.#end();
    if (!this.#options.mayBeLeft) this.#change('session');
    source.on('data', this.#take);
    source.on('end', this.#end);
    if (!source.isPaused() || !this.#waiting) source.resume();
  }

  /** Back-pressure: a full destination pauses the source until it drained. */
  write(bytes: Uint8Array): void {
    const { destination } = this.#options;
    if (this.#stopped || bytes.length === 0 || !destination.writable) return;
    if (destination.write(bytes, this.#drained)) return;
    this.#full = true;
    this.#wait();
  }

  /** What came and is not given to the destination yet is given to it now. */
  flush(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    this.#send();
  }

  /** Lets go of both sockets; what is being written goes out, what was not yet given to the destination does not. */
  stop(): void {
    this.#stopped = true;
    this.#stuck.stop();
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    this.#slab = null;
    const { source, destination } = this.#options;
    source.removeListener('data', this.#take);
    source.removeListener('end', this.#end);
    destination.removeListener('drain', this.#drained);
    destination.removeListener('finish', this.#drained);
  }

  readonly #end = (): void => {
    this.flush();
    this.#options.ended();
  };

  readonly #take = (chunk: Uint8Array): void => {
    const { plain, take } = this.#options;
    const asItIs = plain();
    take(chunk);
    if (!asItIs) return;
    this.#plainBytes += chunk.length;
    if (this.#plainBytes < bulkBytes) return;
    this.#isBulk = true;
    this.#change('bulk');
  };

  /** Not while Node is within a read of this socket. */
  #change(need: Need): void {
    const { buffers, source } = this.#options;
    const found = this.#changing ? null : buffers(need);
    if (found === null) return;
    this.#buffers = found;
    this.#changing = true;
    setImmediate(() => {
      // One that holds what it has read waits for a later chunk.
      this.#changing = !this.#stopped && readInto(source, found.landing, this.#landed);
    });
  }

  /** The landing buffer is everybody's: what is in it is copied before anything else happens. */
  readonly #landed = (bytes: number): boolean => {
    const buffers = this.#buffers;
    if (this.#stopped || buffers === null) return false;
    if (!this.#isBulk) {
      this.#take(Buffer.from(buffers.landing.subarray(0, bytes)));
      return !this.#stopped && !this.#waiting;
    }
    const full = this.#filled + bytes > slabBytes ? this.#cut() : null;
    this.#slab ??= buffers.take();
    buffers.landing.copy(this.#slab, this.#filled, 0, bytes);
    this.#filled += bytes;
    this.#reads += 1;
    if (full !== null) this.#pass(full);
    // To tell of what goes on may be what ends the relay.
    if (this.#stopped) return false;
    this.#turn ??= setImmediate(this.#atTurn);
    return !this.#waiting;
  };

  readonly #atTurn = (): void => {
    this.#turn = null;
    this.#calm = this.#reads === 1 && this.#filled <= smallBytes ? this.#calm + 1 : 0;
    if (this.#calm === calmTurns) this.#beCalm();
    this.#send();
  };

  #beCalm(): void {
    this.#isBulk = false;
    this.#plainBytes = 0;
    this.#calm = 0;
  }

  #send(): void {
    const pending = this.#cut();
    if (pending !== null) this.#pass(pending);
  }

  /** What came and is not given to the destination; from now on nothing of it is the flow's. */
  #cut(): Pending | null {
    const slab = this.#slab;
    const bytes = this.#filled;
    this.#slab = null;
    this.#filled = 0;
    this.#reads = 0;
    return slab === null || bytes === 0 ? null : { slab, bytes };
  }

  #pass({ slab, bytes }: Pending): void {
    const { destination, carried } = this.#options;
    const buffers = this.#buffers;
    if (!destination.writable) return buffers?.give(slab);
    carried(bytes);
    if (this.#stopped) return;
    // Only who is told that a write is over may give its memory to others.
    let held: Buffer | null = slab;
    const takesMore = destination.write(slab.subarray(0, bytes), () => {
      if (held !== null) buffers?.give(held);
      this.#drained();
    });
    if (!takesMore) this.#full = true;
    if (destination.writableLength >= pendingBytes) this.#wait();
    if (destination.writableLength > 0) return;
    // Nothing of it is looked at again when the system took all of it at once.
    held = null;
    buffers?.give(slab);
  }

  #wait(): void {
    this.#options.source.pause();
    if (this.#waiting) return;
    this.#waiting = true;
    this.#stuck.start(this.#options.drainMs);
  }

  readonly #drained = (): void => {
    const { destination, source, took } = this.#options;
    if (this.#stopped) return;
    // Part of what waits was taken: slow, and not stuck.
    this.#stuck.extend();
    if (destination.writableLength > 0) return;
    // A little that is written at once says nothing of whether anybody takes it.
    if (this.#full) took();
    this.#full = false;
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#stuck.stop();
    source.resume();
  };
}
