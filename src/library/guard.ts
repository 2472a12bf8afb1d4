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
import { HeldSocket } from './held-socket.ts';
import { legacyCertificate } from './legacy-certificate.ts';
import type { Live } from './live.ts';
import type { Settings, Standing, TrustOptions } from './settings.ts';
import { asTrustError, type Vouching } from './vouching.ts';

export interface GuardParts {
  readonly settings: Settings;
  /** Opens what decides where it is not open yet; rejects when it cannot be opened. */
  readonly vouching: () => Promise<Vouching>;
  /** Whether a server may see the program's client certificate: it is shown before any verdict. */
  readonly isEstablished: (endpoint: Endpoint, standing: Standing) => boolean;
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
    const endpoint = endpointOfOptions(options);
    const standing = this.#parts.settings.of(endpoint, given);
    const socket = tlsConnect({
      ...ways(options),
      ...unverified(endpoint, this.#contextFor(options, endpoint, standing)),
    });
    const stapled = stapledTo(socket);
    const held = new HeldSocket(
      socket,
      () => void this.#handshaken(held, { endpoint, standing, options, stapled }),
    );
    return socket;
  }

  #contextFor(options: ConnectionOptions, endpoint: Endpoint, standing: Standing): SecureContext {
    const { contexts } = standing.anchors;
    const profile = profileOf(options);
    const own = credentialsOf(options);
    const shown = own !== null && this.#parts.isEstablished(endpoint, standing);
    return shown ? contexts.showing(profile, own) : contexts.of(profile, null);
  }

  async #handshaken(held: HeldSocket, asked: Asked): Promise<void> {
    const { socket } = held;
    const { endpoint, standing, options, stapled } = asked;
    try {
      const peer = { ...peerOf(socket, 'modern'), ...stapled };
      const stop = new AbortController();
      socket.once('close', () => stop.abort(new LetterlockError('client', 'the connection was closed')));
      const [der] = peer.chain;
      const leaf = der === undefined ? null : new X509Certificate(der);
      const vouching = await this.#parts.vouching();
      await vouching.vouch({ endpoint, standing, peer, signal: stop.signal }, ({ spki }) => {
        const objection = leaf === null ? undefined : ownObjection(options, endpoint, leaf);
        if (objection !== undefined) throw objection;
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
  readonly standing: Standing;
  readonly options: ConnectionOptions;
  readonly stapled: ReturnType<typeof stapledTo>;
}

/** The name that is asked for by SNI is the one that counts, as for Node. */
function endpointOfOptions({ servername, host, port, socket }: ConnectionOptions): Endpoint {
  const name = [servername, host].find(isNamed) ?? 'localhost';
  const number = portNamed(port) ?? (socket instanceof Socket ? socket.remotePort : undefined);
  if (number !== undefined) return endpointOf(name, number);
  throw new MisuseError('endpoint-unknown', `nothing says which port of ${name} this connection leads to`);
}

/** undici passes null where there is no name. */
const isNamed = (text: unknown): text is string => typeof text === 'string' && text !== '';

/** Node takes `'993'` as well. */
const portNamed = (port: unknown): number | undefined =>
  port === undefined || port === null ? undefined : Number(port);

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

/** A program that looks for itself may refuse what letterlock accepts, never the other way round. */
function ownObjection(
  { checkServerIdentity: own }: ConnectionOptions,
  { host }: Endpoint,
  leaf: X509Certificate,
): Error | undefined {
  if (own === undefined || own === checkServerIdentity) return undefined;
  const objection: unknown = Reflect.apply(own, undefined, [host, legacyCertificate(leaf)]);
  return objection instanceof Error ? objection : undefined;
}
