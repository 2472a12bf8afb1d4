// Tells the client, in its own protocol, why it is not served. What the client sends meanwhile is read only
// as far as the dialogue needs, never logged and never passed on: there is nobody left to pass it to.

import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, type Permanence } from '../errors.ts';
import type { TalkLimits, Turn } from '../mail/conversation.ts';
import { farewell, farewellLimits, type FarewellEnd, type FarewellTls } from '../mail/farewell.ts';
import { Talk } from '../mail/talk.ts';
import { speak, type Spoken } from '../net/speak.ts';
import type { ClientLeg } from './client-leg.ts';
import { secureClient } from './client-tls.ts';
import type { Route } from './route.ts';
import type { RouteDesk } from './route-desk.ts';
import type { Timing } from './timing.ts';

export interface Message {
  readonly kind: 'refusal' | 'failure';
  readonly permanence: Permanence;
  /** One sentence, ASCII. */
  readonly text: string;
}

export interface SayOptions {
  readonly desk: RouteDesk;
  readonly timing: Timing;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * Says it, closes the client, and returns what was said; null when the client left before it could be told, as most
 * protocols tell it in the answer to a command only. Never rejects. What the client sent before is answered as if it came now. A `tls` client is reset: its protocol is not known here.
 */
export async function say(leg: ClientLeg, message: Message, options: SayOptions): Promise<string | null> {
  const started = performance.now();
  const { route } = options.desk;
  try {
    // Words in clear mean nothing to a client whose handshake was not made.
    const deaf = route.clientTls.mode === 'implicit' && leg.version === null;
    if (route.protocol === 'tls' || deaf) throw new Failure('client');
    if (route.protocol === 'imap' && saidAtOnce(message, route)) await holdBack(options);
    const leftMs = (): number => Math.max(1, deadlineMs(options) - (performance.now() - started));
    let told = await tell(leg, message, { ...options, deadlineMs: leftMs() });
    if (told.end === 'starttls') {
      await secureClient(leg, { ...options, deadlineMs: leftMs() });
      told = await tell(leg, message, { ...options, deadlineMs: leftMs() });
    }
    await close(leg.socket, options.timing.lingerMs);
    leg.socket.destroy();
    return told.told ? message.text : null;
  } catch {
    // The client has gone, or nobody waits for the end any more: there is nobody to tell.
    leg.reset();
    return null;
  }
}

/** One farewell as far as it goes, in clear or inside TLS. */
async function tell(
  leg: ClientLeg,
  message: Message,
  { desk, signal, deadlineMs: leftMs }: SayOptions & { readonly deadlineMs: number },
): Promise<{ readonly end: FarewellEnd; readonly told: boolean }> {
  const { protocol, refusal, refusalCode } = desk.route;
  const style = { style: refusal, smtpCode: refusalCode, tls: leg.tls };
  const talk = new Talk(farewell(protocol, { ...message, ...style }), limitsOf(leg.tls));
  const telling = new Telling(talk, { early: leg.release(), text: message.text });
  const end = await speak(leg.socket, telling, { deadlineMs: leftMs, signal });
  if (end.state === 'fault') return { end: 'over', told: telling.told };
  // Bytes behind STARTTLS would be read as if they had come inside TLS.
  if (end.result === 'starttls' && end.left.length > 0) throw new Failure('client');
  return { end: end.result, told: telling.told };
}

/** Before and inside TLS of one client together no more lines than elsewhere. */
const limitsOf = (tls: FarewellTls): TalkLimits =>
  tls === 'none' ? farewellLimits : { ...farewellLimits, lines: farewellLimits.lines / 2 };

const deadlineMs = ({ desk, timing }: SayOptions): number =>
  desk.route.protocol === 'smtp' || desk.route.protocol === 'lmtp'
    ? timing.smtpFarewellMs
    : timing.farewellMs;

const saidAtOnce = (message: Message, route: Route): boolean =>
  message.kind === 'failure' || route.refusal === 'greeting';

/** Some IMAP clients reconnect at once and for ever when they read BYE: a wait before it makes that slow. */
async function holdBack({ desk, timing, signal }: SayOptions): Promise<void> {
  const release = desk.delays.take();
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

/** A talk whose peer may have spoken already, and which knows whether the text was among what it wrote. */
class Telling<T> implements Spoken<T> {
  told = false;
  readonly #talk: Talk<T>;
  readonly #early: Uint8Array;
  readonly #text: string;

  constructor(talk: Talk<T>, { early, text }: { readonly early: Uint8Array; readonly text: string }) {
    this.#talk = talk;
    this.#early = early;
    this.#text = text;
  }

  start(): Turn<T> {
    const first = this.#noted(this.#talk.start());
    if (first.state !== 'open' || this.#early.length === 0) return first;
    const second = this.feed(this.#early);
    return { ...second, write: Buffer.concat([first.write, second.write]) };
  }

  feed(chunk: Uint8Array): Turn<T> {
    return this.#noted(this.#talk.feed(chunk));
  }

  #noted(turn: Turn<T>): Turn<T> {
    this.told ||= Buffer.from(turn.write).includes(this.#text);
    return turn;
  }

  end(): Turn<T> {
    return this.#talk.end();
  }
}
