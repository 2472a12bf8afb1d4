// Opens a TCP connection under one deadline for name look-up and connection together. Addresses are tried
// the way of RFC 8305: families interleaved, a new attempt every 250 ms or as soon as one fails, the first
// to connect wins. Node's own version abandons an address after 250 ms, which fails on slow links.

import type { LookupAddress } from 'node:dns';
import { isIP, connect, type Socket } from 'node:net';
import { Failure, type FailureReason } from '../errors.ts';
import { lookUpWithSystem, NotLookedUp } from './lookups.ts';
import { swallowErrors } from './swallow-errors.ts';

/** How a dial ended, for metrics. */
export type DialResult = 'connected' | 'refused' | 'timeout' | 'dns' | 'unreachable' | 'proxy';

/**
 * No connection: `result` for metrics, `code` dns, dial or timeout, `detail` the system's own codes or what a proxy said,
 * escaped and bounded. `passing`: the same may go well a moment later.
 */
export class DialFailure extends Failure {
  readonly result: Exclude<DialResult, 'connected'>;
  readonly detail: string;
  readonly passing: boolean;

  constructor(code: FailureReason, facts: Pick<DialFailure, 'result' | 'detail' | 'passing'>) {
    super(code);
    this.result = facts.result;
    this.detail = facts.detail;
    this.passing = facts.passing;
  }
}

export interface DialOptions {
  /** For look-up and connection together, milliseconds. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** The name look-up; where many dial, that of one Lookups for all. The system's where it is not given. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
}

const attemptDelayMs = 250;
/** Of a name: whoever answers for it could otherwise make us connect to thousands of strangers, for each client. */
const mostAddresses = 16;
/** Between the last byte received and the first probe. Node sends ten, one each second, before it gives up. */
export const keepAliveMs = 60_000;

/**
 * A connected socket: half-open allowed, no delay, keepalive, paused, with an 'error' listener that swallows (errors
 * show as 'close'). The caller closes it. Throws DialFailure, or the signal's reason when aborted.
 */
export async function dial(
  target: { readonly host: string; readonly port: number },
  options: DialOptions,
): Promise<Socket> {
  options.signal.throwIfAborted();
  const unreached = onionUnreached(target.host);
  if (unreached !== null) throw unreached;
  const race = new Race(target.port, options);
  try {
    const addresses = await race.within(resolveAddresses(target.host, options.resolve ?? lookUpWithSystem));
    return await race.within(race.connect(interleave(addresses).slice(0, mostAddresses)));
  } finally {
    race.close();
  }
}

/** A name that only Tor knows is never looked up (RFC 7686): to ask would tell the resolver who is looked for. */
export const onionUnreached = (host: string): DialFailure | null =>
  /(?:^|\.)onion\.?$/i.test(host)
    ? new DialFailure('dns', {
        result: 'dns',
        detail: 'a .onion name is reached through Tor alone: proxy: socks5://127.0.0.1:9050',
        passing: false,
      })
    : null;

async function resolveAddresses(
  host: string,
  resolve: (host: string) => Promise<readonly LookupAddress[]>,
): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  try {
    const found = await resolve(host);
    if (found.length > 0) return found;
  } catch (error) {
    const detail = error instanceof NotLookedUp ? error.message : codeOf(error);
    throw new DialFailure('dns', { result: 'dns', detail, passing: detail === 'EAI_AGAIN' });
  }
  throw new DialFailure('dns', { result: 'dns', detail: 'ENODATA', passing: false });
}

/** Alternates families, beginning with that of the first address (RFC 8305 section 4). */
function interleave(addresses: readonly LookupAddress[]): readonly LookupAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]?.family);
  return Array.from({ length: Math.max(first.length, second.length) })
    .flatMap((_, index) => [first[index], second[index]])
    .filter((address) => address !== undefined);
}

/** One dial's deadline, abort and attempts; `close` ends whatever did not win. */
class Race {
  readonly #port: number;
  readonly #open = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #stopped: Promise<never>;
  readonly #signal: AbortSignal;
  #stop: (error: Error) => void = () => undefined;
  readonly #aborted = (): void => this.#stop(asError(this.#signal.reason));

  constructor(port: number, options: DialOptions) {
    this.#port = port;
    this.#signal = options.signal;
    this.#stopped = new Promise((_, reject) => (this.#stop = reject));
    this.#stopped.catch(() => undefined);
    options.signal.addEventListener('abort', this.#aborted, { once: true });
    this.#after(options.deadlineMs, () =>
      this.#stop(new DialFailure('timeout', { result: 'timeout', detail: 'deadline', passing: false })),
    );
  }

  within<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#stopped]);
  }

  connect(addresses: readonly LookupAddress[]): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const waiting = [...addresses];
      const errors: string[] = [];
      let pace: NodeJS.Timeout | undefined;
      const next = (): void => {
        clearTimeout(pace);
        const address = waiting.shift();
        if (address === undefined) return;
        this.#attempt(address, { won: resolve, lost });
        if (waiting.length > 0) pace = this.#after(attemptDelayMs, next);
      };
      const lost = (code: string): void => {
        errors.push(code);
        if (errors.length === addresses.length) reject(dialFailure(errors));
        else next();
      };
      next();
    });
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#aborted);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
  }

  #attempt(
    address: LookupAddress,
    ends: { readonly won: (socket: Socket) => void; readonly lost: (code: string) => void },
  ): void {
    const socket = connect({
      host: address.address,
      port: this.#port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    });
    this.#open.add(socket);
    const failed = (error: Error): void => {
      this.#open.delete(socket);
      ends.lost(codeOf(error));
    };
    socket.once('error', failed);
    swallowErrors(socket);
    socket.once('connect', () => {
      socket.removeListener('error', failed);
      // A second winner is not taken over by anybody: it stays in #open and is destroyed by close().
      if (this.#open.delete(socket)) ends.won(socket);
      for (const other of this.#open) other.destroy();
    });
  }

  #after(delayMs: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(act, delayMs);
    this.#timers.add(timer);
    return timer;
  }
}

function dialFailure(codes: readonly string[]): DialFailure {
  const detail = [...new Set(codes)].join(' ');
  if (codes.includes('ECONNREFUSED'))
    return new DialFailure('dial', { result: 'refused', detail, passing: true });
  if (codes.includes('ETIMEDOUT'))
    return new DialFailure('timeout', { result: 'timeout', detail, passing: false });
  return new DialFailure('dial', { result: 'unreachable', detail, passing: true });
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Failure('client'));

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
