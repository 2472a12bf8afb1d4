// How two processes that share a pin store write a line. What may stand in one is in words.ts, which a holder loads when
// its first guest comes.

import { encode } from '../store/codec.ts';
import type { Ask, Tell } from './words.ts';

/** Moves whenever a word, or a record, changes its meaning: two that differ must not talk. */
export const protocol = 'letterlock-store/1';

/** A line holds one commit, or a few records with their certificates. */
export const maxLineBytes = 16 * 1024 * 1024;

/** Who speaks: a line that comes back to its sender does not verify. */
export type Voice = 'guest' | 'holder';

/** A line, its end included. */
export const lineOf = (voice: Voice, value: Ask | Tell): string =>
  `${encode(voice, value).replace('\n', ' ')}\n`;
