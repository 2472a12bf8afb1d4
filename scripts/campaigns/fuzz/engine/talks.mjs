// Plays the other side of a talk (src/mail/talk.ts) in pieces of any size, and keeps what came of it.

import { demand, demandSame } from './broken.mjs';
import { cutByChance, randomFrom, seedFor } from './random.mjs';

export const latin1 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

export function play(talk, pieces, { wiped = false } = {}) {
  let turn = talk.start();
  let said = latin1(turn.write);
  let left = '';
  let fed = 0;
  for (const piece of pieces) {
    const wasOver = turn.state !== 'open';
    const chunk = new Uint8Array(piece);
    turn = talk.feed(chunk);
    fed += piece.length;
    said += latin1(turn.write);
    if (turn.state === 'done') left += latin1(turn.left);
    demand(!wasOver || turn.write.length === 0, 'a talk says nothing after its end');
    demand(!wiped || chunk.every((byte) => byte === 0), 'a piece that may hold a secret is overwritten');
  }
  const end =
    turn.state === 'open' ? 'open' : turn.state === 'done' ? { result: turn.result } : { fault: turn.fault };
  return { said, end, left, fed };
}

/** The same bytes whole, one by one and cut by chance (the bytes themselves say how): what came of all must be the same. */
export function playedAnyHow(bytes, play_) {
  const whole = play_([bytes]);
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const cuts = cutByChance(bytes, randomFrom(seedFor(latin1(bytes.subarray(-16)), bytes.length)));
  demandSame(whole, play_(cuts), 'the same bytes in other pieces come to the same');
  if (bytes.length <= 512) demandSame(whole, play_(single), 'the same bytes one by one come to the same');
  return whole;
}
