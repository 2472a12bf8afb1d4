// Asks the servers of all routes without a client: in the background where a route is watched, and when somebody
// wants to know. One probe of a server at a time, few at once, one timer for all. It trusts nobody: what a probe may
// teach is the engine's business. A server that fails is asked again at its next time and no sooner.

import { CommandError, Failure } from '../errors.ts';
import { FailedLately } from './failed-lately.ts';
import { isOutdated, type InForce } from './in-force.ts';
import { probeServer, type Sight } from './probe.ts';
import { longestWaitMs, ProbeSchedule } from './probe-schedule.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';
import type { SessionTools } from './session-tools.ts';
import { Turns } from './turns.ts';
import { secondsSince } from './upstream.ts';

/** What is known of one probe. */
export type Probe = Sight & {
  /** Canonical `host:port`. */
  readonly endpoint: string;
  /** When it was over, milliseconds since 1970. */
  readonly at: number;
  readonly seconds: number;
};

/** Probes under way at once: those due, and, beside them, those that somebody waits for. */
const backgroundAtOnce = 4;
const askedAtOnce = 8;

/** A server, by the route that asks for it most often. */
interface Post {
  readonly desk: RouteDesk;
  readonly server: TargetDesk;
}

interface Flight {
  readonly promise: Promise<Probe>;
  /** Ends the attempt under way; there is another one if its server is still configured. */
  readonly recheck: (inForce: InForce) => void;
}

