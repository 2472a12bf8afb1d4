// Makes a connection to a server and hands it over when the server is vouched for: TLS at once or after STARTTLS,
// directly or through a proxy. Whatever goes wrong closes the connection and is thrown.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { parseProxy } from '../config/proxy-url.ts';
import { parseAddress } from '../config/upstream.ts';
import type { Protocol } from '../mail/protocol.ts';
import { dial } from '../net/dial.ts';
import { dialVia } from '../net/via.ts';
import { confirmProof, prove, type Greeting } from '../proxy/prove.ts';
import { secure, type Speech } from '../proxy/upstream.ts';
import { describeCertificate, type CertificateDescription } from '../trust/certificate.ts';
import type { Peer } from '../trust/evidence.ts';
import type { Vouched } from '../trust/vouched.ts';
import type { Live } from './live.ts';
import { trustOptionNames, type TrustOptions } from './options.ts';
import type { Terms } from './settings.ts';
import type { StarttlsProtocol, Target } from './target.ts';
import { TrustError } from './trust-error.ts';
import { asTrustError, type Vouching } from './vouching.ts';

export interface WayOptions {
  /** For `HOST:PORT`: the protocol whose STARTTLS is spoken first. A URL says it by its scheme. */
  readonly starttls?: StarttlsProtocol;
  /** Connect to this `HOST:PORT`, and verify the endpoint's name all the same. */
  readonly address?: string;
  /** `socks5://` or `http://`, with `USER:PASSWORD@` where it wants a login. */
  readonly proxy?: string;
  /** For the look-up, the connection, the handshake and the greeting each; default 15 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type ConnectOptions = TrustOptions & WayOptions;

export const connectOptionNames: readonly (keyof ConnectOptions)[] = [
  ...trustOptionNames,
  'starttls',
  'address',
  'proxy',
  'timeoutMs',
  'signal',
];

export interface Connection {
  /**
   * Ready to be used as a connection of its protocol with TLS at once: the greeting can be read from it, also after
   * STARTTLS (then it is one of letterlock's, since what came in clear may be anybody's). The caller closes it.
   */
  readonly socket: TLSSocket;
  readonly vouched: Vouched;
  /** The server's own certificate. */
  readonly certificate: CertificateDescription;
}

export interface Approach {
  readonly target: Target;
  readonly way: WayOptions;
}

export interface Reached {
  readonly raw: Socket;
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

const defaultTimeoutMs = 15_000;

/** Dials, speaks what comes before TLS, makes the handshake. Judges nothing. Throws Refusal or Failure; nothing stays open. */
export async function reachServer(
  { target, way }: Approach,
  { anchors }: Pick<Terms, 'anchors'>,
): Promise<Reached> {
  const signal = way.signal ?? new AbortController().signal;
  const { endpoint } = target;
  const place =
    way.address === undefined
      ? { host: endpoint.host, port: endpoint.port }
      : parseAddress(way.address, endpoint.port);
  const options = { deadlineMs: way.timeoutMs ?? defaultTimeoutMs, signal };
  const raw =
    way.proxy === undefined
      ? await dial(place, options)
      : await dialVia(parseProxy(way.proxy), place, options);
  return secure(raw, speechOf(target, way), { target, anchors, signal, on: () => undefined });
}

export interface ConnectParts {
  readonly vouching: Vouching;
  readonly live: Live;
}

/** Throws TrustError, Failure, or the signal's reason; nothing stays open then. */
export async function connectTo(
  approach: Approach,
  terms: Terms,
  { vouching, live }: ConnectParts,
): Promise<Connection> {
  const { endpoint } = approach.target;
  const { socket, peer } = await reachServer(approach, terms).catch((error: unknown) => {
    const told = asTrustError(error, endpoint);
    if (told instanceof TrustError) vouching.refused(told);
    throw told;
  });
  try {
    return await vouchFor({ socket, peer }, approach, { terms, vouching, live });
  } catch (error) {
    socket.destroy();
    throw asTrustError(error, endpoint);
  }
}

async function vouchFor(
  { socket, peer }: Pick<Reached, 'socket' | 'peer'>,
  { target, way }: Approach,
  { terms, vouching, live }: ConnectParts & { readonly terms: Terms },
): Promise<Connection> {
  const { endpoint } = target;
  const signal = way.signal ?? new AbortController().signal;
  const proof = new Proof(socket, speechOf(target, way), signal);
  const vouched = await vouching.vouch(
    {
      endpoint,
      terms,
      peer,
      signal,
      prove: async (verdict) => confirmProof(await proof.greeting(), verdict),
    },
    ({ spki }) => live.add(socket, { endpoint: endpoint.name, spki }),
  );
  const greeting = await proof.greeting();
  // All of it came over TLS from the server that is vouched for, or is letterlock's own.
  if (greeting.bytes.length > 0) socket.unshift(Buffer.from(greeting.bytes));
  const [der] = peer.chain;
  if (der === undefined) throw new TypeError('a server without a certificate was vouched for');
  return { socket, vouched, certificate: describeCertificate(der) };
}

/** The greeting is read once, however often the server is judged. */
class Proof {
  readonly #socket: TLSSocket;
  readonly #speech: Speech;
  readonly #signal: AbortSignal;
  #greeting: Promise<Greeting> | null = null;

  constructor(socket: TLSSocket, speech: Speech, signal: AbortSignal) {
    this.#socket = socket;
    this.#speech = speech;
    this.#signal = signal;
  }

  greeting(): Promise<Greeting> {
    const sieveProofMs = this.#speech.limits.greetingSeconds * 1000;
    this.#greeting ??= prove(this.#socket, this.#speech, { sieveProofMs, signal: this.#signal });
    return this.#greeting;
  }
}

const preTlsBytes = 65_536;
const lineBytes = 8192;

function speechOf(
  { protocol, upstreamTls }: { readonly protocol: Protocol; readonly upstreamTls: Target['upstreamTls'] },
  { timeoutMs = defaultTimeoutMs }: WayOptions,
): Speech {
  const seconds = timeoutMs / 1000;
  return {
    protocol,
    upstreamTls,
    minVersion: 'TLSv1.2',
    legacyServer: false,
    limits: {
      connections: 1,
      dialSeconds: seconds,
      handshakeSeconds: seconds,
      greetingSeconds: seconds,
      idleMinutes: 0,
      preTlsBytes,
      lineBytes,
    },
  };
}
