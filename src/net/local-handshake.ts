// One TLS handshake with a mail client, as its server. It decides nothing about trust: the client shows no
// certificate. What it keeps out is another protocol's client: a name that the client's TLS library negotiates
// (ALPN, RFC 7301) must be that of this protocol, so that a browser's session cannot be bent onto a mail port.

import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { asFailure, codeOf } from './failure.ts';
import { swallowErrors } from './swallow-errors.ts';

/** What a client is shown; without renegotiation. Asked anew for each handshake, so that a renewed certificate needs no restart. */
export interface ServerCredentials {
  /** Throws nothing: it is the last good one when a new one cannot be had. */
  context(): SecureContext;
}

export interface LocalHandshakeOptions {
  readonly credentials: ServerCredentials;
  /** The ALPN names that are this protocol; a client that offers none is welcome. null: any offer is overlooked. */
  readonly alpn: readonly string[] | null;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export type LocalHandshakeEnd =
  /** Paused; nothing written, nothing read. `version` as Node names it: `TLSv1.3`. */
  | { readonly state: 'secured'; readonly socket: TLSSocket; readonly version: string }
  /** What came was not a TLS client of this protocol. `early`: bytes were there before the handshake could begin. */
  | { readonly state: 'rejected'; readonly found: 'http' | 'plain' | 'alpn' | 'early' }
  /** `detail` is OpenSSL's or the system's code, `timeout`, or `silence` when the client sent nothing at all. */
  | { readonly state: 'failed'; readonly detail: string };

/** What OpenSSL says when a client talks in clear; the first two when it talks HTTP. */
const plainCodes: ReadonlyMap<string, 'http' | 'plain'> = new Map([
  ['ERR_SSL_HTTP_REQUEST', 'http'],
  ['ERR_SSL_HTTPS_PROXY_REQUEST', 'http'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'plain'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'plain'],
]);

/**
 * The raw socket is closed with every end but `secured`; afterwards only the TLS socket is used, and the raw one for a
 * reset. Throws the signal's reason when aborted.
 */
export function localHandshake(raw: Socket, options: LocalHandshakeOptions): Promise<LocalHandshakeEnd> {
  options.signal.throwIfAborted();
  if (raw.readableLength > 0 || raw.destroyed) {
    const early = raw.readableLength > 0;
    raw.destroy();
    return Promise.resolve(
      early ? { state: 'rejected', found: 'early' } : { state: 'failed', detail: 'closed' },
    );
  }
  const before = raw.bytesRead;
  let foreign = false;
  const { alpn, credentials } = options;
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext: credentials.context(),
    ...(alpn === null
      ? {}
      : {
          ALPNCallback: ({ protocols }) => {
            const own = protocols.find((name) => alpn.includes(name));
            foreign = own === undefined;
            return own;
          },
        }),
  });
  return new Promise((resolve, reject) => {
    const release = (): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', aborted);
      socket.removeListener('error', failed);
      socket.removeListener('close', closed);
      socket.removeListener('end', closed);
    };
    // Only the TLS socket is destroyed, the raw one follows: both in one tick can crash Node.
    const end = (how: LocalHandshakeEnd): void => {
      release();
      if (how.state !== 'secured') socket.destroy();
      resolve(how);
    };
    const aborted = (): void => {
      release();
      socket.destroy();
      reject(asFailure(options.signal.reason));
    };
    const failed = (error: Error): void => end(endOf(codeOf(error), foreign));
    const closed = (): void => end({ state: 'failed', detail: 'closed' });
    const timer = setTimeout(
      () => end({ state: 'failed', detail: raw.bytesRead === before ? 'silence' : 'timeout' }),
      options.deadlineMs,
    );

    options.signal.addEventListener('abort', aborted, { once: true });
    socket.on('error', failed);
    socket.on('close', closed);
    // A client that leaves half way; its socket may stay half open.
    socket.on('end', closed);
    swallowErrors(socket);
    socket.once('secure', () => {
      socket.pause();
      // Node tells of TLS that breaks later only where its own tls.Server made the socket.
      socket.on('_tlsError', (error: Error) => socket.destroy(error));
      end({ state: 'secured', socket, version: socket.getProtocol() ?? 'unknown' });
    });
  });
}

function endOf(code: string, foreign: boolean): LocalHandshakeEnd {
  if (foreign) return { state: 'rejected', found: 'alpn' };
  const found = plainCodes.get(code);
  return found === undefined ? { state: 'failed', detail: code } : { state: 'rejected', found };
}
