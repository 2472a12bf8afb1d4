// One TLS client handshake over a connected socket. It gathers and decides nothing: verification by Node is
// switched off here, and only here, because Node reports one error where we need all, cannot take a pin
// beside a CA, and skips its name check on chain errors. What makes that safe: the socket that comes out
// has sent nothing of the client's and is paused, and the relay demands a Vouched that only the judge's
// engine can make.

import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, type ConnectionOptions, type SecureContext } from 'node:tls';
import type { Endpoint } from '../endpoint.ts';
import { Failure, Refusal, type LetterlockError } from '../errors.ts';
import type { HandshakeProfile, Peer } from '../trust/evidence.ts';
import { spkiOfCertificate } from '../trust/fingerprint.ts';
import type { AnchorSet } from './anchors.ts';
import type { ClientIdentity } from './client-identity.ts';
import { handshakeProfileOf, type TlsProfile } from './contexts.ts';
import { asFailure, codeOf } from './failure.ts';
import { closeOnError } from './swallow-errors.ts';
import { tlsConnect } from './tls-connect.ts';

/** More certificates than this are not looked at (a peer may send 250). */
const maxChain = 16;

const tooOld: ReadonlySet<string> = new Set([
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_VERSION_TOO_LOW',
]);

export interface HandshakeOptions {
  readonly endpoint: Endpoint;
  /** Asked for in place of the endpoint's name, a DNS name; nothing is verified by it. */
  readonly serverName?: string | null;
  readonly anchors: AnchorSet;
  /** `modern` where none is given. */
  readonly profile?: TlsProfile;
  /** Shown to this server if it asks, before anything is judged; none where none is given. */
  readonly identity?: ClientIdentity | null;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface Handshake {
  /** Paused; nothing written, nothing read. */
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

/**
 * Throws Refusal `injected-bytes` when bytes wait on the socket already, `tls-too-old`; Failure `tls-failed`, `timeout`;
 * the signal's reason when aborted. The raw socket is closed with every throw.
 */
export function handshake(raw: Socket, options: HandshakeOptions): Promise<Handshake> {
  if (options.signal.aborted || raw.readableLength > 0 || raw.destroyed) {
    const error = blocked(raw, options.signal);
    raw.destroy();
    return Promise.reject(error);
  }
  const { endpoint, serverName = null, profile = 'modern', identity = null } = options;
  const asked: ConnectionOptions & Unverified = {
    socket: raw,
    host: endpoint.host,
    ...unverified(endpoint, options.anchors.contexts.of(profile, identity)),
    ...(serverName === null ? {} : { servername: serverName }),
    requestOCSP: profile !== 'legacy',
  };
  const socket = withoutObjects(tlsConnect(asked));
  const stapled: Stapled = profile === 'legacy' ? {} : stapledTo(socket);
  return new Promise((resolve, reject) => {
    const release = (): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', aborted);
      socket.removeListener('error', failed);
      socket.removeListener('close', closed);
    };
    // Only the TLS socket is destroyed, the raw one follows: both in one tick inside secureConnect crash Node.
    const fail = (error: LetterlockError): void => {
      release();
      socket.destroy();
      reject(error);
    };
    const aborted = (): void => fail(asFailure(options.signal.reason));
    const failed = (error: Error): void => fail(translate(error));
    const closed = (): void =>
      fail(new Failure('tls-failed', undefined, { cause: new Error('closed in the handshake') }));
    const timer = setTimeout(() => fail(new Failure('timeout')), options.deadlineMs);

    options.signal.addEventListener('abort', aborted, { once: true });
    socket.on('error', failed);
    socket.on('close', closed);
    closeOnError(socket);
    socket.once('secureConnect', () => {
      socket.pause();
      release();
      try {
        const peer = peerOf(socket, handshakeProfileOf(profile), (der) => options.anchors.keys.of(der));
        resolve({ socket, peer: { ...peer, ...stapled } });
      } catch (error) {
        fail(new Failure('tls-failed', undefined, { cause: error }));
      }
    });
  });
}

/**
 * Where a chain verified, Node makes an object of every certificate in it, for checkServerIdentity, which costs a quarter of
 * the handshake. Ours looks at none of it: until the handshake is over there is nothing to be had in that form.
 */
function withoutObjects(socket: TLSSocket): TLSSocket {
  return Object.defineProperty(socket, 'getPeerCertificate', nothingYet);
}

const nothingYet: PropertyDescriptor = {
  value(this: TLSSocket, detailed?: boolean): unknown {
    const own: unknown = Reflect.get(TLSSocket.prototype, 'getPeerCertificate');
    const over = Reflect.get(this, 'secureConnecting') === false;
    return over && typeof own === 'function' ? Reflect.apply(own, this, [detailed]) : {};
  },
  configurable: true,
  writable: true,
};

/** The OCSP answer the server stapled; old servers are not asked, some of them choke on the question. */
interface Stapled {
  staple?: Uint8Array | null;
}

/** Filled before secureConnect, and unverified: what is in it is for the judge's examiner to say. */
export function stapledTo(socket: TLSSocket): Stapled {
  const stapled: Stapled = { staple: null };
  socket.once('OCSPResponse', (response: unknown) => {
    if (response instanceof Uint8Array) stapled.staple = response;
  });
  return stapled;
}

interface Unverified {
  readonly servername: string;
  readonly secureContext: SecureContext;
  /** Node knows it, its types do not. */
  readonly requestOCSP: boolean;
  readonly rejectUnauthorized: boolean;
  readonly checkServerIdentity: () => undefined;
}

/** The options under which everything is gathered and nothing decided. Whoever uses them judges before the first byte. */
export const unverified = ({ kind, host }: Endpoint, secureContext: SecureContext): Unverified => ({
  // No SNI for addresses (RFC 6066 section 3); always for names.
  servername: kind === 'dns' ? host : '',
  secureContext,
  requestOCSP: true,
  rejectUnauthorized: false,
  checkServerIdentity: () => undefined,
});

function blocked(raw: Socket, signal: AbortSignal): LetterlockError {
  if (signal.aborted) return asFailure(signal.reason);
  return raw.destroyed ? new Failure('tls-failed') : new Refusal('injected-bytes');
}

function translate(error: Error): LetterlockError {
  const options = { cause: error };
  return tooOld.has(codeOf(error))
    ? new Refusal('tls-too-old', undefined, options)
    : new Failure('tls-failed', undefined, options);
}

/**
 * getPeerX509Certificate is called exactly once, first: on Node 20 to 24 a second call, and every other certificate
 * getter after it, returns nothing. Its issuerCertificate links are the list as sent, in wire order, unverified.
 */
export function peerOf(
  socket: TLSSocket,
  profile: HandshakeProfile,
  keyOf: (certificate: Uint8Array) => string | null = spkiOfCertificate,
): Peer {
  const leaf = certificateOf(socket);
  return {
    chain: leaf === null ? [] : chainOf(leaf),
    spki: leaf === null ? null : keyOf(leaf.raw),
    resumed: socket.isSessionReused(),
    chainError: chainErrorOf(socket),
    tls: {
      version: socket.getProtocol() ?? 'unknown',
      cipher: socket.getCipher().standardName,
      profile,
    },
  };
}

function certificateOf(socket: TLSSocket): X509Certificate | null {
  try {
    return socket.getPeerX509Certificate() ?? null;
  } catch {
    return null;
  }
}

function chainOf(leaf: X509Certificate): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (
    let next: X509Certificate | undefined = leaf;
    next !== undefined && chain.length < maxChain;
    next = next.issuerCertificate
  ) {
    chain.push(next.raw);
  }
  return chain;
}

/** Fails closed: a socket that is not authorized and gives no reason has one all the same. */
function chainErrorOf(socket: TLSSocket): string | null {
  if (socket.authorized) return null;
  const reason: unknown = socket.authorizationError;
  return typeof reason === 'string' && reason !== '' ? reason : 'UNSPECIFIED';
}
