// Reads a server's first words over TLS: the proof that the peer speaks the protocol before a first use is
// remembered, and the wait that keeps a spliced STARTTLS session from being taken for an implicit one. Nothing
// is altered: `bytes` is what came, to be relayed as it came.

import type { Conversation, TalkLimits } from './conversation.ts';
import { readImapGreeting } from './imap.ts';
import { readPop3Greeting } from './pop3.ts';
import { receiveLine, type GreetingVerdict } from './prologue-result.ts';
import type { Protocol } from './protocol.ts';
import { sieveGreeting } from './sieve.ts';
import { smtpGreeting } from './smtp.ts';
import { Talk } from './talk.ts';

export type { GreetingVerdict } from './prologue-result.ts';

export type GreetingState =
  { readonly state: 'open' } | { readonly state: 'done'; readonly verdict: GreetingVerdict };

/** Over TLS a server may end lines as it likes; what it says is relayed, not obeyed. */
export const greetingLimits: TalkLimits = { lineBytes: 8192, totalBytes: 65_536, lines: 512, lineEnds: 'lf' };

/**
 * Reads one whole greeting of implicit TLS, or the ManageSieve capabilities issued again after STARTTLS.
 * A limit reached, a NUL, or a first byte no greeting begins with is `not-this-protocol`; a stream that ends
 * before the verdict stays `open` (the caller knows that it ended). PREAUTH is legal over TLS: the caller decides.
 */
export class GreetingReader {
  readonly #talk: Talk<GreetingVerdict>;
  readonly #firstBytes: RegExp;
  readonly #received: Uint8Array[] = [];
  #left: readonly Uint8Array[] = [];
  #state: GreetingState = { state: 'open' };

  constructor(protocol: Exclude<Protocol, 'tls'>, limits: TalkLimits = greetingLimits) {
    this.#talk = new Talk(conversationOf(protocol), { ...limits, lineEnds: 'lf' });
    this.#talk.start();
    this.#firstBytes = firstBytesOf(protocol);
  }

  /** Everything received so far, also what came behind the greeting. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.#received);
  }

  /** What came behind the greeting; it is the end of `bytes`. */
  get left(): Uint8Array {
    return Buffer.concat(this.#left);
  }

  feed(chunk: Uint8Array): GreetingState {
    if (chunk.length === 0) return this.#state;
    const first = this.#received.length === 0;
    this.#received.push(new Uint8Array(chunk));
    if (this.#state.state === 'done') {
      this.#left = [...this.#left, new Uint8Array(chunk)];
      return this.#state;
    }
    // TLS alerts and binary protocols have no line end to wait for.
    if (first && !this.#firstBytes.test(Buffer.from(chunk.subarray(0, 1)).toString('latin1')))
      this.#state = { state: 'done', verdict: 'not-this-protocol' };
    else this.#state = this.#read(chunk);
    return this.#state;
  }

  #read(chunk: Uint8Array): GreetingState {
    const turn = this.#talk.feed(chunk);
    if (turn.state === 'open') return this.#state;
    if (turn.state === 'done') this.#left = [turn.left];
    return { state: 'done', verdict: turn.state === 'done' ? turn.result : 'not-this-protocol' };
  }
}

function conversationOf(protocol: Exclude<Protocol, 'tls'>): Conversation<GreetingVerdict> {
  switch (protocol) {
    case 'imap':
      return readOneLine(readImapGreeting);
    case 'pop3':
      return readOneLine(readPop3Greeting);
    case 'smtp':
    case 'lmtp':
      return verdictOf(smtpGreeting());
    case 'sieve':
      return verdictOf(sieveGreeting());
  }
}

function firstBytesOf(protocol: Exclude<Protocol, 'tls'>): RegExp {
  switch (protocol) {
    case 'imap':
      return /\*/;
    case 'pop3':
      return /[+-]/;
    case 'smtp':
    case 'lmtp':
      return /[2-5]/;
    case 'sieve':
      return /["{ONB]/i;
  }
}

function* readOneLine(read: (line: string) => GreetingVerdict): Conversation<GreetingVerdict> {
  return read(yield* receiveLine());
}

function* verdictOf(
  greeting: Conversation<{ readonly verdict: GreetingVerdict }>,
): Conversation<GreetingVerdict> {
  return (yield* greeting).verdict;
}
