// One direction of a relayed session: who writes, who reads and how, and whether what arrives is what was sent.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Check, Content } from './exact-content.ts';
import { turns, type Patience } from './exact-patience.ts';

/** In which pieces a writer writes, over and over. */
export interface Pieces {
  readonly sizes: readonly number[];
  /** Each piece is let out before the next is written, so that it is a record of its own; else they may run together. */
  readonly apart?: boolean;
}

/** Pauses after so many bytes for so many turns of the event loop, again and again. */
export interface Stalls {
  readonly everyBytes: number;
  readonly forTurns: number;
}

interface LineOptions {
  /** For the messages, and the seed of its content. */
  readonly name: string;
  readonly source: Socket;
  readonly target: Socket;
  readonly patience: Patience;
  readonly seeds: () => readonly string[];
}

export class Line {
  readonly name: string;
  /** Bytes that were given to the writer's socket. */
  sent = 0;
  /** As the reader saw it. */
  ended = false;
  closed = false;
  error: string | null = null;
  stalls: Stalls | null = null;
  readonly check: Check;
  readonly #content: Content;
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #patience: Patience;
  #held = false;
  #sinceStall = 0;

  constructor({ name, source, target, patience, seeds }: LineOptions) {
    this.name = name;
    this.#content = new Content(name);
    this.check = new Check(new Content(name), seeds);
    this.#source = source;
    this.#target = target;
    this.#patience = patience;
  }

  get received(): number {
    return this.check.received;
  }

  /** Bytes that the system has not taken from the writer yet. */
  get waiting(): number {
    return this.#source.writableLength;
  }

  /** Begins to read; what is read by a buffer of the reader's own is given to `take` by its socket. */
  read(): void {
    const target = this.#target;
    target.on('data', (chunk: Buffer) => this.take(chunk));
    target.on('error', (cause: NodeJS.ErrnoException) => (this.error ??= cause.code ?? cause.message));
    target.on('end', () => (this.ended = true));
    target.on('close', () => (this.closed = true));
    if (this.#held) target.pause();
    else target.resume();
  }

  take(chunk: Uint8Array): void {
    this.check.take(chunk);
    this.#sinceStall += chunk.length;
    if (this.stalls === null || this.#held || this.#sinceStall < this.stalls.everyBytes) return;
    this.#sinceStall = 0;
    this.hold();
    void turns(this.stalls.forTurns).then(() => this.go());
  }

  /** The reader reads no more, until `go`. */
  hold(): void {
    this.#held = true;
    this.#target.pause();
  }

  go(): void {
    this.#held = false;
    this.#target.resume();
  }

  /** Writes `total` bytes, as fast as they are taken; comes back when the last was given to the socket, or the socket is gone. */
  async send(total: number, { sizes, apart = false }: Pieces): Promise<void> {
    const source = this.#source;
    for (let left = total, turn = 0; left > 0 && source.writable; turn += 1) {
      const chunk = this.#next(Math.min(sizes[turn % sizes.length] ?? 1, left));
      left -= chunk.length;
      if (apart) await new Promise<void>((resolve) => source.write(chunk, () => resolve()));
      else if (!source.write(chunk)) await drained(source);
    }
  }

  /** Writes words, before any content; they are to arrive as `heardAs`. */
  say(words: string, heardAs = words): void {
    this.aside(Buffer.from(words));
    this.hears(Buffer.from(heardAs));
  }

  /** These are to arrive, before any content, whoever wrote them. */
  hears(bytes: Uint8Array): void {
    this.check.first(bytes);
    this.sent += bytes.length;
  }

  /** Writes what must not arrive. */
  aside(bytes: Uint8Array): void {
    this.#source.write(bytes);
  }

  /** Writes them all in this turn, whether the socket is full or not. */
  burst(total: number, size: number): void {
    for (let left = total; left > 0 && this.#source.writable; left -= size) {
      this.#source.write(this.#next(Math.min(size, left)));
    }
  }

  /** Writes the last `total` bytes and the end in one go. */
  end(total = 0): void {
    if (total > 0) this.#source.end(this.#next(total));
    else this.#source.end();
  }

  /** All that was sent is here, as it was sent. */
  async arrived(): Promise<void> {
    await this.#patience.until(() => this.received >= this.sent || this.#stopped(), {
      moved: () => this.received + this.sent - this.waiting,
      what: () => `${this.name}: ${this.received} of ${this.sent} bytes arrived`,
    });
    this.exact();
    if (this.received < this.sent)
      throw new Error(`${this.name}: ${this.received} of ${this.sent} bytes arrived, then ${this.#how()}`);
  }

