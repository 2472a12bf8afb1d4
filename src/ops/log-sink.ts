// Where lines of the log go: written at once, in the tick of the call, so that none is lost when the process ends. A
// reader that does not keep up must not stop the proxy: where a write would wait, lines are kept up to a bound and
// the rest is lost, counted, and said as soon as the reader is back. A reader that went away is no error.

import { closeSync, constants, fstatSync, openSync, writeSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';

/** Bytes kept for a reader that does not keep up. */
const maxKept = 256 * 1024;
const retryMs = 100;
/** How long the end of the process waits for such a reader. */
const patienceMs = 250;

export interface Lost {
  readonly lines: number;
  readonly bytes: number;
}

/** Whoever opens one closes it; the descriptor given stays open. */
export class LogSink {
  readonly #fd: number;
  readonly #own: boolean;
  readonly #said: (lost: Lost) => string;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #lost: { lines: number; bytes: number } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `said` is the line that tells of lines lost. */
  constructor(fd: number, said: (lost: Lost) => string) {
    const { fd: unblocked, own } = withoutWaiting(fd);
    this.#fd = unblocked;
    this.#own = own;
    this.#said = said;
  }

  /** `line` ends with a line end. */
  write(line: string): void {
    // Somebody else may have the descriptor's number by now.
    if (this.#closed) return;
    const bytes = Buffer.from(line);
    if (this.#keptBytes === 0) return this.#keep(this.#put(bytes));
    if (this.#keptBytes + bytes.length <= maxKept) return this.#keep(bytes);
    this.#lost ??= { lines: 0, bytes: 0 };
    this.#lost.lines += 1;
    this.#lost.bytes += bytes.length;
  }

  /** Writes what is kept, waiting a moment for a slow reader; what he does not take then is lost. */
  close(): void {
    if (this.#closed) return;
    const deadline = performance.now() + patienceMs;
    const clock = new Int32Array(new SharedArrayBuffer(4));
    while (!this.#drain() && performance.now() < deadline) Atomics.wait(clock, 0, 0, 10);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#closed = true;
    if (this.#own) closeSync(this.#fd);
  }

  /** Half a line must be finished whatever comes: its rest is kept, bound or not. */
  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#kept.push(rest);
    this.#keptBytes += rest.length;
    this.#timer ??= setInterval(() => this.#drain(), retryMs).unref();
  }

  /** Whether nothing is left. */
  #drain(): boolean {
    while (this.#keptBytes > 0) {
      const all = Buffer.concat(this.#kept);
      const rest = this.#put(all);
      this.#kept = rest.length === 0 ? [] : [rest];
      this.#keptBytes = rest.length;
      if (rest.length > 0) return false;
      this.#tellLost();
    }
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    return true;
  }

  #tellLost(): void {
    const lost = this.#lost;
    this.#lost = null;
    if (lost !== null) this.#keep(Buffer.from(this.#said(lost)));
  }

  /** What could not be written now; nothing when nobody will ever read it. */
  #put(bytes: Buffer): Buffer {
    let from = 0;
    try {
      while (from < bytes.length) from += writeSync(this.#fd, bytes, from);
    } catch (error) {
      return isFull(error) ? bytes.subarray(from) : Buffer.alloc(0);
    }
    return Buffer.alloc(0);
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN';

/**
 * A descriptor on which a write fails rather than waits. A pipe or terminal is opened once more, so that nobody who shares
 * it finds his own end changed; a socket cannot be, nor a pipe that is another user's. A file never waits.
 */
function withoutWaiting(fd: number): { readonly fd: number; readonly own: boolean } {
  const shared = { fd, own: false };
  try {
    const facts = fstatSync(fd);
    const own = isReopened(facts) ? reopened(fd) : null;
    if (own !== null) return { fd: own, own: true };
    // Node's way to set the flag: the handle is never read, written, closed, or waited for.
    if (facts.isSocket() || facts.isFIFO()) new Socket({ fd, readable: false, writable: false }).unref();
  } catch {
    // No such system, or not permitted: a write may wait there, as it does for most programs.
  }
  return shared;
}

/** Null for a pipe of another user, as after `su` or `setpriv`, and where there is no /proc. */
function reopened(fd: number): number | null {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null;
  }
}

const isReopened = (facts: Stats): boolean => facts.isFIFO() || facts.isCharacterDevice();
