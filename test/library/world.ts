// A TLS server that writes down what it is sent and can change its key, and a Tofu that is closed with it.

import { once } from 'node:events';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Tofu, type TofuOptions } from '../../src/index.ts';
import { portOf, selfSigned, type Identity } from '../net/peers.ts';

export class RecordingServer {
  readonly server: Server;
  /** Everything clients sent, in the order it came. */
  received = '';
  connections = 0;
  identity: Identity;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(identity: Identity, greeting: string) {
    this.identity = identity;
    this.server = createServer({ key: identity.key, cert: identity.cert }, (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (chunk: Buffer) => {
        this.received += chunk.toString('latin1');
        socket.write(`heard ${chunk.toString('latin1')}`);
      });
      if (greeting !== '') socket.write(greeting);
    });
    this.server.on('tlsClientError', () => undefined);
  }

  static async start(greeting = '', identity?: Identity): Promise<RecordingServer> {
    const started = new RecordingServer(identity ?? (await selfSigned()), greeting);
    started.server.listen(0, '127.0.0.1');
    await once(started.server, 'listening');
    return started;
  }

  get port(): number {
    return portOf(this.server);
  }

  get endpoint(): string {
    return `127.0.0.1:${this.port}`;
  }

  async changeKey(): Promise<void> {
    this.identity = await selfSigned();
    this.server.setSecureContext({ key: this.identity.key, cert: this.identity.cert });
  }

  /** The server hangs up on everybody. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** What is opened here is closed by `close`. */
export class Opened {
  readonly #steps: (() => Promise<unknown> | void)[] = [];

  async tofu(options: Partial<TofuOptions> = {}): Promise<Tofu> {
    const tofu = await Tofu.open({ store: 'memory', ...options });
    this.#steps.push(() => tofu.close());
    return tofu;
  }

  async server(greeting = '', identity?: Identity): Promise<RecordingServer> {
    const server = await RecordingServer.start(greeting, identity);
    this.#steps.push(() => server.close());
    return server;
  }

  also(step: () => Promise<unknown> | void): void {
    this.#steps.push(step);
  }

  async close(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) await step();
  }
}

/** What the socket reads until `text` has come, or until it ends. Rejects with its error. */
export function heard(socket: TLSSocket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = '';
    socket.on('data', (chunk: Buffer) => {
      all += chunk.toString('latin1');
      if (all.includes(text)) resolve(all);
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(all));
  });
}

/** The error a socket ends with; null when it ends without one. */
export const ended = (socket: TLSSocket): Promise<Error | null> =>
  new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('close', () => resolve(null));
  });
