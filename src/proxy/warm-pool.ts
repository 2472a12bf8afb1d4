// Connections of one route kept ready for a short time, so that a client of a protocol whose server speaks
// first is greeted at once. It adds nothing to trust: it dials only servers that are known already, keeps only
// what the judge accepts by CA, pin or DANE, and stores nothing; at hand-out the session judges the same evidence
// anew, as that of any other connection. It gives way: to clients, to refusals, to every change of trust.

import { Failure, Refusal } from '../errors.ts';
import { approach, untilRefused, type Approached } from './approach.ts';
import { eraOf } from './hold.ts';
import { Kept } from './kept.ts';
import { prove, type Greeting } from './prove.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';
import type { SessionTools } from './session-tools.ts';

/** No connection for now, and nobody's fault. */
class NotNow extends Error {}

/** Nothing is dialled before `start` or the first client; `close` ends it for good. Nothing of it keeps the process alive. */
export class WarmPool {
  readonly #desk: RouteDesk;
  readonly #tools: SessionTools;
  readonly #stop = new AbortController();
  /** Oldest first. */
  readonly #kept = new Set<Kept>();
  #filling = false;
  #failures = 0;
  #pause: NodeJS.Timeout | null = null;
  /** When a client last came, milliseconds since 1970. */
  #wantedAt = Number.NEGATIVE_INFINITY;
  /** A server was refused: a client must have been served before any is asked again. */
  #refused = false;
  #unlisten: (() => void) | null = null;

  constructor(desk: RouteDesk, tools: SessionTools) {
    this.#desk = desk;
    this.#tools = tools;
  }

  /** How many are ready now. */
  get size(): number {
    return this.#kept.size;
  }

  /** The route is at work now: its first client is expected soon. */
  start(): void {
    this.#wantedAt = this.#tools.now();
    void this.#fill();
  }

  /** A connection for a client that has just come, or null. The caller closes it; `letGo` tells whether it is still good. */
  async take(): Promise<Kept | null> {
    this.#wantedAt = this.#tools.now();
    this.#tools.suspicion.check();
    for (let kept = this.#best(); kept !== null; kept = this.#best()) {
      this.#forget(kept);
      kept.hand();
      await allSocketsSeen();
      if (this.#isGood(kept)) {
        this.#failures = 0;
        return kept;
      }
      kept.close();
    }
    return null;
  }

  /** A client is being served: its server can be asked for the next one. */
  served(): void {
    this.#refused = false;
    void this.#fill();
  }

