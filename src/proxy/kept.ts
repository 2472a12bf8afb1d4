// One connection kept ready for a client that has not come yet: dialled, judged, greeted, and watched since. It
// is good only as long as nothing at all was heard of the server after its greeting. Nothing is ever sent on
// it: what a client gets is as new as one made for it.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsaAnswer } from '../trust/dane.ts';
import type { Peer } from '../trust/evidence.ts';
import type { Approached } from './approach.ts';
import type { Era } from './hold.ts';
import type { Greeting } from './prove.ts';
import type { TargetDesk } from './route-desk.ts';

export interface KeptFacts {
  readonly greeting: Greeting;
  /** The state of trust it was judged in. */
  readonly era: Era;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly lifeMs: number;
  /** It must not be used any more; called once at most, and not after `hand`, `letGo` or `close`. */
  readonly over: (kept: Kept, why: 'heard' | 'expired') => void;
}

/** Whoever makes one closes it, or lets it go. It does not keep the process alive. */
export class Kept implements Approached {
  readonly raw: Socket;
  readonly socket: TLSSocket;
  readonly peer: Peer;
  readonly desk: TargetDesk;
  readonly tlsa: TlsaAnswer | null;
  readonly greeting: Greeting;
  readonly era: Era;
  readonly readyAt: number;
  readonly #lifeMs: number;
  #over: KeptFacts['over'] | null;
  readonly #expiry: NodeJS.Timeout;
  #watched = true;
  #heard = false;

  constructor({ raw, socket, peer, desk, tlsa }: Approached, facts: KeptFacts) {
    this.raw = raw;
    this.socket = socket;
    this.peer = peer;
    this.desk = desk;
    this.tlsa = tlsa;
    this.greeting = facts.greeting;
    this.era = facts.era;
    this.readyAt = facts.now;
    this.#lifeMs = facts.lifeMs;
    this.#over = facts.over;
    this.#expiry = setTimeout(() => this.#end('expired'), facts.lifeMs).unref();
    // Watching is reading: a paused socket would not notice that the server went.
    for (const event of watched) socket.on(event, this.#listener);
    raw.unref();
  }

  /** Nothing was heard of the server, and neither it nor the proof of its key is too old; a clock set back makes it so. */
  isGood(now: number): boolean {
    const ageMs = now - this.readyAt;
    const outlived = this.tlsa?.state === 'records' && now >= this.tlsa.expires;
    return this.#isFresh() && !outlived && ageMs >= 0 && ageMs < this.#lifeMs;
  }

  /** A client has it now, and says itself how long it takes; it is watched until `letGo` or `close`. */
  hand(): void {
    this.#over = null;
    clearTimeout(this.#expiry);
  }

  /** Ends the watch, for the relay to read in its place in this tick; false: it must not be used. */
  readonly letGo = (): boolean => {
    const good = this.#watched && this.#isFresh();
    this.#unwatch();
    if (good) this.raw.ref();
    return good;
  };

  /** Without a word: the server sees a client that left before it logged in. */
  close(): void {
    this.#unwatch();
    // The TLS socket only, the raw one follows.
    this.socket.destroy();
  }

  #isFresh(): boolean {
    const { raw, socket } = this;
    return (
      !this.#heard &&
      !raw.destroyed &&
      !socket.destroyed &&
      !socket.readableEnded &&
      socket.readableLength === 0 &&
      socket.writable
    );
  }

  readonly #listener = (): void => {
    this.#heard = true;
    this.#end('heard');
  };

  #end(why: 'heard' | 'expired'): void {
    if (!this.#watched) return;
    this.#unwatch();
    this.#over?.(this, why);
  }

  #unwatch(): void {
    this.#watched = false;
    clearTimeout(this.#expiry);
    for (const event of watched) this.socket.removeListener(event, this.#listener);
  }
}

const watched = ['readable', 'end', 'close'] as const;
