// What a start does without is loaded after it: one at a time, only while there are descriptors, and never in the way.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { latePart } from '../../src/admin/late-part.ts';
import { loadLateParts } from '../../src/daemon/late-parts.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const timing = { afterMs: 3000, betweenMs: 100, againMs: 10_000 };

/** Parts that note that they were loaded; the second fails. */
function notedParts() {
  const loaded: string[] = [];
  const part = (name: string) => async () => {
    loaded.push(name);
    if (name === 'second') throw new Error('gone');
  };
  return { loaded, parts: ['first', 'second', 'third'].map(part) };
}

describe('parts that a start does without', () => {
  it('are loaded one after the other, some time after it, and one that fails keeps none back', async () => {
    const { loaded, parts } = notedParts();
    loadLateParts({ ...timing, parts });
    await vi.advanceTimersByTimeAsync(2999);
    expect(loaded).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(loaded).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(200);
    expect(loaded).toEqual(['first', 'second', 'third']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wait while descriptors are short', async () => {
    const { loaded, parts } = notedParts();
    let areSpare = false;
    loadLateParts({ ...timing, parts, areSpare: () => areSpare });
    await vi.advanceTimersByTimeAsync(23_000);
    expect(loaded).toEqual([]);
    areSpare = true;
    await vi.advanceTimersByTimeAsync(10_200);
    expect(loaded).toEqual(['first', 'second', 'third']);
  });

  it('are not loaded any more when the daemon ends', async () => {
    const { loaded, parts } = notedParts();
    const stop = loadLateParts({ ...timing, parts });
    await vi.advanceTimersByTimeAsync(3000);
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(loaded).toEqual(['first']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a part that is loaded when it is needed', () => {
  it('is what it is', async () => {
    expect(await latePart(Promise.resolve(7))).toBe(7);
  });

  it('is told of as no mistake, to try again, where it cannot be loaded', async () => {
    const failing = Promise.reject(Object.assign(new Error('/opt/x.js'), { code: 'EMFILE' }));
    await expect(latePart(failing)).rejects.toMatchObject({
      code: 'not-loaded',
      message: 'a part of letterlock could not be loaded (EMFILE)',
      hint: expect.stringContaining('Try again'),
    });
  });
});
