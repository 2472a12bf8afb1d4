// Waiting for the last of a connection, with an end to the patience.

import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { closedWithin } from '../../src/proxy/closing.ts';
import { socketPair } from '../net/peers.ts';

it('resolves when every socket is closed, not when one is', async () => {
  const { near, far } = await socketPair();
  let over = false;
  const waiting = closedWithin([near, far], { ms: 60_000, signal: new AbortController().signal }).then(
    () => (over = true),
  );
  near.destroy();
  await new Promise((resolve) => near.once('close', resolve));
  expect(over).toBe(false);
  far.destroy();
  await waiting;
});

it('resolves after its time when a socket stays open', async () => {
  const { near, close } = await socketPair();
  await closedWithin([near], { ms: 5, signal: new AbortController().signal });
  expect(near.destroyed).toBe(false);
  expect(near.listenerCount('close')).toBe(0);
  close();
});

it('resolves when aborted, and leaves no listener', async () => {
  const { near, close } = await socketPair();
  const control = new AbortController();
  const waiting = closedWithin([near], { ms: 60_000, signal: control.signal });
  control.abort();
  await waiting;
  expect(getEventListeners(control.signal, 'abort')).toHaveLength(0);
  close();
});
