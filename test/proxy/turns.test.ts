// Turns: a bound on how much goes on at once, first come, first served.

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/proxy/turns.ts';

const patient = { deadlineMs: 10_000, signal: new AbortController().signal };

describe('turns', () => {
  it('gives as many as there are and no more', () => {
    const turns = new Turns(2);
    expect([turns.take(), turns.take(), turns.take()].map((turn) => turn !== null)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('admits the waiting in the order they came', async () => {
    const turns = new Turns(1);
    const release = turns.take();
    const admitted: number[] = [];
    const waiting = [1, 2, 3].map(async (number) => {
      const next = await turns.wait(patient);
      admitted.push(number);
      next();
    });
    release?.();
    await Promise.all(waiting);
    expect(admitted).toEqual([1, 2, 3]);
  });

  it('does not count one release twice', () => {
    const turns = new Turns(1);
    const release = turns.take();
    release?.();
    release?.();
    expect([turns.take(), turns.take()].map((turn) => turn !== null)).toEqual([true, false]);
  });

  it('ends a wait with timeout and gives the place up', async () => {
    const turns = new Turns(1);
    const release = turns.take();
    await expect(turns.wait({ ...patient, deadlineMs: 5 })).rejects.toMatchObject({ code: 'timeout' });
    release?.();
    expect(turns.take()).not.toBeNull();
  });

  it('ends a wait with the reason of the signal and leaves nothing behind', async () => {
    const turns = new Turns(1);
    const release = turns.take();
    const controller = new AbortController();
    const waiting = turns.wait({ deadlineMs: 10_000, signal: controller.signal });
    controller.abort(new RangeError('gone'));
    await expect(waiting).rejects.toThrow(RangeError);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    release?.();
    expect(turns.take()).not.toBeNull();
  });
});
