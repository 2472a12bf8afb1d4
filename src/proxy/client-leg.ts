// The client's side of a session until it is relayed or refused. Clients of mail protocols wait for a
// greeting, so what they send before it is held, at most 4 KiB of it, only to recognise a browser or a TLS
// client; none of it goes anywhere before the verdict. It notices as well that the client has gone.

import type { Socket } from 'node:net';
import { Failure, LetterlockError, type ClientRejection } from '../errors.ts';
import { recogniseFirstBytes } from '../mail/first-bytes.ts';
import type { Protocol } from '../mail/protocol.ts';

const heldBytes = 4096;

/** The client is closed without being relayed or refused in its protocol; `rejection` says why. */
export class ClientRejected extends LetterlockError {
  readonly rejection: ClientRejection;

  constructor(rejection: ClientRejection, message: string) {
    super(rejection, message);
    this.rejection = rejection;
  }
}

export const rejectionTexts = {
  http: 'an HTTP request came to a mail port, most likely from a web page; nothing of it was sent on',
  tls: 'a TLS handshake came to a plaintext port: set the client to no encryption for this port',
} as const;

/** Watches `socket` from `watch` to `release`; the socket stays its caller's. */
export class ClientLeg {
  readonly socket: Socket;
  readonly #protocol: Protocol;
  readonly #over: (reason: LetterlockError) => void;
  #held: Uint8Array = new Uint8Array(0);
  #ended = false;

  /** `over` is called with Failure `client` or ClientRejected, at most once for each `watch`. */
  constructor(
    socket: Socket,
    options: { readonly protocol: Protocol; readonly over: (reason: LetterlockError) => void },
  ) {
    this.socket = socket;
    this.#protocol = options.protocol;
    this.#over = options.over;
  }

  watch(): void {
    this.socket.on('readable', this.#read);
    this.socket.on('end', this.#end);
    this.socket.on('close', this.#close);
    if (this.socket.destroyed) this.#close();
    else this.#read();
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
    if (found === 'http') this.#stop(new ClientRejected('http', rejectionTexts.http));
    else if (found === 'tls') this.#stop(new ClientRejected('tls-on-plain', rejectionTexts.tls));
    else return true;
    return false;
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
