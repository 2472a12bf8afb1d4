import type { Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { Flow } from '../../src/net/flow.ts';
import { ReadBuffers } from '../../src/net/read-buffers.ts';
import { socketPair } from './peers.ts';

const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** A destination that takes what it is given after `delayMs`, one write after another. */
class Taker {
  delayMs = 0;
  taken = 0;

  constructor(socket: Socket) {
    const write = (chunk: Uint8Array, _: unknown, done: () => void): void => {
      setTimeout(() => {
        this.taken += chunk.length;
        done();
      }, this.delayMs);
    };
    Reflect.set(socket, '_writev', null);
    Reflect.set(socket, '_write', write);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it.each([
  ['as a stream', null],
  ['into buffers', new ReadBuffers()],
])('does not take a destination that became slow for one that takes nothing, read %s', async (_, buffers) => {
  const [{ near, far: source }, { near: destination, far: end }] = [await socketPair(), await socketPair()];
  opened.push(near, source, destination, end);
  const taker = new Taker(destination);
  const stuck = vi.fn();
  const flow: Flow = new Flow({
    source,
    destination,
    drainMs: 600,
    buffers: () => buffers,
    mayBeLeft: false,
    take: (chunk) => flow.write(chunk),
    plain: () => true,
    carried: () => undefined,
    ended: () => undefined,
    stuck,
    took: () => undefined,
  });
  flow.start();
  near.write(Buffer.alloc(300_000));
  await expect.poll(() => taker.taken).toBe(300_000);
  // Several writes wait: each is taken in time, all together are not.
  taker.delayMs = 350;
  for (let written = 0; written < 3; written += 1) {
    near.write(Buffer.alloc(50_000));
    await pause(20);
  }
  await expect.poll(() => taker.taken + stuck.mock.calls.length * 150_000).toBeGreaterThanOrEqual(450_000);
  expect(stuck).not.toHaveBeenCalled();
  flow.stop();
});
