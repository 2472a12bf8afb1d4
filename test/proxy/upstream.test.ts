// A dial that waited for its turn asks once more whether it is still wanted.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { Refusal } from '../../src/errors.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import { Turns } from '../../src/proxy/turns.ts';
import { reach } from '../../src/proxy/upstream.ts';
import { selfSigned } from '../net/peers.ts';
import { FakeServer, routeTo } from './world.ts';

let server: FakeServer;
let anchors: AnchorSet;
beforeAll(async () => {
  server = await new FakeServer(await selfSigned(), []).listen();
  anchors = await loadAnchors([]);
});
afterAll(() => server.close());

const admitted = (): void => undefined;

/** Reaches the server once the only turn is given back; `asked` is what is asked then. */
async function reachInTurn(
  asked: () => void,
): Promise<{ events: readonly ProxyEvent[]; outcome: unknown; free: boolean }> {
  const dials = new Turns(1);
  const release = dials.take();
  const events: ProxyEvent[] = [];
  const { signal } = new AbortController();
  const route = routeTo(server, {});
  const options = {
    target: route,
    anchors,
    dials,
    admitted: asked,
    signal,
    on: (event: ProxyEvent) => void events.push(event),
  };
  const reached = reach(route, options).then(
    (socket) => socket.destroy(),
    (error: unknown) => error,
  );
  release?.();
  const outcome = await reached;
  return { events, outcome, free: dials.take() !== null };
}

it('does not dial when the answer is known by then, and gives the turn back', async () => {
  const { events, outcome, free } = await reachInTurn(() => {
    throw new Refusal('pin-mismatch');
  });
  expect(outcome).toMatchObject({ code: 'pin-mismatch' });
  expect(events).toEqual([]);
  expect(free).toBe(true);
});

it('dials when it is still wanted, and gives the turn back once connected', async () => {
  const { events, free } = await reachInTurn(admitted);
  expect(events).toMatchObject([{ type: 'dialled', result: 'connected' }]);
  expect(free).toBe(true);
});

it('gives the turn back when nobody answers', async () => {
  const gone = await new FakeServer(await selfSigned(), []).listen();
  const route = routeTo(gone, {});
  gone.close();
  const dials = new Turns(1);
  const { signal } = new AbortController();
  await expect(
    reach(route, { target: route, anchors, dials, admitted, signal, on: () => undefined }),
  ).rejects.toMatchObject({ code: 'dial' });
  expect(dials.take()).not.toBeNull();
});
