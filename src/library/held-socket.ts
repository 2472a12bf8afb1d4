// A TLS socket of somebody else's making that must not speak or be heard before its server is vouched for. Node lets
// bytes written early through as soon as the handshake ends, and gives bytes of the server to whoever listens:
// until `release` writes wait, what arrives is kept, and `secureConnect` is not told.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { legacyCertificate } from './legacy-certificate.ts';

/** More of the server's bytes than this are not kept before the verdict: a greeting is shorter. */
const maxHeld = 262_144;

export class HeldSocket {
  readonly socket: TLSSocket;
  readonly #waiting: (() => void)[] = [];
  readonly #arrived: (Buffer | null)[] = [];
  #arrivedBytes = 0;
  #state: 'held' | 'released' | 'closed' = 'held';
  #handshaken = false;

  /** `handshaken` is called once, in the tick in which the handshake is over; the socket may close before that. */
  constructor(socket: TLSSocket, handshaken: () => void) {
    this.socket = socket;
    this.#holdEvents(handshaken);
    this.#holdWrites();
    this.#holdReads();
    socket.once('close', () => this.#close());
  }

  /** Lets everything through, in the order in which it came, and tells that the connection is secure. */
  release(leaf: X509Certificate | null): void {
    if (this.#state !== 'held') return;
    this.#state = 'released';
    const { socket } = this;
    for (const name of ['emit', 'push', '_write', '_writev', '_final']) Reflect.deleteProperty(socket, name);
    Object.assign(socket, { authorized: true, authorizationError: null, secureConnecting: false });
    if (leaf !== null) showCertificate(socket, leaf);
    tellSecure(socket);
    for (const write of this.#waiting.splice(0)) write();
    for (const chunk of this.#arrived.splice(0)) socket.push(chunk);
    socket.read(0);
  }

  refuse(error: Error): void {
    if (this.#state !== 'held') return;
    // The error alone goes out; what waited is never written.
    Reflect.deleteProperty(this.socket, 'emit');
    this.socket.destroy(error);
  }

  #holdEvents(handshaken: () => void): void {
    const { socket } = this;
    const emit = socket.emit.bind(socket);
    const held = (name: string | symbol, ...args: unknown[]): boolean => {
      if (name !== 'secureConnect') return emit(name, ...args);
      if (!this.#handshaken) handshaken();
      this.#handshaken = true;
      // Whoever asks the socket instead of waiting for the event must not be told either.
      Object.assign(socket, { authorized: false, secureConnecting: true });
      return true;
    };
    Object.defineProperty(socket, 'emit', { value: held, configurable: true, writable: true });
  }

  #holdWrites(): void {
    const { socket } = this;
    const own: object = Reflect.getPrototypeOf(socket) ?? socket;
    const later =
      (name: '_write' | '_writev' | '_final') =>
      (...args: unknown[]): void => {
        const write: unknown = Reflect.get(own, name);
        if (typeof write === 'function') this.#waiting.push(() => Reflect.apply(write, socket, args));
      };
    for (const name of ['_write', '_writev', '_final'] as const)
      Object.defineProperty(socket, name, { value: later(name), configurable: true, writable: true });
  }

  #holdReads(): void {
    const { socket } = this;
    const own = socket.push.bind(socket);
    const push = (chunk: Buffer | null): boolean => {
      // An end in the handshake is the handshake's: Node makes an error of it.
      if (!this.#handshaken) return own(chunk);
      this.#arrived.push(chunk);
      this.#arrivedBytes += chunk?.length ?? 0;
      if (this.#arrivedBytes > maxHeld)
        this.refuse(new Error('the server sent too much before it was vouched for'));
      return false;
    };
    Object.defineProperty(this.socket, 'push', { value: push, configurable: true, writable: true });
  }

  /** What waits will never be written; its callbacks are called by the stream itself. */
  #close(): void {
    this.#state = this.#state === 'held' ? 'closed' : this.#state;
    this.#waiting.length = 0;
    this.#arrived.length = 0;
  }
}

/** What a listener throws is the program's own affair, as if Node itself had called it. */
function tellSecure(socket: TLSSocket): void {
  try {
    socket.emit('secureConnect');
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** Node gives the certificate away once (20 to 24); whoever asks for it later gets the one that was judged. */
function showCertificate(socket: TLSSocket, leaf: X509Certificate): void {
  const shown = legacyCertificate(leaf);
  const answers = {
    getPeerX509Certificate: () => leaf,
    getPeerCertificate: () => shown,
  };
  for (const [name, value] of Object.entries(answers))
    Object.defineProperty(socket, name, { value, configurable: true, writable: true });
}
