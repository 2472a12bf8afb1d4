// The way to the server: dial, what is said before TLS, the handshake. Nothing of the client's is in reach
// here, and nothing the server said in clear comes out of here: only the finished handshake does.

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
import { dial, DialFailure, type DialResult } from '../net/dial.ts';
import { handshake } from '../net/handshake.ts';
import { speak, type SpeakEnd } from '../net/speak.ts';
import type { Peer } from '../trust/evidence.ts';
import type { Listener, ProxyEvent } from './events.ts';
import type { Route, Target } from './route.ts';
import type { Turns } from './turns.ts';

export interface Upstream {
  /** Under `socket`; only for a reset. Never destroyed in one tick with it. */
  readonly raw: Socket;
  /** Paused, nothing written, nothing read. */
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

export interface ApproachOptions {
  /** One of the route's. */
  readonly target: Target;
  readonly anchors: AnchorSet;
  readonly signal: AbortSignal;
  readonly on: Listener<ProxyEvent>;
}

export interface ReachOptions extends ApproachOptions {
  readonly dials: Turns;
  /** Called when it is this dial's turn; what it throws ends the dial. */
  readonly admitted: () => void;
}

/**
 * A TCP connection to the route's server, which the caller closes; waiting for a turn and dialling take dialSeconds
 * together. Throws Failure `timeout`, DialFailure, what `admitted` throws, or the signal's reason.
 */
export async function reach(route: Route, options: ReachOptions): Promise<Socket> {
  const { dials, signal } = options;
  const deadline = performance.now() + route.limits.dialSeconds * 1_000;
  const release = await dials.wait({ deadlineMs: deadline - performance.now(), signal });
  try {
    options.admitted();
    return await dialTarget({ ...options, deadlineMs: Math.max(1, deadline - performance.now()) });
  } finally {
    release();
  }
}

async function dialTarget(options: ApproachOptions & { readonly deadlineMs: number }): Promise<Socket> {
  const started = performance.now();
  const told = (result: DialResult): void =>
    options.on({
      type: 'dialled',
      endpoint: options.target.endpoint.name,
      result,
      seconds: secondsSince(started),
    });
  try {
    const raw = await dial(options.target.addresses[0] ?? options.target.endpoint, options);
    told('connected');
    return raw;
  } catch (error) {
    if (error instanceof DialFailure) told(error.result);
    throw error;
  }
}

/**
 * Speaks the prologue where there is one, then TLS. Throws Refusal or Failure; `raw` is closed with every throw.
 * Bytes between the go-ahead and the handshake are `injected-bytes`, whether they came with it or after it.
 */
export async function secure(raw: Socket, route: Route, options: ApproachOptions): Promise<Upstream> {
  const started = performance.now();
  if (route.upstreamTls === 'starttls' && route.protocol !== 'tls')
    await startTls(raw, route.protocol, { route, signal: options.signal });
  const { socket, peer } = await handshake(raw, {
    endpoint: options.target.endpoint,
    anchors: options.anchors,
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

async function startTls(
  raw: Socket,
  protocol: Exclude<Protocol, 'tls'>,
  options: { readonly route: Route; readonly signal: AbortSignal },
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