  /** Something was refused, or untrusted, of this endpoint. */
  drop(endpoint: string): void {
    for (const kept of this.#kept) if (kept.desk.target.endpoint.name === endpoint) this.#discard(kept);
  }

  close(): void {
    this.#stop.abort(new Failure('client', 'the warm pool was closed'));
    if (this.#pause !== null) clearTimeout(this.#pause);
    for (const kept of this.#kept) this.#discard(kept);
  }

  /** Of the first server there is one of, the newest: the least likely to be given up next. */
  #best(): Kept | null {
    for (const kept of this.#kept) if (!this.#isGood(kept)) this.#discard(kept);
    for (const server of this.#desk.targets) {
      const newest = [...this.#kept].findLast(({ desk }) => desk === server);
      if (newest !== undefined) return newest;
    }
    return null;
  }

  #isGood(kept: Kept): boolean {
    return (
      !this.#stop.signal.aborted &&
      kept.isGood(this.#tools.now()) &&
      kept.era === this.#eraOf(kept.desk) &&
      this.#isKnown(kept.desk)
    );
  }

  /** A server that a client was served by before, and that was not refused since. */
  #isKnown(server: TargetDesk): boolean {
    const record = this.#tools.tofu.record(server.target.endpoint.name);
    return record !== null && record.basis !== 'none' && !server.hold.stands(this.#eraOf(server));
  }

  #eraOf = (server: TargetDesk): string => eraOf(this.#tools.tofu, server.target.endpoint.name);

  /** One at a time. */
  async #fill(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.#isWanted()) this.#keep(await this.#warm());
    } catch (error) {
      if (!(error instanceof NotNow)) this.#backOff();
    } finally {
      this.#filling = false;
    }
  }

  #isWanted(): boolean {
    const sinceMs = this.#tools.now() - this.#wantedAt;
    return (
      !this.#stop.signal.aborted &&
      this.#pause === null &&
      !this.#refused &&
      this.#kept.size < this.#desk.route.warm &&
      sinceMs >= 0 &&
      sinceMs < this.#tools.timing.warmDemandMs
    );
  }

  async #warm(): Promise<Kept> {
    const { signal } = this.#stop;
    const approached = await approach(this.#desk, {
      tools: this.#tools,
      signal,
      admitted: (server) => this.#admit(server),
    });
    try {
      // A reload in this very tick: what it would be judged by may have gone.
      signal.throwIfAborted();
      const era = this.#eraOf(approached.desk);
      this.#judge(approached);
      const { sieveProofMs } = this.#tools.timing;
      const proof = prove(approached.socket, this.#desk.route, { sieveProofMs, signal });
      const about = { target: approached.desk.target, tofu: this.#tools.tofu };
      const greeting = await untilRefused(proof, about);
      checkGreeting(greeting);
      return new Kept(approached, {
        greeting,
        era,
        now: this.#tools.now(),
        // Not all at once, so that the next client need not come in a moment in which all are too old.
        lifeMs: this.#tools.timing.warmLifeMs * spread(),
        over: (kept, why) => this.#over(kept, why),
      });
    } catch (error) {
      approached.socket.destroy();
      throw error;
    }
  }

  /** Clients come first: the last turn to dial is theirs. */
  #admit(server: TargetDesk): void {
    if (this.#desk.dials.free === 0 || !this.#isKnown(server)) throw new NotNow();
  }

  /** Never a first use, and never stored: what is accepted here is judged again for each client. */
  #judge({ peer, desk: { target, anchors }, tlsa }: Approached): void {
    const question = {
      endpoint: target.endpoint,
      settings: target.trust,
      peer,
      anchors,
      tlsa,
      by: 'warm',
    } as const;
    const { verdict } = this.#tools.tofu.judge(question);
    if (verdict.accept && verdict.basis !== 'first-use') return;
    this.#refused = true;
    this.drop(target.endpoint.name);
    throw verdict.accept ? new Failure('no-greeting') : new Refusal(verdict.reason);
  }

  #keep(kept: Kept): void {
    if (!this.#isGood(kept)) {
      kept.close();
      throw new Failure('no-greeting', 'the server went, or its trust changed, while it greeted');
    }
    this.#kept.add(kept);
    this.#unlisten ??= this.#tools.suspicion.listen(() => this.#doubtAll());
  }

  #over(kept: Kept, why: 'heard' | 'expired'): void {
    this.#discard(kept);
    // A server that gives up early what it was asked for would only be asked again and again.
    if (why === 'heard') this.#backOff();
    else this.#failures = 0;
    void this.#fill();
  }

  /** The machine slept or moved: nobody knows which of them still leads anywhere. */
  #doubtAll(): void {
    for (const kept of this.#kept) this.#discard(kept);
    void this.#fill();
  }

  #discard(kept: Kept): void {
    this.#forget(kept);
    kept.close();
  }

  #forget(kept: Kept): void {
    this.#kept.delete(kept);
    if (this.#kept.size > 0) return;
    this.#unlisten?.();
    this.#unlisten = null;
  }

  #backOff(): void {
    if (this.#stop.signal.aborted) return;
    const { warmRetryMs, warmLongestRetryMs } = this.#tools.timing;
    const delayMs = Math.min(warmRetryMs * 2 ** this.#failures, warmLongestRetryMs) * spread();
    this.#failures += 1;
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = null;
      void this.#fill();
    }, delayMs).unref();
  }
}

/** Only a server that waits for a login now, and has said nothing more, can be kept waiting. */
function checkGreeting({ verdict, behind, quote }: Greeting): void {
  if (verdict === 'positive' && behind === 0) return;
  throw new Failure('no-greeting', undefined, { cause: new Error(quote) });
}

/** Between a half and one. */
const spread = (): number => 0.5 + Math.random() / 2;

/** One round of the event loop over all sockets: an end that has arrived is known afterwards. */
const allSocketsSeen = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
