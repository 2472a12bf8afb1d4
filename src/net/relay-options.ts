// What the relay is given, and how it ends.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Vouched } from '../trust/vouched.ts';
import type { Need } from './own-reads.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Suspicion } from './suspicion.ts';

/** What the relay needs of the login filter (mail/login-filter.ts). */
export interface RelayFilter {
  /** Server to client: what to pass on now. */
  downstream(chunk: Uint8Array): Uint8Array;
  /** Client to server: seen, passed on unchanged. */
  upstream(chunk: Uint8Array): Uint8Array;
  /** What is still held, when the server's stream ends. */
  flush(): Uint8Array;
  readonly done: boolean;
}

/** Judges the client's first bytes; while undecided they are held. */
export type FirstBytes = (held: Uint8Array) => 'undecided' | 'http' | 'tls' | 'mail';

export type Direction = 'up' | 'down';

export interface RelayOptions {
  readonly vouched: Vouched;
  /** The endpoint's trust epoch now, read in the tick of this call. */
  readonly epoch: number;
  readonly client: Socket;
  /** The raw socket under `client`, or `client` itself where its side has no TLS; reset when the session breaks. */
  readonly clientRaw: Socket;
  readonly upstream: TLSSocket;
  /** The raw socket under `upstream`, reset when the client's side breaks. */
  readonly raw: Socket;
  /** Sent to the client first, as it is. */
  readonly toClient: Uint8Array;
  /** Bytes of the client that were held until now; they pass filter and first-bytes check like all others. */
  readonly toUpstream: Uint8Array;
  readonly filter: RelayFilter | null;
  readonly firstBytes: FirstBytes | null;
  /** No byte either way for so long ends the session. */
  readonly idleMs: number;
  /** Written data not taken by the other side for so long breaks the session. */
  readonly drainMs: number;
  readonly signal: AbortSignal;
  readonly counted: (direction: Direction, bytes: number) => void;
  /** Asked for each direction at its start, and when it carries much; while there are none, sockets are read as streams. */
  readonly buffers?: (need: Need) => ReadBuffers | null;
  readonly suspicion?: Suspicion;
  /** How long a suspect upstream may take to answer the client's next bytes. */
  readonly suspectMs?: number;
  /**
   * Of an upstream that may have gone unnoticed: whether the server's first bytes only say that it closes, and are no answer
   * to the client's first line. Until that answer a server that goes is `unanswered`.
   */
  readonly isGoodbye?: (first: { readonly said: Uint8Array; readonly asked: Uint8Array }) => boolean;
}

export type RelayEnd =
  | { readonly state: 'ended' }
  /** `parted`: the client had ended before; a server that closes while our end is on its way resets as well. */
  | {
      readonly state: 'broken';
      readonly side: 'client' | 'upstream';
      readonly detail: string;
      readonly parted: boolean;
    }
  | { readonly state: 'idle' }
  /** The signal was aborted; both legs were reset. */
  | { readonly state: 'aborted' }
  /** The client turned out to be a browser or a TLS client; nothing of it was sent on. */
  | { readonly state: 'rejected'; readonly found: 'http' | 'tls' }
  /** The trust epoch moved between verdict and relay: nothing was written, nothing closed. */
  | { readonly state: 'stale' }
  /**
   * The server went without an answer to the client's first line: its side is reset, the client's left open and paused.
   * `asked` is all that the client said, one line at most; nobody has carried it out as far as anybody can tell.
   */
  | { readonly state: 'unanswered'; readonly asked: Uint8Array };

/** How a relay ended that began and is over. */
export type RelayOver = Exclude<RelayEnd, { readonly state: 'stale' | 'unanswered' }>;
