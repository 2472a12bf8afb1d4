// The client's side of a session until it is relayed or refused. Clients of mail protocols wait for a
// greeting, so what they send before it is held, at most 4 KiB of it, only to recognise a browser or a TLS
// client; none of it goes anywhere before the verdict. It notices as well that the client has gone.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Failure, LetterlockError, type ClientRejection } from '../errors.ts';
import type { FarewellTls } from '../mail/farewell.ts';
import { recogniseFirstBytes } from '../mail/first-bytes.ts';
import type { Protocol } from '../mail/protocol.ts';
import { reset } from '../net/reset.ts';
import type { ClientTlsSettings } from './route.ts';

const heldBytes = 4096;

/** The client is closed without being relayed or refused in its protocol; `rejection` says why. */
export class ClientRejected extends LetterlockError {
  readonly rejection: ClientRejection;

  constructor(rejection: ClientRejection, message: string) {
    super(rejection, message);
    this.rejection = rejection;
  }
}

/** Why a client was closed that is no client of this port; `mode` is the TLS its port expects. */
export function rejectionText(
  rejection: 'http' | 'tls-on-plain' | 'plain-on-tls' | 'alpn' | 'protocol',
  mode: ClientTlsSettings['mode'],
): string {
  switch (rejection) {
    case 'http':
      return 'an HTTP request came to a mail port, most likely from a web page; nothing of it was sent on';
    case 'tls-on-plain':
      return `a TLS handshake came first, and this port begins in clear: set the client to ${mode === 'starttls' ? 'STARTTLS' : 'no encryption'} for it`;
    case 'plain-on-tls':
      return `plain text came where a TLS handshake is expected: set the client to ${mode === 'starttls' ? 'STARTTLS' : 'SSL/TLS'} for this port`;
    case 'alpn':
      return 'a TLS client of another protocol (ALPN) came, most likely a web browser';
    case 'protocol':
      return 'the client broke the rules of STARTTLS: bytes behind the command, a line too long, or a stray CR or LF';
  }
}

interface ClientLegOptions {
  readonly protocol: Protocol;
  readonly mode: ClientTlsSettings['mode'];
  readonly over: (reason: LetterlockError) => void;
}

/** Watches `socket` from `watch` to `release`; closing it stays its caller's. */
export class ClientLeg {
  /** Under TLS the raw socket; only for a reset. */
  readonly raw: Socket;
  readonly #protocol: Protocol;
  readonly #mode: ClientTlsSettings['mode'];
  readonly #over: (reason: LetterlockError) => void;
  #socket: Socket;
  #held: Uint8Array = new Uint8Array(0);
  #ended = false;
  #version: string | null = null;

  /** `over` is called with Failure `client` or ClientRejected, at most once for each `watch`. */
  constructor(socket: Socket, options: ClientLegOptions) {
    this.raw = socket;
    this.#socket = socket;
    this.#protocol = options.protocol;
    this.#mode = options.mode;
    this.#over = options.over;
  }

  /** What the client says and is told: in clear, and after `secured` inside TLS. */
  get socket(): Socket {
    return this.#socket;
  }

  /** The client's TLS version, `TLSv1.3`; null in clear. */
  get version(): string | null {
    return this.#version;
  }

  /** Where its TLS stands when a farewell has to be said. */
  get tls(): FarewellTls {
    if (this.#mode !== 'starttls') return 'none';
    return this.#version === null ? 'offered' : 'made';
  }

  /** From now on everything is inside TLS; what was said in clear is forgotten. Not while it is watched. */
  secured(socket: TLSSocket, version: string): void {
    this.#socket = socket;
    this.#version = version;
    this.#held = new Uint8Array(0);
    this.#ended = false;
  }

  /** Breaks the connection off. */
  reset(): void {
    reset(this.raw, this.#socket);
  }

  watch(): void {
    this.socket.on('readable', this.#read);
    this.socket.on('end', this.#end);
    this.socket.on('close', this.#close);
    if (this.socket.destroyed) this.#close();
    else this.#read();
  }

  /** In place of what was held: all that the client has said until now. Not while it is watched. */
  hold(bytes: Uint8Array): void {
    this.#held = bytes;
  }

  /** Stops watching. Returns the held bytes; they stay held, for another `watch`. */
  release(): Uint8Array {
    this.socket.removeListener('readable', this.#read);
    this.socket.removeListener('end', this.#end);
    this.socket.removeListener('close', this.#close);
    return this.#held;
  }

  readonly #read = (): void => {
    while (this.#held.length < heldBytes) {
      const ready = Math.min(this.socket.readableLength, heldBytes - this.#held.length);
      // Without a size the stream is asked to go on: to read more, or to tell of its end.
      const chunk: unknown = ready > 0 ? this.socket.read(ready) : this.socket.read();
      if (!(chunk instanceof Uint8Array)) return;
      this.#held = Buffer.concat([this.#held, chunk]);
      if (!this.#recognised()) return;
    }
  };

  #recognised(): boolean {
    if (this.#protocol === 'tls') return true;
    const found = recogniseFirstBytes(this.#held, this.#protocol);
    if (found === 'http') this.#stop(this.#rejected('http'));
    else if (found === 'tls') this.#stop(this.#rejected('tls-on-plain'));
    else return true;
    return false;
  }

  #rejected(rejection: 'http' | 'tls-on-plain'): ClientRejected {
    return new ClientRejected(rejection, rejectionText(rejection, this.#mode));
  }

  /** A client that ends having said nothing has gone; one that sent its commands ahead may still wait for the answers. */
  readonly #end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#held.length === 0 && this.#protocol !== 'tls') this.#stop(new Failure('client'));
  };

  readonly #close = (): void => this.#stop(new Failure('client'));

  #stop(reason: LetterlockError): void {
    this.release();
    this.#over(reason);
  }
}
