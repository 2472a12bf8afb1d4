// The guest's side of one connection to the holder of the pins, as questions and answers. Whatever is late, too much or does not
// verify ends it: who is not understood is not believed.

import type { Socket } from 'node:net';
import { StoreError } from '../store/store-error.ts';
import { linesFrom, Pen } from './framing.ts';
import { lineOf, maxLineBytes } from './line-of.ts';
import { tellOf, type Ask, type Tell } from './words.ts';

export interface LineTiming {
  /** For one question and its whole answer. */
  readonly answerMs: number;
  /** Without a word, the beat included, for so long nobody is there. */
  readonly silenceMs: number;
}

export const lineTiming: LineTiming = { answerMs: 30_000, silenceMs: 10_000 };

/** A question without its number. */
export type Question = Ask extends infer One ? (One extends Ask ? Omit<One, 'id'> : never) : never;
export type Answer = Extract<Tell, { id: number }>;
export type Final = Extract<Answer, { tell: 'done' | 'committed' | 'conflict' }>;

export interface Answered {
  /** What came before the end. */
  readonly parts: readonly Answer[];
  readonly end: Final;
}

interface Waiting {
  readonly parts: Answer[];
  readonly deadline: NodeJS.Timeout;
  readonly resolve: (answered: Answered) => void;
  readonly reject: (error: StoreError) => void;
}

const maxParts = 300_000;

export interface LineEnds {
  readonly socket: Socket;
  readonly head: Uint8Array;
  readonly timing: LineTiming;
  /** Hears everything before whoever asked does. */
  readonly heard: (tell: Tell) => void;
  /** The connection is over; why, for people. Called once. */
  readonly over: (why: string) => void;
}

export class Line {
  readonly #ends: LineEnds;
  readonly #pen: Pen;
  readonly #waiting = new Map<number, Waiting>();
  #silence: NodeJS.Timeout | null = null;
  #asked = 0;
  #idle: (() => void)[] = [];
  #over: string | null = null;

  constructor(ends: LineEnds) {
    this.#ends = ends;
    this.#pen = new Pen(ends.socket, { patienceMs: ends.timing.answerMs });
    this.#listen();
    ends.socket.once('close', () => this.end('the process that holds the pin store went away'));
    void this.#read();
  }

  /** Resolves when nothing is asked and not answered any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#tellIdle();
    });
  }

  /** @throws StoreError also when it is not known whether a commit was carried out */
  ask(question: Question): Promise<Answered> {
    if (this.#over !== null) return Promise.reject(unavailable(this.#over));
    const id = this.#asked;
    const line = lineOf('guest', { ...question, id });
    if (Buffer.byteLength(line) > maxLineBytes) return Promise.reject(tooLarge());
    this.#asked += 1;
    return new Promise((resolve, reject) => {
      const late = `the process that holds the pin store did not answer in ${this.#ends.timing.answerMs / 1000} s`;
      const deadline = setTimeout(() => this.end(late), this.#ends.timing.answerMs);
      this.#waiting.set(id, { parts: [], deadline, resolve, reject });
      // Whoever waits for an answer may not find its process ended; a connection at rest keeps nothing alive.
      this.#ends.socket.ref();
      void this.#pen.write(line);
    });
  }

  /** Ends it for good; what was asked and not answered fails. */
  end(why: string): void {
    if (this.#over !== null) return;
    this.#over = why;
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#ends.socket.destroy();
    this.#ends.over(why);
    for (const { deadline, reject } of this.#waiting.values()) {
      clearTimeout(deadline);
      reject(unavailable(why));
    }
    this.#waiting.clear();
    this.#tellIdle();
  }

  async #read(): Promise<void> {
    const { socket, head } = this.#ends;
    try {
      for await (const line of linesFrom(socket, { head, maxBytes: maxLineBytes })) {
        if (this.#over !== null) return;
        this.#take(line);
      }
      this.end('the process that holds the pin store went away');
    } catch {
      this.end('what the process that holds the pin store said could not be read');
    }
  }

  #take(line: string): void {
    const tell = tellOf(line);
    if (tell === null) return this.end('what the process that holds the pin store said does not verify');
    this.#listen();
    this.#ends.heard(tell);
    if ('id' in tell) this.#answered(tell);
  }

  #answered(tell: Answer): void {
    const waiting = this.#waiting.get(tell.id);
    if (waiting === undefined) return this.end('an answer came to what nobody asked');
    if (tell.tell === 'rows' || tell.tell === 'entries') {
      waiting.parts.push(tell);
      if (waiting.parts.length > maxParts) this.end('an answer was too long');
      return;
    }
    clearTimeout(waiting.deadline);
    this.#waiting.delete(tell.id);
    if (this.#waiting.size === 0) this.#ends.socket.unref();
    if (tell.tell === 'failed') waiting.reject(failure(tell));
    else waiting.resolve({ parts: waiting.parts, end: tell });
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#waiting.size > 0) return;
    for (const tell of this.#idle.splice(0)) tell();
  }

  #listen(): void {
    if (this.#silence !== null) this.#silence.refresh();
    else {
      this.#silence = setTimeout(
        () => this.end('the process that holds the pin store has fallen silent'),
        this.#ends.timing.silenceMs,
      );
      this.#silence.unref();
    }
  }
}

export const unavailable = (why: string, cause?: unknown): StoreError =>
  new StoreError('store-unavailable', why, { cause });

const tooLarge = (): StoreError =>
  new StoreError('store-io', `a commit to a shared pin store has at most ${maxLineBytes} bytes`, {
    hint: 'Make several commits of it.',
  });

const codes = {
  'store-locked': 'store-locked',
  'store-missing': 'store-missing',
  'store-damaged': 'store-damaged',
  'store-newer': 'store-newer',
  'store-io': 'store-io',
  'store-permissions': 'store-permissions',
  'store-unavailable': 'store-unavailable',
} as const satisfies Record<StoreError['code'], StoreError['code']>;

function failure({ code, message, hint }: Extract<Tell, { tell: 'failed' }>): StoreError {
  const known = Object.values(codes).find((one) => one === code) ?? 'store-io';
  return new StoreError(known, message, hint === null ? {} : { hint });
}
