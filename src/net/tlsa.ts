// TLSA records of endpoints, looked up through one validating resolver and kept for as long as the DNS allows. It knows no
// certificate and no policy; whether a resolver may be believed at all is decided in dns-line.ts, what an answer proves in
// tlsa-look-up.ts.

import type { Endpoint } from '../endpoint.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import { onionUnreached } from './dial.ts';
import { openLine, type LineOptions } from './dns-line.ts';
import { ResolverError, type Resolver } from './resolver.ts';
import { lookUp, maxKeptMs } from './tlsa-look-up.ts';

export interface TlsaFinderOptions extends Pick<LineOptions, 'now'> {
  /** For one look-up with all its questions, milliseconds. */
  readonly deadlineMs?: number;
}

const maxKept = 256;

interface Kept {
  readonly answer: TlsaAnswer;
  readonly expires: number;
}

/** One for each resolver. Answers are kept as long as the DNS says, an hour at most; failures are not kept. Holds no socket. */
export class TlsaFinder {
  readonly #resolver: Resolver;
  readonly #options: TlsaFinderOptions;
  /** By endpoint, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Promise<TlsaAnswer>>();

  constructor(resolver: Resolver, options: TlsaFinderOptions) {
    this.#resolver = resolver;
    this.#options = options;
  }

  /** Never rejects. Whoever asks for the same at the same time gets the same answer. */
  find(endpoint: Endpoint): Promise<TlsaAnswer> {
    const kept = this.#kept.get(endpoint.name);
    const now = this.#options.now();
    // A clock set back makes an answer older than it is known to be.
    if (kept !== undefined && now < kept.expires && kept.expires - now <= maxKeptMs)
      return Promise.resolve(kept.answer);
    const asking = this.#asking.get(endpoint.name);
    if (asking !== undefined) return asking;
    const answer = this.#look(endpoint).finally(() => this.#asking.delete(endpoint.name));
    this.#asking.set(endpoint.name, answer);
    return answer;
  }

  async #look(endpoint: Endpoint): Promise<TlsaAnswer> {
    if (endpoint.kind === 'ip') return failed('an address has no TLSA records');
    if (onionUnreached(endpoint.host) !== null) return failed('a .onion name is not in the DNS');
    const { deadlineMs = 10_000, now } = this.#options;
    try {
      const line = openLine(this.#resolver, { signal: AbortSignal.timeout(deadlineMs), now });
      try {
        const answer = await lookUp(line, endpoint, now());
        this.#keep(endpoint.name, answer);
        return answer;
      } finally {
        line.close();
      }
    } catch (error) {
      return failed(
        error instanceof ResolverError || error instanceof RangeError ? error.message : 'internal error',
      );
    }
  }

  #keep(name: string, answer: TlsaAnswer): void {
    this.#kept.delete(name);
    if (!('expires' in answer)) return;
    this.#kept.set(name, { answer, expires: answer.expires });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > maxKept && oldest.done !== true) this.#kept.delete(oldest.value);
  }
}

const failed = (why: string): TlsaAnswer => ({ state: 'failed', detail: plain(why) });

/** What a resolver or a name holds stands in logs and sentences. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
