// The refusal hold: how long a route answers from memory, and what makes it ask the server again.

import { describe, expect, it } from 'vitest';
import { RefusalHold, type RememberedRefusal } from '../../src/proxy/hold.ts';

const refusal: RememberedRefusal = {
  reason: 'pin-mismatch',
  reference: '7F3AK2QM',
  spki: 'sha256//k',
};
const era = '3/good';

/** Refuses at each of the times, as a session that dialled would. */
function refusedAt(...times: readonly number[]): RefusalHold {
  const hold = new RefusalHold();
  for (const now of times) hold.refused(refusal, { now, era });
  return hold;
}

/** The first whole second after `from` at which the route dials again. */
function dialsAgainAfter(hold: RefusalHold, from: number): number {
  for (let now = from; ; now += 1_000) if (hold.answer({ now, era }) === null) return (now - from) / 1_000;
}

describe('refusal hold', () => {
  it('answers nothing before the first refusal', () => {
    expect(new RefusalHold().answer({ now: 0, era })).toBeNull();
  });

  it('answers with the refusal for two seconds, then lets the next connection dial', () => {
    const hold = refusedAt(0);
    expect(hold.answer({ now: 1_999, era })).toEqual(refusal);
    expect(hold.answer({ now: 2_000, era })).toBeNull();
  });

  it('doubles to sixty seconds while refused connections keep coming', () => {
    const hold = new RefusalHold();
    const lengths: number[] = [];
    let now = 0;
    for (let round = 0; round < 7; round += 1) {
      hold.refused(refusal, { now, era });
      const seconds = dialsAgainAfter(hold, now);
      lengths.push(seconds);
      now += seconds * 1_000;
    }
    expect(lengths).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });

  it('starts at two seconds again when no refused connection came for a minute', () => {
    const hold = refusedAt(0, 2_000, 6_000);
    hold.refused(refusal, { now: 70_000, era });
    expect(dialsAgainAfter(hold, 70_000)).toBe(2);
  });

  it('counts connections answered from memory as refused ones that keep coming', () => {
    const hold = refusedAt(0, 2_000, 6_000, 14_000, 30_000);
    expect(hold.answer({ now: 61_000, era })).toEqual(refusal);
    hold.refused(refusal, { now: 100_000, era });
    expect(dialsAgainAfter(hold, 100_000)).toBe(60);
  });

  it('takes refusals of sessions that dialled together as one', () => {
    const hold = refusedAt(0, 1, 2, 3);
    expect(hold.answer({ now: 1_999, era })).toEqual(refusal);
    expect(hold.answer({ now: 2_000, era })).toBeNull();
  });

  it('is no answer once the trust epoch of the endpoint moved', () => {
    const hold = refusedAt(0);
    expect(hold.answer({ now: 500, era: '4/good' })).toBeNull();
    expect(hold.answer({ now: 500, era })).toBeNull();
  });

  it('is cleared by an accepted session', () => {
    const hold = refusedAt(0);
    hold.clear();
    expect(hold.answer({ now: 1, era })).toBeNull();
  });

  it('does not last longer because the clock was set back', () => {
    const hold = refusedAt(1_000_000);
    expect(hold.answer({ now: 999_000, era })).toBeNull();
  });
});
