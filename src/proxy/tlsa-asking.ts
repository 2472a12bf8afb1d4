// Asks for the TLSA records of the servers of one approach while they are dialled. What it finds is evidence; it judges nothing.

import type { Endpoint } from '../endpoint.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import { asksDane, type TrustSettings } from '../trust/evidence.ts';
import type { TargetDesk } from './route-desk.ts';
import type { SessionTools } from './session-tools.ts';
import { unlessAborted } from './unless-aborted.ts';
import { secondsSince } from './upstream.ts';

type Tools = Pick<SessionTools, 'on' | 'findTlsa'>;

export class TlsaAsking {
  readonly #tools: Tools;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<TargetDesk, Promise<TlsaAnswer>>();

  constructor(tools: Tools, signal: AbortSignal) {
    this.#tools = tools;
    this.#signal = signal;
  }

  /** Once for each server, however often it is called. */
  begin(server: TargetDesk): void {
    const { endpoint, trust } = server.target;
    if (asksDane(trust) && !this.#asked.has(server)) this.#asked.set(server, this.#find(endpoint));
  }

  /** Null where its settings do not ask for them. Throws the signal's reason when that is first. */
  async answer(server: TargetDesk): Promise<TlsaAnswer | null> {
    const asked = this.#asked.get(server);
    return asked === undefined ? null : unlessAborted(asked, this.#signal);
  }

  /** As `nameToAsk`; waits for an answer only where the name hangs on it. */
  async serverName(server: TargetDesk): Promise<string | null> {
    const { trust } = server.target;
    return trust.policy === 'dane' ? nameToAsk(trust, await this.answer(server)) : null;
  }

  async #find(endpoint: Endpoint): Promise<TlsaAnswer> {
    const { findTlsa, on } = this.#tools;
    if (findTlsa === undefined) return { state: 'failed', detail: 'no resolver is configured' };
    const started = performance.now();
    const answer = await findTlsa(endpoint);
    on({
      type: 'tlsa-looked-up',
      endpoint: endpoint.name,
      result: answer.state,
      seconds: secondsSince(started),
    });
    return answer;
  }
}

/**
 * The name a server is asked for in the handshake: under the policy `dane` the one where its aliases end (RFC 7671 section 7). Null:
 * the one configured, which is what all other policies look for in the certificate.
 */
export const nameToAsk = ({ policy }: TrustSettings, answer: TlsaAnswer | null): string | null =>
  policy === 'dane' && answer?.state === 'records' ? answer.names[0] : null;
