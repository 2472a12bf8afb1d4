// The one driver of all conversations: it cuts what arrives into lines, holds the limits, and returns what to
// write. It never sees a socket or a clock, and it never throws for anything a peer sends. The same bytes give
// the same end, whole or one by one: limits are measured on the bytes a conversation consumed, not on chunks.

import { ByteQueue } from './byte-queue.ts';
import type { Ask, Conversation, Line, TalkFault, TalkLimits, Turn } from './conversation.ts';

const nul = 0x00;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** What was found while looking for the rest of what the conversation waits for. */
type Found = { readonly answer: Line | null } | { readonly fault: TalkFault } | 'nothing yet';

/**
 * Drives one conversation. `start` first, then `feed` for every chunk, `end` when the peer's stream ended.
 * After a turn `done` or `fault` nothing more is written; chunks fed then come back as `left`, or are ignored.
 * With `wiped` limits the chunks fed are overwritten: they belong to the talk.
 */
export class Talk<T> {
  readonly #conversation: Conversation<T>;
  readonly #limits: TalkLimits;
  readonly #held = new ByteQueue();
  #write: Uint8Array[] = [];
  #ask: Ask | null = null;
  #line: ReceivedLine | null = null;
  #scanned = 0;
  #consumed = 0;
  #lines = 0;
  #last: { readonly result: T } | { readonly fault: TalkFault } | null = null;

  constructor(conversation: Conversation<T>, limits: TalkLimits) {
    this.#conversation = conversation;
    this.#limits = limits;
  }

  start(): Turn<T> {
    if (this.#ask === null && this.#last === null) this.#step(null);
    return this.#proceed();
  }

  feed(chunk: Uint8Array): Turn<T> {
    this.#held.push(chunk);
    if (this.#limits.wiped) chunk.fill(0);
    return this.#proceed();
  }

  /** The peer's stream ended: what the conversation still waits for will not come. */
  end(): Turn<T> {
    this.#last ??= { fault: 'ended' };
    return this.#turn();
  }

  /** Answers asks from what is held, until something is missing or the conversation is over. */
  #proceed(): Turn<T> {
    while (this.#last === null && this.#ask !== null) {
      const found = this.#find(this.#ask);
      if (found === 'nothing yet') break;
      if ('fault' in found) this.#last = found;
      else this.#step(found.answer);
    }
    return this.#turn();
  }

  /** Lets the conversation go on to its next ask that needs the peer. */
  #step(answer: Line | null): void {
    let given = answer;
    for (;;) {
      const next = this.#conversation.next(given);
      this.#forget();
      if (next.done) {
        this.#last = { result: next.value };
        return;
      }
      if (!('send' in next.value)) {
        this.#ask = next.value;
        return;
      }
      this.#write.push(bytesOf(next.value.send));
      given = null;
    }
  }

  #forget(): void {
    if (this.#limits.wiped) this.#line?.bytes.fill(0);
    this.#line = null;
  }

  #find(ask: Ask): Found {
    return 'discard' in ask ? this.#discard(ask.discard) : this.#findLine();
  }

  #discard(count: number): Found {
    if (!(count >= 0 && count <= this.#limits.totalBytes - this.#consumed))
      return { fault: 'too-many-bytes' };
    const dropped = this.#held.drop(count);
    this.#consumed += dropped;
    if (dropped === count) return { answer: null };
    this.#ask = { discard: count - dropped };
    return 'nothing yet';
  }

  #findLine(): Found {
    if (this.#lines >= this.#limits.lines) return { fault: 'too-many-lines' };
    for (; this.#scanned < this.#held.length; this.#scanned += 1) {
      const fault = this.#faultAt(this.#scanned);
      if (fault !== null) return { fault };
      if (this.#held.at(this.#scanned) === lineFeed) return { answer: this.#takeLine() };
    }
    return 'nothing yet';
  }

  #faultAt(index: number): TalkFault | null {
    const byte = this.#held.at(index);
    const before = index === 0 ? NaN : this.#held.at(index - 1);
    const strict = this.#limits.lineEnds !== 'lf';
    if (this.#consumed + index >= this.#limits.totalBytes) return 'too-many-bytes';
    if (byte === nul) return 'bad-line-end';
    if (strict && (byte === lineFeed) !== (before === carriageReturn)) return 'bad-line-end';
    // The line end may stand behind a line of full length: CR right behind it, LF behind that.
    const room = byte === lineFeed ? 1 : byte === carriageReturn ? 0 : -1;
    return index > this.#limits.lineBytes + room ? 'line-too-long' : null;
  }

  #takeLine(): Line {
    const bytes = this.#held.take(this.#scanned + 1);
    this.#consumed += bytes.length;
    this.#lines += 1;
    this.#scanned = 0;
    const ending = bytes.at(-2) === carriageReturn ? 2 : 1;
    this.#line = new ReceivedLine(bytes.subarray(0, bytes.length - ending));
    return this.#line;
  }

  #turn(): Turn<T> {
    const write = this.#write.length === 0 ? nothing : Buffer.concat(this.#write);
    this.#write = [];
    if (this.#last === null) return { write, state: 'open' };
    const left = this.#held.take();
    if ('fault' in this.#last) return { write, state: 'fault', fault: this.#last.fault };
    return { write, state: 'done', result: this.#last.result, left };
  }
}

class ReceivedLine implements Line {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get text(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString('latin1');
  }
}

const nothing = new Uint8Array();

const bytesOf = (send: Uint8Array | string): Uint8Array =>
  typeof send === 'string' ? Buffer.from(send, 'latin1') : send;
