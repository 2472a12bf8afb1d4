// Text that came off the wire, cut into what can be drawn and what would not show itself: controls, zero-width
// characters and marks that turn the reading direction round are written out. Nothing is left away. Pure.

import { escapeText } from '../../../trust/escape.ts';

export interface Piece {
  readonly text: string;
  /** Written out in place of a character that does not show itself. */
  readonly odd: boolean;
}

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]+/gu;

export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const found of text.matchAll(unprintable)) {
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), odd: false });
    pieces.push({ text: escapeText(found[0]), odd: true });
    from = found.index + found[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), odd: false });
  return pieces;
}
