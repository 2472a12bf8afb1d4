// What a running proxy does at this moment, with what moved since the last look: the rates of its routes, and the
// latest of what happened.

import type { EndpointRow, FeedEntry, SessionRow } from '../src/admin/live-shapes.ts';
import type { Operator } from '../src/admin/operator.ts';
import type { StatusShape } from '../src/admin/shapes.ts';

export interface RouteRate {
  readonly route: string;
  /** Since the last look; 0 at the first. */
  readonly upPerSecond: number;
  readonly downPerSecond: number;
  /** Connections that began within the last minute. */
  readonly newPerMinute: number;
}

export interface Overview {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly status: StatusShape;
  readonly endpoints: readonly EndpointRow[];
  readonly sessions: readonly SessionRow[];
  readonly rates: readonly RouteRate[];
  /** Oldest first. */
  readonly events: readonly FeedEntry[];
}

/** Refused and waiting first, then by name. */
export const troubleFirst = (rows: readonly EndpointRow[]): readonly EndpointRow[] =>
  rows.toSorted((one, other) => weight(other) - weight(one) || one.endpoint.localeCompare(other.endpoint));

const weight = ({ refusing, candidates }: EndpointRow): number =>
  (refusing ? 2 : 0) + (candidates > 0 ? 1 : 0);

const minuteMs = 60_000;
const eventsKept = 50;

/** Looks at one daemon again and again. Whoever makes one closes it. */
export class Observer {
  readonly #operator: Operator;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  #following = false;
  #lastId: number | null = null;
  #events: FeedEntry[] = [];
  #starts: { readonly route: string; readonly at: number }[] = [];
  /** Bytes of sessions that ended since the last look. */
  #ended: FeedEntry[] = [];
  /** When it began to look: what ended until then moved before. */
  #since: number | null = null;
  #before: { readonly at: number; readonly sessions: ReadonlyMap<string, SessionRow> } | null = null;

  constructor(operator: Operator, now: () => number) {
    this.#operator = operator;
    this.#now = now;
  }

  /** @throws CommandError when the daemon does not answer; the next look may find it again */
  async look(): Promise<Overview> {
    this.#since ??= this.#now();
    const operator = this.#operator;
    const [status, endpoints, sessions] = await Promise.all([
      operator.status(),
      operator.endpoints(),
      operator.sessions(),
    ]);
    if (!this.#following) void this.#follow();
    const now = this.#now();
    const rates = this.#ratesOf(status, { sessions, now });
    return {
      at: new Date(now).toISOString(),
      status,
      endpoints: troubleFirst(endpoints),
      sessions,
      rates,
      events: this.#events,
    };
  }

  close(): void {
    this.#stop.abort();
  }

  /** What happens is read beside the looks; where it breaks off, the next look begins it anew. */
  async #follow(): Promise<void> {
    this.#following = true;
    try {
      // What happened just before is worth seeing too.
      const options = { after: this.#lastId ?? 0, signal: this.#stop.signal };
      for await (const entry of this.#operator.follow(options)) this.#take(entry);
    } catch {
      // The next look says why.
    } finally {
      this.#following = false;
    }
  }

  #take(entry: FeedEntry): void {
    this.#lastId = entry.id;
    const { route } = entry.fields;
    if (entry.event === 'session-started') {
      if (typeof route === 'string') this.#starts.push({ route, at: Date.parse(entry.at) });
      if (this.#starts.length > 10_000) this.#starts.shift();
      return;
    }
    const isNew = this.#since !== null && Date.parse(entry.at) > this.#since;
    if (entry.event === 'session-ended' && isNew && this.#ended.length < 10_000) this.#ended.push(entry);
    this.#events = [...this.#events, entry].slice(-eventsKept);
  }

  #ratesOf(
    { routes }: StatusShape,
    { sessions, now }: { readonly sessions: readonly SessionRow[]; readonly now: number },
  ): readonly RouteRate[] {
    const before = this.#before;
    const moved = before === null ? [] : this.#movedSince(before.sessions, sessions);
    const seconds = before === null ? 1 : Math.max(0.001, (now - before.at) / 1000);
    this.#before = { at: now, sessions: new Map(sessions.map((row) => [row.id, row])) };
    this.#ended = [];
    this.#starts = this.#starts.filter(({ at }) => now - at < minuteMs);
    return routes.map(({ name }) => ({
      route: name,
      upPerSecond: sum(moved, name, 'up') / seconds,
      downPerSecond: sum(moved, name, 'down') / seconds,
      newPerMinute: this.#starts.filter(({ route }) => route === name).length,
    }));
  }

  #movedSince(before: ReadonlyMap<string, SessionRow>, sessions: readonly SessionRow[]): readonly Moved[] {
    const over = this.#ended.flatMap(({ fields }) => {
      const { session, route, bytesUp, bytesDown } = fields;
      if (typeof session !== 'string' || typeof route !== 'string') return [];
      return [{ id: session, route, bytesUp: Number(bytesUp), bytesDown: Number(bytesDown) }];
    });
    return [...sessions, ...over].map(({ id, route, bytesUp, bytesDown }) => {
      const known = before.get(id);
      return {
        route,
        up: Math.max(0, bytesUp - (known?.bytesUp ?? 0)),
        down: Math.max(0, bytesDown - (known?.bytesDown ?? 0)),
      };
    });
  }
}

interface Moved {
  readonly route: string;
  readonly up: number;
  readonly down: number;
}

const sum = (moved: readonly Moved[], route: string, direction: 'up' | 'down'): number =>
  moved.filter((one) => one.route === route).reduce((all, one) => all + one[direction], 0);
