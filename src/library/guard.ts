// A tls.connect that gives a socket at once, as Node's does, and lets it speak when its server is vouched for. What a
// program asks of TLS is not taken over: it can ask for more (TLS 1.3, its own look at the certificate), not for less.

import { X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import { checkServerIdentity, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';
import { endpointOf, type Endpoint } from '../endpoint.ts';
import { LetterlockError, MisuseError } from '../errors.ts';
import type { ClientCredentials, TlsProfile } from '../net/contexts.ts';
import { peerOf, stapledTo, unverified } from '../net/handshake.ts';
import { tlsConnect } from '../net/tls-connect.ts';
import { HeldSocket, isHeld } from './held-socket.ts';
import { legacyCertificate } from './legacy-certificate.ts';
import type { Live } from './live.ts';
import type { TrustOptions } from './options.ts';
import type { Settings, Terms } from './settings.ts';
import { asTrustError, type Vouching } from './vouching.ts';

export interface GuardParts {
  readonly settings: Settings;
  /** Opens what decides where it is not open yet; rejects when it cannot be opened. */
  readonly vouching: () => Promise<Vouching>;
  /** Whether a server may see the program's client certificate: it is shown before any verdict. */
  readonly isEstablished: (endpoint: Endpoint, terms: Terms) => boolean;
  readonly live: Live;
}

export class TlsGuard {
  readonly #parts: GuardParts;

  constructor(parts: GuardParts) {
    this.#parts = parts;
  }

  /**
   * As `tls.connect(options)`: `secureConnect` once the server is vouched for, else `error` with a TrustError or Failure.
   * Throws RangeError or MisuseError `endpoint-unknown` where the options do not say which server is meant.
   */
  connect(options: ConnectionOptions, given: TrustOptions = {}): TLSSocket {
    // Node writes to what is under a socket, past everything that waits in it.
    if (isHeld(options.socket))
      throw new MisuseError('unguarded-socket', 'the socket under this one is not vouched for yet');
    const endpoint = endpointOfOptions(options);
    const terms = this.#parts.settings.of(endpoint, given);
    const socket = tlsConnect({
      ...ways(options),
      ...unverified(endpoint, this.#contextFor(options, endpoint, terms)),
    });
    const stapled = stapledTo(socket);
    const held = new HeldSocket(
      socket,
      () => void this.#handshaken(held, { endpoint, terms, options, stapled }),
    );
    return socket;
  }

  #contextFor(options: ConnectionOptions, endpoint: Endpoint, terms: Terms): SecureContext {
    const { contexts } = terms.anchors;
    const profile = profileOf(options);
    const own = credentialsOf(options);
    const shown = own !== null && this.#parts.isEstablished(endpoint, terms);
    return shown ? contexts.showing(profile, own) : contexts.of(profile, null);
  }

  async #handshaken(held: HeldSocket, asked: Asked): Promise<void> {
    const { socket } = held;
    const { endpoint, terms, options, stapled } = asked;
    try {
      const peer = { ...peerOf(socket, 'modern'), ...stapled };
      const stop = new AbortController();
      socket.once('close', () => stop.abort(new LetterlockError('client', 'the connection was closed')));
      const [der] = peer.chain;
      const leaf = der === undefined ? null : new X509Certificate(der);
      const vouching = await this.#parts.vouching();
      // Before anything is remembered: a server that the program refuses is not pinned.
      const prove = async (): Promise<void> => {
        if (leaf !== null) objectAs(options, endpoint, leaf);
      };
      await vouching.vouch({ endpoint, terms, peer, prove, signal: stop.signal }, ({ spki }) => {
        if (socket.destroyed) throw new LetterlockError('client', 'the connection was closed');
        this.#parts.live.add(socket, { endpoint: endpoint.name, spki });
        held.release(leaf);
      });
    } catch (failure) {
      const error = asTrustError(failure, endpoint);
      held.refuse(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

interface Asked {
  readonly endpoint: Endpoint;
  readonly terms: Terms;
  readonly options: ConnectionOptions;
  readonly stapled: ReturnType<typeof stapledTo>;
}

/** The name that is asked for by SNI is the one that counts, as for Node; a socket that is there was made for a name too. */
function endpointOfOptions({ servername, host, port, socket }: ConnectionOptions): Endpoint {
  const under = socket instanceof Socket ? socket : null;
  const made: unknown = under === null ? undefined : Reflect.get(under, '_host');
  const name = [servername, host, made, under?.remoteAddress, socket == null ? 'localhost' : undefined].find(
    isNamed,
  );
  const number = portNamed(port) ?? under?.remotePort;
  if (name !== undefined && number !== undefined) return endpointOf(name, number);
  throw new MisuseError(
    'endpoint-unknown',
    name === undefined
      ? 'nothing says which server this connection leads to'
      : `nothing says which port of ${name} this connection leads to`,
  );
}

/** undici passes null where there is no name. */
const isNamed = (text: unknown): text is string => typeof text === 'string' && text !== '';

/** Node takes `'993'` as well; 0 says nothing. */
const portNamed = (port: unknown): number | undefined =>
  port === undefined || port === null || Number(port) === 0 ? undefined : Number(port);

/** How to get there. Whatever decides about trust stands apart, and `onread` would bypass the stream. */
function ways(options: ConnectionOptions): ConnectionOptions {
  const kept = [
    'host',
    'port',
    'socket',
    'localAddress',
    'localPort',
    'family',
    'hints',
    'lookup',
    'noDelay',
    'keepAlive',
    'keepAliveInitialDelay',
    'timeout',
    'allowHalfOpen',
    'autoSelectFamily',
    'autoSelectFamilyAttemptTimeout',
    'signal',
    'ALPNProtocols',
    'highWaterMark',
  ];
  const found = kept.flatMap((name) => {
    const value: unknown = Reflect.get(options, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

const profileOf = ({ minVersion }: ConnectionOptions): TlsProfile =>
  minVersion === 'TLSv1.3' ? 'tls13' : 'modern';

function credentialsOf({ cert, key, pfx, passphrase }: ConnectionOptions): ClientCredentials | null {
  if (cert === undefined && key === undefined && pfx === undefined) return null;
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(pfx === undefined ? {} : { pfx }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

/** A program that looks for itself may refuse what letterlock accepts, never the other way round. Throws its objection. */
function objectAs(
  { checkServerIdentity: own }: ConnectionOptions,
  { host }: Endpoint,
  leaf: X509Certificate,
): void {
  if (own === undefined || own === checkServerIdentity) return;
  const objection: unknown = Reflect.apply(own, undefined, [host, legacyCertificate(leaf)]);
  if (objection instanceof Error) throw objection;
  if (objection) throw new Error('the program refuses the certificate of this server', { cause: objection });
}
