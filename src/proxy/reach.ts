// A TCP connection to one of the route's servers: each address of the first, then of the next, and the whole round
// again where that may help. It goes on only while nobody was reached: a server that answered is the one that is
// judged, and no refusal, remembered or new, is got around by asking another.

import type { Socket } from 'node:net';
import { bracketed } from '../endpoint.ts';
import { asFailure } from '../net/failure.ts';
import { dial, DialFailure, type DialResult } from '../net/dial.ts';
import type { Lookups } from '../net/lookups.ts';
import { dialVia } from '../net/via.ts';
import type { Listener, ProxyEvent } from './events.ts';
import type { RouteDesk, TargetDesk } from './route-desk.ts';
import type { Place, Target } from './route.ts';
import { secondsSince } from './upstream.ts';

/** What is needed of a route at work. */
export type Ways = Pick<RouteDesk, 'route' | 'targets' | 'dials' | 'failedTargets'>;

export interface Reached {
  readonly raw: Socket;
  readonly desk: TargetDesk;
}

export interface ReachPlan {
  readonly on: Listener<ProxyEvent>;
  readonly lookups: Pick<Lookups, 'resolve'>;
  readonly signal: AbortSignal;
  /** Called before a server is asked and again when it is its turn to be dialled; what it throws ends it all. */
  readonly admitted: (desk: TargetDesk) => void;
}

/** Before the second round and the third, milliseconds, give or take a quarter; no client waits long to hear of a refusal. */
const pausesMs = [250, 500] as const;

/**
 * The caller closes the socket. Turns, dials, proxies and pauses take dialSeconds together. Throws DialFailure of the
 * last attempt with the details of all, Failure `timeout`, what `admitted` throws, or the signal's reason.
 */
export async function reach(desk: Ways, plan: ReachPlan): Promise<Reached> {
  const deadline = performance.now() + desk.route.limits.dialSeconds * 1_000;
  const trip: Trip = { desk, plan, deadline, failures: [] };
  const reached = (await tryAll(trip)) ?? (await tryAgain(trip));
  if (reached !== null) return reached;
  throw lastOf(trip.failures);
}

/** One address of one server, tried in vain. */
interface Failed {
  readonly target: Target;
  readonly place: Place;
  readonly failure: DialFailure;
}

interface Trip {
  readonly desk: Ways;
  readonly plan: ReachPlan;
  /** Monotonic milliseconds. */
  readonly deadline: number;
  readonly failures: Failed[];
}

const leftMs = ({ deadline }: Trip): number => deadline - performance.now();

/** Only what may pass is worth a second try: a name that does not exist will not in half a second either. */
async function tryAgain(trip: Trip): Promise<Reached | null> {
  for (const ms of pausesMs) {
    const pauseMs = ms * (0.75 + Math.random() / 2);
    if (!trip.failures.every(({ failure }) => failure.passing) || pauseMs >= leftMs(trip)) return null;
    await pause(pauseMs, trip.plan.signal);
    const reached = await tryAll(trip);
    if (reached !== null) return reached;
  }
  return null;
}

async function tryAll(trip: Trip): Promise<Reached | null> {
  const { failedTargets, targets } = trip.desk;
  const order = failedTargets.ordered(targets, performance.now());
  let others = order.reduce((sum, { target }) => sum + placesOf(target).length, 0);
  for (const desk of order) {
    others -= placesOf(desk.target).length;
    const raw = await tryTarget(desk, trip, { others });
    if (raw !== null) return { raw, desk };
    if (leftMs(trip) <= 0) return null;
  }
  return null;
}

/** Null when none of its addresses could be reached. `others` is how many more there are to try after it. */
async function tryTarget(
  desk: TargetDesk,
  trip: Trip,
  { others }: { readonly others: number },
): Promise<Socket | null> {
  const { admitted, signal } = trip.plan;
  const { dials, failedTargets } = trip.desk;
  admitted(desk);
  const release = await dials.wait({ deadlineMs: leftMs(trip), signal });
  try {
    admitted(desk);
    const places = desk.failedPlaces.ordered(placesOf(desk.target), performance.now());
    for (const [index, place] of places.entries()) {
      // What is left, in equal parts: a black hole takes its own and no more.
      const deadlineMs = Math.max(1, leftMs(trip) / (places.length - index + others));
      const raw = await tryPlace({ desk, place, deadlineMs }, trip);
      if (raw !== null) return raw;
    }
    failedTargets.failed(desk, performance.now());
    return null;
  } finally {
    release();
  }
}

async function tryPlace(
  attempt: { readonly desk: TargetDesk; readonly place: Place; readonly deadlineMs: number },
  trip: Trip,
): Promise<Socket | null> {
  const { desk, place, deadlineMs } = attempt;
  const { target, failedPlaces } = desk;
  const { signal, on, lookups } = trip.plan;
  const { via } = trip.desk.route;
  const started = performance.now();
  const told = (result: DialResult): void =>
    on({ type: 'dialled', endpoint: target.endpoint.name, result, seconds: secondsSince(started) });
  try {
    const options = { deadlineMs, signal, resolve: (host: string) => lookups.resolve(host) };
    const raw = await (via === null ? dial(place, options) : dialVia(via, place, options));
    told('connected');
    failedPlaces.reached(place);
    trip.desk.failedTargets.reached(desk);
    return raw;
  } catch (failure) {
    if (!(failure instanceof DialFailure)) throw failure;
    told(failure.result);
    failedPlaces.failed(place, performance.now());
    trip.failures.push({ target, place, failure });
    return null;
  }
}

/** The target's own objects, which the memory of failures goes by. */
const placesOf = ({ addresses, endpoint }: Target): readonly Place[] =>
  addresses.length > 0 ? addresses : [endpoint];

/** The client hears of the last one, the log of each. */
function lastOf(failures: readonly Failed[]): DialFailure {
  const last = failures.at(-1);
  if (last === undefined) throw new TypeError('nothing was tried');
  const { code, result, passing } = last.failure;
  const several = failures.some(({ place }) => place !== last.place);
  const details = failures.map((failed) => (several ? `${nameOf(failed)}: ` : '') + failed.failure.detail);
  return new DialFailure(code, { result, passing, detail: [...new Set(details)].join('; ') });
}

function nameOf({ target: { endpoint }, place }: Failed): string {
  return place === endpoint ? endpoint.name : `${endpoint.name} at ${bracketed(place.host)}:${place.port}`;
}

/** Throws the signal's reason when aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(asFailure(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    signal.addEventListener('abort', aborted, { once: true });
  });
}
