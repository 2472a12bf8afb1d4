// A TLS socket of somebody else's making that must not speak or be heard before its server is vouched for. Node lets
// bytes written early through as soon as the handshake ends, and gives bytes of the server to whoever listens:
// until `release` writes wait, nothing more is read, what came with the handshake is kept, and `secureConnect` is not
// told.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { legacyCertificate, type LegacyCertificate } from './legacy-certificate.ts';

const writes = ['_write', '_writev', '_final'] as const;

const held = new WeakSet<object>();

/** Whether what is under `socket` waits for a verdict. */
export const isHeld = (socket: unknown): boolean =>
  typeof socket === 'object' && socket !== null && held.has(socket);

export class HeldSocket {
  readonly socket: TLSSocket;
  readonly #waiting: (() => void)[] = [];
  /** null: the server's end. */
  readonly #arrived: (Buffer | null)[] = [];
  #state: 'held' | 'released' | 'closed' = 'held';
  #handshaken = false;
  /** The handshake is over, whoever was told of it. */
  #secured = false;
  /** A socket that does not read keeps no process alive; one that waits for its verdict does. */
  #alive: NodeJS.Timeout | null = null;

  /** `handshaken` is called once, in the tick in which the handshake is over; the socket may close before that. */
  constructor(socket: TLSSocket, handshaken: () => void) {
    this.socket = socket;
    held.add(socket);
    this.#holdEvents(handshaken);
    this.#holdWrites();
    this.#holdReads();
  }

  /** Lets everything through, in the order in which it came, and tells that the connection is secure. */
  release(leaf: X509Certificate | null): void {
    if (this.#state !== 'held') return;
    const { socket } = this;
    const shown = leaf === null ? null : legacyCertificate(leaf);
    this.#state = 'released';
    held.delete(socket);
    for (const name of ['emit', 'push', ...writes]) Reflect.deleteProperty(socket, name);
    Object.assign(socket, { authorized: true, authorizationError: null, secureConnecting: false });
    if (leaf !== null && shown !== null) showCertificate(socket, leaf, shown);
    tellSecure(socket);
    for (const write of this.#waiting.splice(0)) write();
    this.#deliver();
    setReading(socket, 'start');
    this.#letGo();
  }

  refuse(error: Error): void {
    if (this.#state !== 'held') return;
    // The error alone goes out; what waited is never written.
    Reflect.deleteProperty(this.socket, 'emit');
    this.socket.destroy(error);
    this.#letGo();
  }

  #holdEvents(handshaken: () => void): void {
    const { socket } = this;
    const emit = socket.emit.bind(socket);
    const told = (name: string | symbol, ...args: unknown[]): boolean => {
      // Listeners can be taken away and can throw: what must happen does not hang on one.
      if (name === 'secure') this.#secured = true;
      if (name === 'close') this.#close();
      if (name !== 'secureConnect') return emit(name, ...args);
      if (!this.#handshaken) handshaken();
      this.#handshaken = true;
      this.#alive ??= setInterval(() => undefined, 60_000);
      setReading(socket, 'stop');
      // Whoever asks the socket instead of waiting for the event must not be told either.
      Object.assign(socket, { authorized: false, secureConnecting: true });
      return true;
    };
    Object.defineProperty(socket, 'emit', { value: told, configurable: true, writable: true });
  }

  #holdWrites(): void {
    const { socket } = this;
    const own: object = Reflect.getPrototypeOf(socket) ?? socket;
    const later =
      (name: (typeof writes)[number]) =>
      (...args: unknown[]): void => {
        const write: unknown = Reflect.get(own, name);
        if (typeof write === 'function') this.#waiting.push(() => Reflect.apply(write, socket, args));
      };
    for (const name of writes)
      Object.defineProperty(socket, name, { value: later(name), configurable: true, writable: true });
  }

  #holdReads(): void {
    const { socket } = this;
    const own = socket.push.bind(socket);
    const push = (chunk: Buffer | null): boolean => {
      // An end in the handshake is the handshake's: Node makes an error of it.
      if (!this.#secured) return own(chunk);
      this.#arrived.push(chunk);
      setReading(socket, 'stop');
      return false;
    };
    Object.defineProperty(socket, 'push', { value: push, configurable: true, writable: true });
  }

  /** What came in one piece with the end of the handshake, to whoever reads now. */
  #deliver(): void {
    const arrived = this.#arrived.splice(0);
    if (arrived.length === 0) return;
    const receive = http2Receiver(this.socket);
    if (receive === null) {
      for (const chunk of arrived) this.socket.push(chunk);
      return;
    }
    // Not before the session is set up, as Node itself does with what it finds in the buffer of a socket.
    process.nextTick(() => {
      for (const chunk of arrived) if (chunk !== null) receive(chunk);
    });
  }

  /** What waits will never be written; its callbacks are called by the stream itself. */
  #close(): void {
    this.#state = this.#state === 'held' ? 'closed' : this.#state;
    this.#waiting.length = 0;
    this.#arrived.length = 0;
    this.#letGo();
  }

  #letGo(): void {
    clearInterval(this.#alive ?? undefined);
  }
}

/**
 * What is not read stays in the kernel, where whoever takes the socket over finds it. The stream is not asked: it may
 * still wait for what it asked before.
 */
function setReading(socket: TLSSocket, what: 'start' | 'stop'): void {
  const handle = objectAt(socket, '_handle');
  const set: unknown =
    handle === null ? null : Reflect.get(handle, what === 'start' ? 'readStart' : 'readStop');
  if (handle === null || typeof set !== 'function') return;
  Reflect.set(handle, 'reading', what === 'start');
  Reflect.apply(set, handle, []);
}

/**
 * An http2 session reads below the stream, where nothing can be pushed to. It has a way in for bytes that came before it;
 * null where the socket is not an http2 session's.
 */
function http2Receiver(socket: TLSSocket): ((chunk: Buffer) => void) | null {
  const session = symbolled(socket, 'session');
  const handle = session === null ? null : symbolled(session, 'handle');
  const receive: unknown = handle === null ? null : Reflect.get(handle, 'receive');
  if (handle === null || typeof receive !== 'function') return null;
  return (chunk) => void Reflect.apply(receive, handle, [chunk]);
}

/** The object under a symbol of Node's own. */
function symbolled(holder: object, description: string): object | null {
  const symbol = Object.getOwnPropertySymbols(holder).find((own) => own.description === description);
  return symbol === undefined ? null : objectAt(holder, symbol);
}

function objectAt(holder: object, key: PropertyKey): object | null {
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'object' && value !== null ? value : null;
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
function showCertificate(socket: TLSSocket, leaf: X509Certificate, shown: LegacyCertificate): void {
  const answers = {
    getPeerX509Certificate: () => leaf,
    getPeerCertificate: () => shown,
  };
  for (const [name, value] of Object.entries(answers))
    Object.defineProperty(socket, name, { value, configurable: true, writable: true });
}
