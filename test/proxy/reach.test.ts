// Getting to a server: in which order, how long, how often, and what is never got around.

import { createServer, type Server } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { Failure, Refusal } from '../../src/errors.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { Lookups } from '../../src/net/lookups.ts';
import { FailedLately } from '../../src/proxy/failed-lately.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import { reach, type Reached, type Ways } from '../../src/proxy/reach.ts';
import type { Limits, Place, Route, Target } from '../../src/proxy/route.ts';
import { targetDeskOf, type TargetDesk } from '../../src/proxy/route-desk.ts';
import { Turns } from '../../src/proxy/turns.ts';
import { deafPort } from '../net/deaf-port.ts';
import { listen, portOf } from '../net/peers.ts';
import { plainRoute, testLimits } from './route.ts';

let anchors: AnchorSet;
beforeAll(async () => {
  anchors = await loadAnchors([]);
});
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const at = (port: number): Place => ({ host: '127.0.0.1', port });
const closeOf = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve));

async function answering(): Promise<number> {
  const server = await listen(createServer((socket) => socket.on('error', () => undefined)));
  closing.push(() => server.close());
  return portOf(server);
}

async function refusing(): Promise<number> {
  const server = await listen(createServer());
  const port = portOf(server);
  await closeOf(server);
  return port;
}

async function deaf(): Promise<number> {
  const { port, close } = await deafPort();
  closing.push(close);
  return port;
}

const other = (port: number, addresses: readonly Place[] = []): Target => ({
  ...plainRoute,
  endpoint: endpointOf('127.0.0.1', port),
  addresses,
});

class Trip {
  readonly events: Extract<ProxyEvent, { type: 'dialled' }>[] = [];
  readonly asked: string[] = [];
  readonly control = new AbortController();
  readonly desk: Ways;
  admitted: (desk: TargetDesk) => void = () => undefined;
  /** Called with each event. */
  hears: () => unknown = () => undefined;

  constructor(route: Partial<Route>, limits: Partial<Limits> = {}) {
    const whole = { ...plainRoute, ...route, limits: { ...testLimits, ...limits } };
    const others = whole.others.map((target) => targetDeskOf(target, anchors));
    this.desk = {
      route: whole,
      targets: [targetDeskOf(whole, anchors), ...others],
      dials: new Turns(16),
      failedTargets: new FailedLately(),
    };
  }

  async go(): Promise<Reached> {
    const reached = await reach(this.desk, {
      lookups: new Lookups(),
      signal: this.control.signal,
      admitted: (desk) => {
        this.asked.push(desk.target.endpoint.name);
        this.admitted(desk);
      },
      on: (event) => {
        if (event.type === 'dialled') this.events.push(event);
        this.hears();
      },
    });
    closing.push(() => reached.raw.destroy());
    return reached;
  }

  get results(): readonly string[] {
    return this.events.map(({ endpoint, result }) => `${endpoint.replace('127.0.0.1:', '')} ${result}`);
  }

  /** How many dials could begin now. */
  get free(): number {
    const taken = Array.from({ length: 100 }, () => this.desk.dials.take()).filter((turn) => turn !== null);
    for (const release of taken) release();
    return taken.length;
  }
}

describe('several addresses', () => {
  it('are tried in their order, each told of, until one connects', async () => {
    const [dead, good, unused] = [await refusing(), await answering(), await answering()];
    const trip = new Trip({
      endpoint: endpointOf('mail.test', 993),
      addresses: [dead, good, unused].map(at),
    });
    const { raw } = await trip.go();
    expect(raw.remotePort).toBe(good);
    expect(trip.results).toEqual(['mail.test:993 refused', 'mail.test:993 connected']);
    expect(trip.free).toBe(16);
  });

  it('that failed lately are tried last, and so cost once', async () => {
    const [hole, good] = [await deaf(), await answering()];
    const trip = new Trip({ addresses: [hole, good].map(at) }, { dialSeconds: 1 });
    await trip.go();
    // Half of the second for the first of two.
    expect(trip.events[0]).toMatchObject({ result: 'timeout' });
    expect(trip.events[0]?.seconds).toBeGreaterThan(0.4);
    expect(trip.events[0]?.seconds).toBeLessThan(0.8);
    const { raw } = await trip.go();
    expect(raw.remotePort).toBe(good);
    expect(trip.results.slice(1)).toEqual(['993 connected', '993 connected']);
  });
});

describe('several servers', () => {
  it('are tried in their order, each admitted before and at its turn, only while nobody was reached', async () => {
    const [dead, good, unused] = [await refusing(), await answering(), await answering()];
    const trip = new Trip({ ...other(dead), others: [other(good), other(unused)] });
    const { desk, raw } = await trip.go();
    expect(desk).toBe(trip.desk.targets[1]);
    expect(raw.remotePort).toBe(good);
    expect(trip.results).toEqual([`${dead} refused`, `${good} connected`]);
    expect(trip.asked).toEqual([dead, dead, good, good].map((port) => `127.0.0.1:${port}`));
  });

  it('share what is left of the deadline, and one that failed lately is tried last', async () => {
    const [hole, dead, good] = [await deaf(), await refusing(), await answering()];
    const trip = new Trip({ ...other(hole), others: [other(1, [at(dead), at(good)])] }, { dialSeconds: 1.5 });
    await trip.go();
    expect(trip.results).toEqual([`${hole} timeout`, '1 refused', '1 connected']);
    expect(trip.events[0]?.seconds).toBeGreaterThan(0.4);
    expect(trip.events[0]?.seconds).toBeLessThan(0.9);
    await trip.go();
    expect(trip.results.slice(3)).toEqual(['1 connected']);
  });

  it('a remembered refusal of one answers for the route, whatever the others would say', async () => {
    const [dead, good] = [await refusing(), await answering()];
    for (const [refused, dialled] of [
      [good, [`${dead} refused`]],
      [dead, []],
    ] as const) {
      const trip = new Trip({ ...other(dead), others: [other(good)] });
      trip.admitted = ({ target }) => {
        if (target.endpoint.port === refused) throw new Refusal('pin-mismatch');
      };
      await expect(trip.go()).rejects.toMatchObject({ code: 'pin-mismatch' });
      expect(trip.results).toEqual(dialled);
      expect(trip.free).toBe(16);
    }
  });

  it('when none is there the last one is named and the log has them all, once', async () => {
    const [one, two] = [await refusing(), await refusing()];
    const trip = new Trip({ ...other(one), others: [other(1, [at(two)])] });
    await expect(trip.go()).rejects.toMatchObject({
      code: 'dial',
      result: 'refused',
      detail: `127.0.0.1:${one}: ECONNREFUSED; 127.0.0.1:1 at 127.0.0.1:${two}: ECONNREFUSED`,
    });
    expect(trip.asked.at(-1)).toBe('127.0.0.1:1');
  });
});