  async carry(total: number, pieces: Pieces): Promise<void> {
    const sent = this.sent + total;
    await this.#patience.of(this.send(total, pieces), {
      moved: () => this.received + this.sent - this.waiting,
      what: () => `${this.name}: ${this.sent} bytes written, ${this.received} arrived`,
    });
    this.exact();
    if (this.sent < sent)
      throw new Error(`${this.name}: ${this.sent} of ${sent} bytes written, then a break`);
    await this.arrived();
  }

  /** All is here and the end behind it. */
  async whole(): Promise<void> {
    await this.arrived();
    await this.#patience.until(() => this.ended || this.closed, {
      moved: () => this.received,
      what: () => `${this.name}: no end arrived`,
    });
    this.exact();
    if (!this.ended) throw new Error(`${this.name}: ${this.#how()} in place of an end`);
  }

  /** The reader hears that it is over; what arrived, all or less, is how it began. */
  async over(): Promise<void> {
    await this.#patience.until(() => this.closed || this.ended, {
      moved: () => this.received,
      what: () => `${this.name}: the reader heard nothing of the break`,
    });
    this.exact();
  }

  /** The same, and no end was made of the break. */
  async broken(): Promise<void> {
    await this.over();
    if (this.ended && !(await this.#wasReset())) throw new Error(`${this.name}: an end in place of a break`);
  }

  /**
   * libuv tells of a reset that comes right behind data as of an end (libuv/libuv#4992), to the test as well; but
   * nothing can be written any more then.
   */
  #wasReset(): Promise<boolean> {
    const refused = new Promise<boolean>((resolve) => {
      this.#target.write('?', (error) => resolve(error !== null && error !== undefined));
    });
    // Behind what waits to be written nothing is heard of it.
    return Promise.race([refused, turns(200).then(() => false)]);
  }

  /** Writes until the system takes no more for many turns; throws where that does not come before `most` bytes. */
  async stuck(most: number): Promise<void> {
    for (let still = 0; still < 40;) {
      const before = this.sent - this.waiting;
      if (this.waiting < 262_144) this.burst(131_072, 65_536);
      await turns(1);
      still = this.sent - this.waiting === before ? still + 1 : 0;
      this.exact();
      if (this.sent > most)
        throw new Error(`${this.name}: ${most} bytes were taken for a reader that reads nothing`);
    }
  }

  /** Nothing that was not sent, or not in that order, has arrived until now. */
  exact(): void {
    const fault = this.check.fault();
    if (fault !== null) throw new Error(`${this.name}: ${fault}`);
    if (this.received > this.sent)
      throw new Error(`${this.name}: ${this.received} bytes arrived of ${this.sent}: some came twice`);
  }

  #next(length: number): Buffer {
    this.sent += length;
    return this.#content.next(length);
  }

  #stopped(): boolean {
    return this.check.wrong || this.ended || this.closed;
  }

  #how(): string {
    if (this.ended) return 'an end';
    return this.error === null ? 'a close' : `a break (${this.error})`;
  }
}

const unlessStopped = (): undefined => undefined;

/** Until it takes more, or is gone. */
async function drained(socket: Socket): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([
    once(socket, 'drain', { signal }).catch(unlessStopped),
    once(socket, 'close', { signal }).catch(unlessStopped),
  ]);
  stop.abort();
}
