// How a pin is sent into retirement when a newer key takes its place: it goes on for a while, so that a change
// which is rolled out over several servers stops nobody.

import type { Pin } from './record.ts';

/** How long other pins go on after an approval or a hand-over, and an exception beside the CA lasts. */
export const retirementMs = 7 * 86_400_000;

/** The pin with the earlier of its own end and the one that begins its retirement at `now`. */
export function retired(pin: Pin, now: number): Pin {
  const until = now + retirementMs;
  return pin.until !== null && pin.until <= until ? pin : { ...pin, until, retiring: true };
}
