// What came of the latest connections, for `explain K7Q-123`: a listener of events that keeps what the log says of
// each, whatever the level of the log and however many were summed up there. Bounded in connections and in lines of
// each; nothing is decided by it.

import { isoDate } from '../admin/rows.ts';
import {
  CommandError,
  failures,
  isFailure,
  isRefusal,
  clientRejections,
  isClientRejection,
  refusals,
} from '../errors.ts';
import { logEntry } from '../ops/log-entry.ts';
import { connectionIdIn, type ConnectionId, type ConnectionIds } from '../proxy/connection-id.ts';
import type { ProxyEvent } from '../proxy/events.ts';
import type { Explanation } from '../trust/explanation.ts';

type Ended = Extract<ProxyEvent, { readonly type: 'session-ended' }>;

interface Remembered {
  readonly started: Extract<ProxyEvent, { readonly type: 'session-started' }>;
  /** Put into words when somebody asks. */
  readonly steps: { readonly at: number; readonly event: ProxyEvent }[];
  spki: string | null;
  ended: Ended | null;
}

export interface ConnectionsLimits {
  /** Connections remembered, those still open among them; default 1000. */
  readonly connections?: number;
  /** Lines of one; default 24. */
  readonly steps?: number;
}

export class Connections {
  readonly #now: () => number;
  readonly #ids: Pick<ConnectionIds, 'gave'>;
  readonly #most: number;
  readonly #mostSteps: number;
  /** Oldest first. */
  readonly #known = new Map<ConnectionId, Remembered>();

  constructor(
    { now, ids }: { readonly now: () => number; readonly ids: Pick<ConnectionIds, 'gave'> },
    { connections = 1000, steps = 24 }: ConnectionsLimits = {},
  ) {
    this.#now = now;
    this.#ids = ids;
    this.#most = connections;
    this.#mostSteps = steps;
  }

  /** A listener of events. */
  take(event: ProxyEvent): void {
    if (event.type === 'session-started') this.#begin(event);
    const session = 'session' in event ? event.session : undefined;
    const about = session === undefined ? undefined : this.#known.get(session);
    // How much was relayed so far is told at the end, all of it.
    if (about === undefined || event.type === 'carried') return;
    if (event.type === 'session-ended') about.ended = event;
    if ('spki' in event && event.spki !== null) about.spki = event.spki;
    const last = event.type === 'session-ended' ? this.#mostSteps : this.#mostSteps - 1;
    if (about.steps.length < last) about.steps.push({ at: this.#now(), event });
  }

  /** Null for what is no name of a connection. @throws CommandError `not-found` for one that is not remembered */
  explain(target: string): Explanation | null {
    const id = connectionIdIn(target);
    if (id === null) return null;
    const about = this.#known.get(id);
    if (about === undefined) throw notRemembered(id, this.#ids.gave(id) ? this.#most : null);
    const { endpoint } = about.ended ?? about.started;
    return {
      target,
      kind: 'session',
      endpoint,
      spki: about.spki,
      summary: summaryOf(id, about),
      steps: about.steps.map(({ at, event }) => `${isoDate(at).slice(11, 23)}Z ${logEntry(event).message}`),
      advice: about.ended === null ? [] : adviceFor(about.ended),
      decision: null,
      code: null,
    };
  }

  #begin(started: Remembered['started']): void {
    this.#known.set(started.session, { started, steps: [], spki: null, ended: null });
    const oldest = this.#known.keys().next();
    if (this.#known.size > this.#most && oldest.done !== true) this.#known.delete(oldest.value);
  }
}

function summaryOf(id: ConnectionId, { started, ended }: Remembered): string {
  const about = `The connection ${id} on ${started.route}`;
  if (ended === null) return `${about} is open.`;
  const took = `after ${ended.seconds < 10 ? ended.seconds.toFixed(1) : Math.round(ended.seconds)} s`;
  switch (ended.outcome) {
    case 'relayed':
      return `${about} was relayed to ${ended.endpoint} and ended ${took}, ${ended.bytesUp} bytes up and ${ended.bytesDown} down.`;
    case 'refused':
      return `${about} was refused ${took}: ${refusals[ended.reason].cause} (${ended.reason}).`;
    case 'failed':
      return `${about} failed ${took}: ${failures[ended.reason].cause} (${ended.reason}).`;
    case 'rejected':
      return `${about} was closed ${took}: ${clientRejections[ended.reason].cause} (${ended.reason}).`;
  }
}

function adviceFor({ reason, reference, detail }: Ended): readonly string[] {
  const said = detail === null ? [] : [`What was noticed: ${detail}`];
  if (reason === null) return said;
  const more = `How that was decided: letterlock explain ${reference ?? reason}`;
  if (isRefusal(reason)) return [...said, refusals[reason].advice, more];
  if (isFailure(reason)) return [...said, failures[reason].advice];
  return isClientRejection(reason) ? [...said, clientRejections[reason].advice] : said;
}

const notRemembered = (id: ConnectionId, most: number | null): CommandError =>
  new CommandError(
    'not-found',
    most === null
      ? `${id} is no connection of this run of letterlock`
      : `the connection ${id} is not remembered any more: only the latest ${most} are`,
    { hint: `The log has it, if it goes back that far: look for ${id}.` },
  );
