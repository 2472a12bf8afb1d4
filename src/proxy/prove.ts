// Proof of protocol: whoever holds the key must also speak as the mail server it is taken for, before a
// first use is remembered and before the client hears a word (a server spliced onto its STARTTLS port, or
// another service with the same certificate, does not). Returns what the client is greeted with.

import type { Duplex } from 'node:stream';
import type { Turn } from '../mail/conversation.ts';
import { GreetingReader, type GreetingVerdict } from '../mail/greeting.ts';
import { localGreeting } from '../mail/local-greeting.ts';
import type { Protocol } from '../mail/protocol.ts';
import { speak, type Spoken } from '../net/speak.ts';
import type { Verdict } from '../trust/evidence.ts';
import { escapeText } from '../trust/escape.ts';
import { errorFor, type Speech } from './upstream.ts';

export interface ProofOptions {
  /** ManageSieve's capabilities again after STARTTLS, milliseconds. */
  readonly sieveProofMs: number;
  readonly signal: AbortSignal;
}

export interface Greeting {
  /** `preauth`: positive, and logged in already. */
  readonly verdict: 'positive' | 'preauth' | 'negative';
  /** What the client is greeted with: the server's own bytes as they came, or ours after an upstream STARTTLS. */
  readonly bytes: Uint8Array;
  /** How many of the last bytes came behind the greeting itself. */
  readonly behind: number;
  /** What the server said, for the log. */
  readonly quote: string;
}

/**
 * Reads from `socket` where the proof is a greeting over TLS; elsewhere handshake or prologue were the proof already.
 * Throws Failure `no-greeting` when it does not come, Refusal `not-this-protocol`, or the signal's reason. The socket stays open.
 */
export async function prove(socket: Duplex, route: Speech, options: ProofOptions): Promise<Greeting> {
  const { protocol, upstreamTls, limits } = route;
  if (protocol === 'tls') return { verdict: 'positive', bytes: nothing, behind: 0, quote: '' };
  if (upstreamTls === 'implicit')
    return readGreeting(socket, protocol, { ...options, deadlineMs: limits.greetingSeconds * 1_000 });
  if (protocol === 'sieve')
    return readGreeting(socket, protocol, { ...options, deadlineMs: options.sieveProofMs });
  return { verdict: 'positive', bytes: localGreeting(protocol), behind: 0, quote: '' };
}

async function readGreeting(
  socket: Duplex,
  protocol: Exclude<Protocol, 'tls'>,
  options: ProofOptions & { readonly deadlineMs: number },
): Promise<Greeting> {
  const talk = new GreetingTalk(protocol);
  const end = await speak(socket, talk, options);
  if (end.state === 'fault')
    throw errorFor('no-greeting', `${end.fault} while waiting for the greeting; ${talk.quote()}`);
  switch (end.result) {
    case 'positive':
    // Over TLS a server may know its client already; the key was judged before it said so.
    case 'preauth':
    case 'negative':
      return { verdict: end.result, bytes: talk.bytes, behind: talk.left.length, quote: talk.quote() };
    case 'not-this-protocol':
      throw errorFor('not-this-protocol', talk.quote());
  }
}

/** The reader of a greeting, as a talk that never says anything. */
class GreetingTalk implements Spoken<GreetingVerdict> {
  readonly #reader: GreetingReader;

  constructor(protocol: Exclude<Protocol, 'tls'>) {
    this.#reader = new GreetingReader(protocol);
  }

  get bytes(): Uint8Array {
    return this.#reader.bytes;
  }

  get left(): Uint8Array {
    return this.#reader.left;
  }

  start(): Turn<GreetingVerdict> {
    return { write: nothing, state: 'open' };
  }

  feed(chunk: Uint8Array): Turn<GreetingVerdict> {
    const read = this.#reader.feed(chunk);
    return read.state === 'open'
      ? this.start()
      : { write: nothing, state: 'done', result: read.verdict, left: nothing };
  }

  end(): Turn<GreetingVerdict> {
    return { write: nothing, state: 'fault', fault: 'ended' };
  }

  /** The beginning of what the server said, for the log. */
  quote(): string {
    const said = Buffer.from(this.bytes.subarray(0, 160)).toString('latin1').trimEnd();
    return said === '' ? 'the server said nothing' : `the server said ${escapeText(said)}`;
  }
}

const nothing = new Uint8Array(0);

/** A first use, also one that became so after the proof, wants a positive greeting. Throws Failure `no-greeting`. */
export function confirmProof(greeting: Greeting, verdict: Verdict): void {
  if (greeting.verdict === 'negative' && verdict.accept && verdict.basis === 'first-use') {
    throw errorFor('no-greeting', greeting.quote);
  }
}
