import { existsSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { reset } from '../../src/net/reset.ts';
import { drink, socketPair } from './peers.ts';

const pairs: { readonly close: () => void }[] = [];
afterEach(() => {
  for (const { close } of pairs.splice(0)) close();
});

async function pair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const made = await socketPair();
  pairs.push(made);
  for (const socket of [made.near, made.far]) socket.on('error', () => undefined);
  return made;
}

/** What the descriptor of a socket is, as the kernel names it; null once it is closed. */
function kernelName(descriptor: number): string | null {
  const path = `/proc/self/fd/${descriptor}`;
  return existsSync(path) ? readlinkSync(path) : null;
}

const descriptorOf = (socket: Socket): number => Number(Reflect.get(Reflect.get(socket, '_handle'), 'fd'));

it('is seen as a break by the other side', async () => {
  const { near, far } = await pair();
  const seen = drink(far);
  reset(near);
  expect(await seen).toMatchObject({ ended: false, error: 'ECONNRESET' });
});

it.skipIf(process.platform !== 'linux')(
  'gives the descriptor back also while an end is on its way',
  async () => {
    const { near } = await pair();
    const descriptor = descriptorOf(near);
    const name = kernelName(descriptor);
    expect(name).toMatch(/^socket:/);
    const closed = once(near, 'close');
    near.end();
    reset(near);
    await closed;
    expect(kernelName(descriptor)).not.toBe(name);
  },
);
