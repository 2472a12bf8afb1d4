// From a connection to a server to a finished handshake, with what is said before TLS in between. Nothing of the
// client's is in reach here, and nothing the server said in clear comes out of here.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Failure, isFailure, Refusal, type LetterlockError } from '../errors.ts';
import {
  concludePrologue,
  prologue,
  prologueFault,
  prologueLimits,
  type PrologueReason,
  type PrologueResult,
} from '../mail/prologue.ts';
import type { Protocol } from '../mail/protocol.ts';
import { Talk } from '../mail/talk.ts';
import type { AnchorSet } from '../net/anchors.ts';
import type { ClientIdentity } from '../net/client-identity.ts';
import type { TlsProfile } from '../net/contexts.ts';
import { handshake } from '../net/handshake.ts';
import { speak, type SpeakEnd } from '../net/speak.ts';
import type { Peer } from '../trust/evidence.ts';
import type { Listener, ProxyEvent } from './events.ts';
import type { Route, Target } from './route.ts';

export interface Upstream {
  /** Under `socket`; only for a reset. Never destroyed in one tick with it. */
  readonly raw: Socket;
  /** Paused, nothing written, nothing read. */
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

/** What of a route says how its servers are spoken to before and in the handshake. */
export type Speech = Pick<Route, 'protocol' | 'upstreamTls' | 'minVersion' | 'legacyServer' | 'limits'>;

export interface SecureOptions {
  /** One of the route's. */
  readonly target: Pick<Target, 'endpoint'>;
  readonly anchors: AnchorSet;
  /** Asked in the tick in which the handshake begins: what the server may be shown. Nothing where it is not given. */
  readonly identity?: () => ClientIdentity | null;
  /** The name asked for in the handshake; the endpoint's where it is null or not given. */
  readonly serverName?: string | null;
  readonly signal: AbortSignal;
  readonly on: Listener<ProxyEvent>;
}

/**
 * Speaks the prologue where there is one, then TLS. Throws Refusal or Failure; `raw` is closed with every throw.
 * Bytes between the go-ahead and the handshake are `injected-bytes`, whether they came with it or after it.
 */
export async function secure(raw: Socket, route: Speech, options: SecureOptions): Promise<Upstream> {
  const started = performance.now();
  if (route.upstreamTls === 'starttls' && route.protocol !== 'tls')
    await startTls(raw, route.protocol, { route, signal: options.signal });
  const { socket, peer } = await handshake(raw, {
    endpoint: options.target.endpoint,
    serverName: options.serverName ?? null,
    anchors: options.anchors,
    profile: profileOf(route),
    identity: options.identity?.() ?? null,
    deadlineMs: route.limits.handshakeSeconds * 1_000,
    signal: options.signal,
  });
  options.on({
    type: 'handshaken',
    endpoint: options.target.endpoint.name,
    version: peer.tls.version,
    seconds: secondsSince(started),
  });
  return { raw, socket, peer };
}

function profileOf({ legacyServer, minVersion }: Speech): TlsProfile {
  if (legacyServer) return 'legacy';
  return minVersion === 'TLSv1.3' ? 'tls13' : 'modern';
}

async function startTls(
  raw: Socket,
  protocol: Exclude<Protocol, 'tls'>,
  options: { readonly route: Speech; readonly signal: AbortSignal },
): Promise<void> {
  const { limits } = options.route;
  const talk = new Talk(prologue(protocol), {
    ...prologueLimits,
    lineBytes: limits.lineBytes,
    totalBytes: limits.preTlsBytes,
  });
  try {
    const end = await speak(raw, talk, {
      deadlineMs: limits.greetingSeconds * 1_000,
      signal: options.signal,
    });
    const result = resultOf(end, raw);
    if (!result.ok) throw errorFor(result.reason, result.detail);
  } catch (error) {
    raw.destroy();
    throw error;
  }
}

function resultOf(end: SpeakEnd<PrologueResult>, raw: Socket): PrologueResult {
  if (end.state === 'done') return concludePrologue(end.result, end.left);
  switch (end.fault) {
    case 'timeout':
      if (raw.bytesRead > 0) throw new Failure('timeout');
      return { ok: false, reason: 'no-greeting', detail: 'the server said nothing' };
    case 'closed':
      return prologueFault('ended');
    case 'ended':
    case 'line-too-long':
    case 'too-many-bytes':
    case 'too-many-lines':
    case 'bad-line-end':
      return prologueFault(end.fault);
  }
}

/** The error of a reason; `detail` is kept as its cause, for the log. */
export function errorFor(reason: PrologueReason, detail: string): LetterlockError {
  const cause = new Error(detail);
  return isFailure(reason)
    ? new Failure(reason, undefined, { cause })
    : new Refusal(reason, undefined, { cause });
}

export const secondsSince = (started: number): number => (performance.now() - started) / 1_000;
