// What a sleep of the machine or a change of its addresses means for one connection to a server. The system
// is made to ask the other side at once; a server that leaves the client's next bytes unanswered is given up,
// and so is a connection from an address that this machine has no more. It closes nothing: it says `dead`.

import type { Socket } from 'node:net';
import { Deadline } from './deadline.ts';
import { keepAliveMs } from './dial.ts';
import type { Suspicion } from './suspicion.ts';

export interface DoubtOptions {
  readonly suspicion: Suspicion;
  /** How long a suspect server may take to answer. */
  readonly answerMs: number;
  /** At most once; `detail` is for the log. */
  readonly dead: (detail: string) => void;
}

const suspectKeepAliveMs = 1_000;
/** By then a dead connection was found out; asking each second for longer would only cost the battery. */
const probingMs = 15_000;

export class Doubt {
  readonly #raw: Socket;
  readonly #answerMs: number;
  readonly #suspicion: Suspicion;
  readonly #answer: Deadline;
  readonly #probing: Deadline;
  readonly #release: (() => void)[];
  #suspect = false;
  /** When the client last said something that is not answered, by performance.now(). */
  #askedAt: number | null = null;

  /** `raw` is the TCP socket to the server; whoever makes this calls `close`. */
  constructor(raw: Socket, { suspicion, answerMs, dead }: DoubtOptions) {
    this.#raw = raw;
    this.#answerMs = answerMs;
    this.#suspicion = suspicion;
    this.#answer = new Deadline(() => dead('no answer after sleep or address change'));
    this.#probing = new Deadline(() => raw.setKeepAlive(true, keepAliveMs));
    this.#release = [suspicion.listen((unseenMs) => this.#raise(unseenMs))];
    const { localAddress } = raw;
    if (localAddress === undefined) return;
    const gone = (): void => dead('this machine no longer has the address it was made from');
    this.#release.push(suspicion.watch(localAddress, gone));
  }

  /** The client said something. */
  asked(): void {
    this.#suspicion.check();
    this.#askedAt = performance.now();
    if (this.#suspect) this.#expectAnswer();
  }

  /** The server said something. */
  answered(): void {
    this.#suspect = false;
    this.#askedAt = null;
    this.#answer.stop();
  }

  /** The server takes what is sent: during a long message there is no other sign of it. */
  took(): void {
    if (this.#answer.running) this.#answer.extend();
  }

  close(): void {
    this.#answer.stop();
    this.#probing.stop();
    for (const release of this.#release) release();
  }

  #raise(unseenMs: number): void {
    this.#raw.setKeepAlive(true, suspectKeepAliveMs);
    this.#probing.start(probingMs);
    if (this.#answer.running) return;
    this.#suspect = true;
    // It may have happened just before the client's last bytes, and there need not be more of them.
    if (this.#askedAt !== null && performance.now() - this.#askedAt <= unseenMs) this.#expectAnswer();
  }

  #expectAnswer(): void {
    this.#suspect = false;
    this.#answer.start(this.#answerMs);
  }
}
