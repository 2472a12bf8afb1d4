import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { Deadline } from '../../src/net/deadline.ts';
import { socketPair } from './peers.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** The whole process stands still, as under SIGSTOP. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('a deadline', () => {
  it('does not pass for what had arrived while the process stood still', async () => {
    const { near, far, close } = await socketPair();
    closers.push(close);
    const seen: string[] = [];
    const deadline = new Deadline(() => seen.push('passed')).start(20);
    far.on('data', () => {
      seen.push('data');
      deadline.stop();
    });
    far.resume();
    near.write('x');
    await new Promise((resolve) => setImmediate(resolve));
    // Whether or not the byte was read already: this one was not.
    near.write('y');
    standStill(50);
    await once(far, 'data');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(seen).not.toContain('passed');
    expect(deadline.running).toBe(false);
  });

  it('passes once, and counts anew when it is extended at the last moment', async () => {
    let passed = 0;
    const deadline = new Deadline(() => (passed += 1)).start(5);
    // Runs after the timer and before the immediate that it leaves.
    setTimeout(() => deadline.extend(), 5);
    standStill(10);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
    expect(passed).toBe(0);
    await expect.poll(() => passed).toBe(1);
    deadline.extend();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(passed).toBe(1);
  });

  it('does not pass when stopped, and is not brought back by an extension', async () => {
    let passed = 0;
    const deadline = new Deadline(() => (passed += 1)).start(5);
    deadline.stop();
    deadline.extend();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(passed).toBe(0);
  });
});
