// TLS with the client: at once, or after its STARTTLS. Until then we alone answer it; the server hears nothing.
// Bytes behind the STARTTLS command end the connection: kept, they would become commands nobody can tell from
// those inside TLS (CVE-2011-0411 and its kin).

import { Failure } from '../errors.ts';
import type { TalkFault, Turn } from '../mail/conversation.ts';
import { recogniseFirstBytes } from '../mail/first-bytes.ts';
import { localPrologue, localPrologueLimits, type LocalPrologueEnd } from '../mail/local-prologue.ts';
import type { Protocol } from '../mail/protocol.ts';
import { Talk } from '../mail/talk.ts';
import { localHandshake, type ServerCredentials } from '../net/local-handshake.ts';
import { speak, type Spoken } from '../net/speak.ts';
import { ClientRejected, rejectionText, type ClientLeg } from './client-leg.ts';
import type { Route } from './route.ts';
import type { RouteDesk } from './route-desk.ts';
import type { Timing } from './timing.ts';

export interface ClientTlsOptions {
  readonly desk: RouteDesk;
  readonly signal: AbortSignal;
  /** Less than `handshakeSeconds` where somebody waits for more than the handshake. */
  readonly deadlineMs?: number;
}

/**
 * The handshake now; afterwards the leg is inside TLS. Throws ClientRejected, Failure `client` (its cause says what the
 * person has to change), or the signal's reason; the client is closed then. Not while the leg is watched.
 */
export async function secureClient(
  leg: ClientLeg,
  { desk, signal, deadlineMs = Infinity }: ClientTlsOptions,
): Promise<void> {
  const { route } = desk;
  const end = await localHandshake(leg.raw, {
    credentials: credentialsOf(desk),
    alpn: alpnOf(route.protocol),
    deadlineMs: Math.min(deadlineMs, route.limits.handshakeSeconds * 1_000),
    signal,
  });
  switch (end.state) {
    case 'secured':
      leg.secured(end.socket, end.version);
      return;
    case 'rejected':
      throw rejected(rejections[end.found], route);
    case 'failed':
      throw new Failure('client', undefined, { cause: new Error(explained(end.detail)) });
  }
}

const rejections = { http: 'http', plain: 'plain-on-tls', alpn: 'alpn', early: 'protocol' } as const;

function credentialsOf({ credentials }: RouteDesk): ServerCredentials {
  if (credentials === null) throw new TypeError('a route with client TLS has no credentials');
  return credentials;
}

const rejected = (rejection: Parameters<typeof rejectionText>[0], { clientTls }: Route): ClientRejected =>
  new ClientRejected(rejection, rejectionText(rejection, clientTls.mode));

/** As registered with IANA (RFC 7595 and its successors); SMTP and LMTP have no name. */
function alpnOf(protocol: Protocol): readonly string[] | null {
  switch (protocol) {
    case 'imap':
    case 'pop3':
      return [protocol];
    case 'sieve':
      return ['managesieve'];
    case 'smtp':
    case 'lmtp':
      return [];
    case 'tls':
      return null;
  }
}

/** What the person in front of the client can do about it. */
function explained(detail: string): string {
  if (detail === 'silence')
    return 'the client sent nothing: one that waits for a greeting is not set to SSL/TLS for this port';
  if (/UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE/.test(detail))
    return `${detail}: the client does not trust the certificate of this port (letterlock local-ca install --print)`;
  if (/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|PROTOCOL_VERSION/.test(detail))
    return `${detail}: the client's TLS is older than clientTls.minVersion of this route`;
  return `TLS with the client: ${detail}`;
}

export interface StartTlsOptions extends ClientTlsOptions {
  readonly timing: Pick<Timing, 'startTlsMs'>;
  /** Called when the greeting is about to be said. */
  readonly greeted: () => void;
}

/**
 * Greets the client, answers it until its STARTTLS, and makes the handshake. Throws as `secureClient` does; Failure
 * `client` as well when it leaves or takes too long.
 */
export async function startTlsWithClient(leg: ClientLeg, options: StartTlsOptions): Promise<void> {
  const { route } = options.desk;
  const { protocol } = route;
  if (protocol === 'tls') throw new TypeError('there is no STARTTLS over tls');
  const talk = new Talk(localPrologue(protocol), localPrologueLimits);
  options.greeted();
  const opening = new Opening(talk, { protocol, early: leg.release() });
  const end = await speak(leg.socket, opening, {
    deadlineMs: options.timing.startTlsMs,
    signal: options.signal,
  });
  if (opening.found !== null) throw rejected(opening.found, route);
  if (end.state === 'fault') throw faulty(end.fault, route);
  if (end.result === 'over')
    throw new Failure('client', undefined, { cause: new Error('the client left before STARTTLS') });
  if (end.left.length > 0) throw rejected('protocol', route);
  await secureClient(leg, options);
}

function faulty(fault: TalkFault | 'timeout' | 'closed', route: Route): ClientRejected | Failure {
  switch (fault) {
    case 'timeout':
    case 'closed':
    case 'ended':
      return new Failure('client', undefined, { cause: new Error(`${fault} while waiting for STARTTLS`) });
    case 'line-too-long':
    case 'too-many-bytes':
    case 'too-many-lines':
    case 'bad-line-end':
      return rejected('protocol', route);
  }
}

const nothing = new Uint8Array(0);

/** A talk whose client may have spoken already, and whose first line is looked at before it is answered. */
class Opening implements Spoken<LocalPrologueEnd> {
  /** What the client turned out to be. */
  found: 'http' | 'tls-on-plain' | null = null;
  readonly #talk: Talk<LocalPrologueEnd>;
  readonly #protocol: Protocol;
  readonly #early: Uint8Array;
  /** null once the client is known to speak mail. */
  #held: Uint8Array | null = nothing;

  constructor(
    talk: Talk<LocalPrologueEnd>,
    { protocol, early }: { readonly protocol: Protocol; readonly early: Uint8Array },
  ) {
    this.#talk = talk;
    this.#protocol = protocol;
    this.#early = early;
  }

  start(): Turn<LocalPrologueEnd> {
    const first = this.#talk.start();
    if (first.state !== 'open' || this.#early.length === 0) return first;
    const second = this.feed(this.#early);
    return { ...second, write: Buffer.concat([first.write, second.write]) };
  }

  feed(chunk: Uint8Array): Turn<LocalPrologueEnd> {
    if (this.#held === null) return this.#talk.feed(chunk);
    const held = Buffer.concat([this.#held, chunk]);
    switch (recogniseFirstBytes(held, this.#protocol)) {
      case 'undecided':
        this.#held = held;
        return { write: nothing, state: 'open' };
      case 'mail':
        this.#held = null;
        return this.#talk.feed(held);
      case 'http':
        this.found = 'http';
        break;
      case 'tls':
        this.found = 'tls-on-plain';
        break;
    }
    return { write: nothing, state: 'fault', fault: 'bad-line-end' };
  }

  end(): Turn<LocalPrologueEnd> {
    return this.#talk.end();
  }
}
