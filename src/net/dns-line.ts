// The way to a resolver: datagrams and, for what does not fit into one, TCP to a resolver on this machine; one TLS connection to any
// other, once its certificate was checked. Nothing is asked of a resolver that is not the one that was meant.

import { connect, type Socket } from 'node:net';
import { endpointOf } from '../endpoint.ts';
import { LetterlockError } from '../errors.ts';
import { dial, DialFailure } from './dial.ts';
import type { DnsMessage, DnsQuestion } from './dns-message.ts';
import { askByStream } from './dns-stream.ts';
import { askByUdp } from './dns-udp.ts';
import { unexpected } from './expected-server.ts';
import { codeOf } from './failure.ts';
import { handshake } from './handshake.ts';
import {
  isLoopbackAddress,
  ResolverError,
  type DnsLine,
  type LoopbackResolver,
  type Resolver,
  type TlsResolver,
} from './resolver.ts';

export interface LineOptions {
  /** Ends whatever is being asked. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Connects when first asked; the caller closes it. @throws RangeError for a resolver whose answers would prove nothing */
export function openLine(resolver: Resolver, options: LineOptions): DnsLine {
  switch (resolver.kind) {
    case 'loopback':
      if (!isLoopbackAddress(resolver.host))
        throw new RangeError(`${resolver.host} is not an address of this machine`);
      return new LoopbackLine(resolver, options.signal);
    case 'tls':
      if (resolver.name === null && resolver.pins.length === 0)
        throw new RangeError('a resolver behind TLS needs a name or a pin');
      return new TlsLine(resolver, options);
  }
}

class LoopbackLine implements DnsLine {
  readonly #resolver: LoopbackResolver;
  readonly #signal: AbortSignal;

  constructor(resolver: LoopbackResolver, signal: AbortSignal) {
    this.#resolver = resolver;
    this.#signal = signal;
  }

  async ask(question: DnsQuestion): Promise<DnsMessage> {
    const answer = await askByUdp(this.#resolver, question, this.#signal);
    if (!answer.isTruncated) return answer;
    const { host, port } = this.#resolver;
    const socket = connect({ host, port });
    socket.on('error', () => undefined);
    try {
      return whole(await askByStream(socket, question, this.#signal));
    } finally {
      socket.destroy();
    }
  }

  close(): void {
    // Every question had a socket of its own.
  }
}

class TlsLine implements DnsLine {
  readonly #resolver: TlsResolver;
  readonly #options: LineOptions;
  #socket: Socket | null = null;

  constructor(resolver: TlsResolver, options: LineOptions) {
    this.#resolver = resolver;
    this.#options = options;
  }

  async ask(question: DnsQuestion): Promise<DnsMessage> {
    this.#socket ??= await connectTls(this.#resolver, this.#options);
    return whole(await askByStream(this.#socket, question, this.#options.signal));
  }

  close(): void {
    this.#socket?.destroy();
  }
}

/** Over a connection nothing is cut short but by mistake. */
function whole(message: DnsMessage): DnsMessage {
  if (message.isTruncated) throw new ResolverError('it cut its answer short');
  return message;
}

/** The signal ends both phases long before this. */
const connectMs = 60_000;

async function connectTls(resolver: TlsResolver, { signal, now }: LineOptions): Promise<Socket> {
  const { host, port, name, anchors } = resolver;
  try {
    const raw = await dial({ host, port }, { deadlineMs: connectMs, signal });
    const endpoint = endpointOf(name ?? host, port);
    const { socket, peer } = await handshake(raw, { endpoint, anchors, deadlineMs: connectMs, signal });
    const wrong = unexpected(peer, resolver, now());
    if (wrong === null) return socket;
    socket.destroy();
    throw new ResolverError(wrong);
  } catch (error) {
    if (error instanceof ResolverError) throw error;
    if (signal.aborted) throw new ResolverError('no answer in time');
    throw new ResolverError(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DialFailure) return `${error.message} (${error.detail})`;
  return error instanceof LetterlockError ? error.message : codeOf(error);
}