describe('the round again', () => {
  it('is made twice where everything may pass, within a second or so', async () => {
    const port = await refusing();
    const trip = new Trip(other(port));
    const started = performance.now();
    await expect(trip.go()).rejects.toMatchObject({ code: 'dial', detail: 'ECONNREFUSED' });
    expect(trip.results).toEqual([`${port} refused`, `${port} refused`, `${port} refused`]);
    expect(performance.now() - started).toBeGreaterThan(500);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('reaches a server that came back meanwhile', async () => {
    const port = await refusing();
    const trip = new Trip(other(port));
    const server = createServer((socket) => socket.on('error', () => undefined));
    closing.push(() => server.close());
    trip.hears = () => server.listening || server.listen(port, '127.0.0.1');
    const { raw } = await trip.go();
    expect(raw.remotePort).toBe(port);
    expect(trip.results).toEqual([`${port} refused`, `${port} connected`]);
  });

  it('is not made for what does not pass: a name nobody can look up, or a black hole', async () => {
    const onion = new Trip({ endpoint: endpointOf('abcdefgh.onion', 993) });
    await expect(onion.go()).rejects.toMatchObject({ code: 'dns', result: 'dns' });
    expect(onion.events).toHaveLength(1);
    const mixed = new Trip({
      ...other(await refusing()),
      others: [{ ...plainRoute, ...onion.desk.targets[0].target }],
    });
    await expect(mixed.go()).rejects.toMatchObject({ code: 'dns' });
    expect(mixed.events).toHaveLength(2);
    const hole = new Trip(other(await deaf()), { dialSeconds: 0.2 });
    await expect(hole.go()).rejects.toMatchObject({ code: 'timeout', detail: 'deadline' });
    expect(hole.events).toHaveLength(1);
  });

  it('is not made beyond the deadline', async () => {
    const trip = new Trip(other(await refusing()), { dialSeconds: 0.1 });
    await expect(trip.go()).rejects.toMatchObject({ code: 'dial' });
    expect(trip.events).toHaveLength(1);
  });

  it('holds no turn while it waits, and ends when the client goes', async () => {
    const trip = new Trip(other(await refusing()));
    const work = trip.go().catch((error: unknown) => error);
    while (trip.events.length === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(trip.free).toBe(16);
    trip.control.abort(new Failure('client'));
    expect(await work).toMatchObject({ code: 'client' });
    expect(trip.events).toHaveLength(1);
  });
});

/** Goes once the only turn is given back; `asked` is what is asked at each admission. */
async function inTurn(trip: Trip): Promise<unknown> {
  const turns = Array.from({ length: 16 }, () => trip.desk.dials.take());
  const outcome = trip.go().then(
    () => 'reached',
    (error: unknown) => error,
  );
  turns.forEach((release) => release?.());
  return outcome;
}

describe('a dial that waited for its turn', () => {
  it('does not dial when the answer is known by then, and gives the turn back', async () => {
    const trip = new Trip(other(await answering()));
    trip.admitted = () => {
      if (trip.asked.length > 1) throw new Refusal('pin-mismatch');
    };
    expect(await inTurn(trip)).toMatchObject({ code: 'pin-mismatch' });
    expect(trip.events).toEqual([]);
    expect(trip.free).toBe(16);
  });

  it('dials when it is still wanted, and gives the turn back once connected', async () => {
    const trip = new Trip(other(await answering()));
    expect(await inTurn(trip)).toBe('reached');
    expect(trip.events).toMatchObject([{ result: 'connected' }]);
    expect(trip.free).toBe(16);
  });
});

it('what failed is forgotten after half a minute, or when it was reached', () => {
  const lately = new FailedLately<string>();
  const names = ['a', 'b', 'c'];
  lately.failed('a', 1_000);
  lately.failed('b', 2_000);
  expect(lately.ordered(names, 30_999)).toEqual(['c', 'a', 'b']);
  expect(lately.ordered(names, 31_000)).toEqual(['a', 'c', 'b']);
  lately.reached('b');
  expect(lately.ordered(names, 2_000)).toEqual(['b', 'c', 'a']);
});

it('a client that is gone is dialled for no more', async () => {
  const trip = new Trip(other(await deaf()));
  const work = trip.go().catch((error: unknown) => error);
  await new Promise(setImmediate);
  trip.control.abort(new Failure('client'));
  expect(await work).toMatchObject({ code: 'client' });
  expect(trip.events).toEqual([]);
});
