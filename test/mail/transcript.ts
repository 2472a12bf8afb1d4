// Plays the other side of a talk from written turns: each turn is given when the talk waits, cut into chunks of
// any size, and everything the talk said is kept.

import * as fc from 'fast-check';
import type { Conversation, TalkFault, TalkLimits, Turn } from '../../src/mail/conversation.ts';
import { Talk } from '../../src/mail/talk.ts';

export type Cut = (bytes: Uint8Array) => Uint8Array[];

export const whole: Cut = (bytes) => [bytes];
export const byteByByte: Cut = (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte));

/** Cuts by a repeated list of sizes, as fast-check makes them. */
const cutBy =
  (sizes: readonly number[]): Cut =>
  (bytes) => {
    const chunks: Uint8Array[] = [];
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      chunks.push(bytes.slice(at, at + size));
      at += size;
    }
    return chunks;
  };

export const anyCut = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }).map(cutBy);

export interface Played<T> {
  /** What the talk wrote. */
  readonly said: string;
  /** Its result, its fault, or that it waits for more. */
  readonly end: { readonly result: T } | { readonly fault: TalkFault } | 'waits';
  /** Bytes of the turns that were not consumed. */
  readonly left: string;
}

export function play<T>(
  conversation: Conversation<T>,
  turns: readonly string[],
  { limits, cut }: { readonly limits: TalkLimits; readonly cut: Cut },
): Played<T> {
  const talk = new Talk(conversation, limits);
  let turn = talk.start();
  let said = latin1(turn.write);
  let left = '';
  for (const chunk of turns.flatMap((text) => cut(Buffer.from(text, 'latin1')))) {
    const wasOver = turn.state !== 'open';
    turn = talk.feed(chunk);
    said += latin1(turn.write);
    if (turn.state === 'done') left += latin1(turn.left);
    if (wasOver && turn.write.length > 0) throw new Error('the talk spoke after its end');
  }
  return { said, end: endOf(turn), left };
}

const endOf = <T>(turn: Turn<T>): Played<T>['end'] =>
  turn.state === 'open' ? 'waits' : turn.state === 'done' ? { result: turn.result } : { fault: turn.fault };

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const crlf = (...lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');