/** Asks nobody before `replace`; `close` ends it for good. Nothing of it keeps the process alive. */
export class Prober {
  readonly #tools: SessionTools;
  readonly #schedule: ProbeSchedule;
  readonly #stop = new AbortController();
  readonly #asked = new Turns(askedAtOnce);
  readonly #flights = new Map<string, Flight>();
  readonly #last = new Map<string, Probe>();
  #desks: readonly RouteDesk[] = [];
  #posts: ReadonlyMap<string, Post> = new Map();
  #inBackground = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(tools: SessionTools, random: () => number = Math.random) {
    this.#tools = tools;
    this.#schedule = new ProbeSchedule(random);
  }

  /** The routes at work now. What is still watched as before keeps its time; what is judged by what went is asked anew. */
  replace(desks: readonly RouteDesk[], inForce: InForce): void {
    this.#desks = desks;
    this.#posts = postsOf(desks);
    for (const name of this.#last.keys()) if (!this.#posts.has(name)) this.#last.delete(name);
    for (const { recheck } of this.#flights.values()) recheck(inForce);
    this.#schedule.replace(intervalsOf(this.#posts), this.#tools.now());
    this.#tick();
  }

  /**
   * Asks a server now, or waits for the probe that is asking it already.
   * @throws CommandError `not-found` where no route leads to it, `internal` when letterlock ends meanwhile
   */
  async probe(endpoint: string): Promise<Probe> {
    if (this.#stop.signal.aborted) throw ending();
    if (this.#flights.has(endpoint)) return this.#fly(endpoint);
    this.#postOf(endpoint);
    const release = await this.#asked
      .wait({ deadlineMs: this.#tools.timing.probeMs, signal: this.#stop.signal })
      .catch(() => null);
    if (release === null) throw this.#stop.signal.aborted ? ending() : busy();
    try {
      return await this.#fly(endpoint);
    } finally {
      release();
    }
  }

  /** The last probe of a configured server; null where there was none. */
  last(endpoint: string): Probe | null {
    return this.#last.get(endpoint) ?? null;
  }

  /** When a server is asked next at the latest, milliseconds since 1970; null where it is not watched. */
  next(endpoint: string): number | null {
    return this.#schedule.next(endpoint);
  }

  close(): void {
    this.#stop.abort(new Failure('client', 'letterlock ends'));
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#stop.signal.aborted) return;
    const now = this.#tools.now();
    for (const endpoint of this.#schedule.take(now, backgroundAtOnce - this.#inBackground))
      this.#watch(endpoint);
    // When there is no room, whoever is ready looks again.
    const waitMs = this.#inBackground < backgroundAtOnce ? this.#schedule.waitMs(now) : longestWaitMs;
    if (waitMs !== null) this.#timer = setTimeout(() => this.#tick(), waitMs).unref();
  }

  #watch(endpoint: string): void {
    if (this.#flights.has(endpoint)) return;
    this.#inBackground += 1;
    const over = (): void => {
      this.#inBackground -= 1;
      this.#tick();
    };
    this.#fly(endpoint).then(over, over);
  }

  #fly(endpoint: string): Promise<Probe> {
    const underWay = this.#flights.get(endpoint);
    if (underWay !== undefined) return underWay.promise;
    this.#schedule.asked(endpoint, this.#tools.now());
    const attempt: Attempt = { server: null, stop: new AbortController() };
    const promise = this.#attempts(endpoint, attempt).finally(() => this.#flights.delete(endpoint));
    this.#flights.set(endpoint, {
      promise,
      recheck: (inForce) => {
        if (attempt.server !== null && isOutdated(attempt.server, inForce)) attempt.stop.abort(outdated());
      },
    });
    return promise;
  }

  /** Once, unless what the server is judged by changed meanwhile. */
  async #attempts(endpoint: string, attempt: Attempt): Promise<Probe> {
    for (;;) {
      const { desk, server } = this.#postOf(endpoint);
      attempt.server = server;
      attempt.stop = new AbortController();
      const started = performance.now();
      const sight = await this.#attempt(desk, server, attempt.stop);
      if (this.#stop.signal.aborted) throw ending();
      if (attempt.stop.signal.reason instanceof Outdated) continue;
      return this.#tell({ ...sight, endpoint, at: this.#tools.now(), seconds: secondsSince(started) });
    }
  }

  async #attempt(desk: RouteDesk, server: TargetDesk, stop: AbortController): Promise<Sight> {
    const { probeMs } = this.#tools.timing;
    const timer = setTimeout(() => stop.abort(new Failure('timeout')), probeMs).unref();
    const signal = AbortSignal.any([stop.signal, this.#stop.signal]);
    const { route, identity } = desk;
    // Turns of its own: the last one to dial is a client's.
    const own = { route, identity, dials: new Turns(1), failedTargets: new FailedLately<TargetDesk>() };
    try {
      return await probeServer({ ...own, targets: [server] }, { tools: this.#tools, signal });
    } finally {
      clearTimeout(timer);
    }
  }

  /** What was refused of a server gives way; what was accepted needs no refusal from memory any more. */
  #tell(probe: Probe): Probe {
    const { endpoint } = probe;
    this.#last.set(endpoint, probe);
    for (const desk of this.#desks) {
      if (probe.result === 'refused') desk.warm?.drop(endpoint);
      if (probe.result !== 'accepted') continue;
      for (const { target, hold } of desk.targets) if (target.endpoint.name === endpoint) hold.clear();
    }
    const { certificate, at: _, ...facts } = probe;
    const dates = { notBefore: timeOf(certificate?.notBefore), notAfter: timeOf(certificate?.notAfter) };
    this.#tools.on({ type: 'probed', ...facts, ...dates });
    return probe;
  }

  #postOf(endpoint: string): Post {
    const post = this.#posts.get(endpoint);
    if (post !== undefined) return post;
    throw new CommandError('not-found', `no route leads to ${endpoint}`, {
      hint: 'letterlock status shows the routes; write the endpoint with its port, such as imap.example.org:993.',
    });
  }
}

interface Attempt {
  server: TargetDesk | null;
  stop: AbortController;
}

class Outdated extends Failure {}

const outdated = (): Outdated => new Outdated('client', 'the configuration was read again');
const ending = (): CommandError => new CommandError('internal', 'letterlock is shutting down');
const busy = (): CommandError =>
  new CommandError('network', 'too many servers are being asked already', { hint: 'Try again in a minute.' });

/** The route that watches a server most closely speaks to it; of equals the first. */
function postsOf(desks: readonly RouteDesk[]): ReadonlyMap<string, Post> {
  const posts = new Map<string, Post>();
  for (const desk of desks) {
    for (const server of desk.targets) {
      const { name } = server.target.endpoint;
      const other = posts.get(name);
      if (other === undefined || watchOf(desk) < watchOf(other.desk)) posts.set(name, { desk, server });
    }
  }
  return posts;
}

const watchOf = ({ route }: RouteDesk): number => route.watchMs ?? Number.POSITIVE_INFINITY;

function intervalsOf(posts: ReadonlyMap<string, Post>): ReadonlyMap<string, number> {
  const intervals = new Map<string, number>();
  for (const [name, { desk }] of posts)
    if (desk.route.watchMs !== null) intervals.set(name, desk.route.watchMs);
  return intervals;
}

function timeOf(iso: string | null | undefined): number | null {
  const time = iso === null || iso === undefined ? Number.NaN : Date.parse(iso);
  return Number.isNaN(time) ? null : time;
}
