// Tells the client, in its own protocol, why it is not served. What the client sends meanwhile is read only
// as far as the dialogue needs, never logged and never passed on: there is nobody left to pass it to.

import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Permanence } from '../errors.ts';
import type { Turn } from '../mail/conversation.ts';
import { farewell, farewellLimits } from '../mail/farewell.ts';
import { Talk } from '../mail/talk.ts';
import { speak, type Spoken } from '../net/speak.ts';
import type { Route } from './route.ts';
import type { Timing } from './timing.ts';
import type { Turns } from './turns.ts';

export interface Message {
  readonly kind: 'refusal' | 'failure';
  readonly permanence: Permanence;
  /** One sentence, ASCII. */
  readonly text: string;
}

export interface SayOptions {
  readonly route: Route;
  /** What the client sent so far; it is answered as if it came now. */
  readonly early: () => Uint8Array;
  /** Delayed farewells under way on this route. */
  readonly delays: Turns;
  readonly timing: Timing;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** Says it and closes the client. Never rejects. A `tls` client is reset: there is no word for it in its protocol. */
export async function say(client: Socket, message: Message, options: SayOptions): Promise<void> {
  const started = performance.now();
  const { protocol } = options.route;
  try {
    if (protocol === 'tls') {
      client.resetAndDestroy();
      return;
    }
    if (protocol === 'imap' && saidAtOnce(message, options.route)) await holdBack(options);
    const talk = new Talk(
      farewell(protocol, { ...message, style: options.route.refusal, smtpCode: options.route.refusalCode }),
      farewellLimits,
    );
    const leftMs = deadlineMs(options) - (performance.now() - started);
    await speak(client, new Primed(talk, options.early()), {
      deadlineMs: Math.max(leftMs, 1),
      signal: options.signal,
    });
    await close(client, options.timing.lingerMs);
    client.destroy();
  } catch {
    // The client has gone, or nobody waits for the end any more: there is nobody to tell.
    client.resetAndDestroy();
  }
}

const deadlineMs = ({ route, timing }: SayOptions): number =>
  route.protocol === 'smtp' || route.protocol === 'lmtp' ? timing.smtpFarewellMs : timing.farewellMs;

const saidAtOnce = (message: Message, route: Route): boolean =>
  message.kind === 'failure' || route.refusal === 'greeting';

/** Some IMAP clients reconnect at once and for ever when they read BYE: a wait before it makes that slow. */
async function holdBack({ delays, timing, signal }: SayOptions): Promise<void> {
  const release = delays.take();
  if (release === null) return;
  try {
    await delay(timing.farewellDelayMs, undefined, { signal });
  } finally {
    release();
  }
}

/**
 * Ends politely: unread input would turn the close into a reset, which may overtake the sentence just written. So the
 * rest is read and thrown away until the client closes, for `lingerMs` at most.
 */
function close(client: Socket, lingerMs: number): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      for (const event of ['close', 'end', 'finish']) client.removeListener(event, look);
      resolve();
    };
    const look = (): void => {
      if (client.destroyed || (client.readableEnded && client.writableFinished)) over();
    };
    const timer = setTimeout(over, lingerMs);
    for (const event of ['close', 'end', 'finish']) client.on(event, look);
    client.end();
    client.resume();
    look();
  });
}

/** A talk whose peer has spoken already. */
class Primed<T> implements Spoken<T> {
  readonly #talk: Talk<T>;
  readonly #early: Uint8Array;

  constructor(talk: Talk<T>, early: Uint8Array) {
    this.#talk = talk;
    this.#early = early;
  }

  start(): Turn<T> {
    const first = this.#talk.start();
    if (first.state !== 'open' || this.#early.length === 0) return first;
    const second = this.#talk.feed(this.#early);
    return { ...second, write: Buffer.concat([first.write, second.write]) };
  }

  feed(chunk: Uint8Array): Turn<T> {
    return this.#talk.feed(chunk);
  }

  end(): Turn<T> {
    return this.#talk.end();
  }
}
