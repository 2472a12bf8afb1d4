// An answer as JSON in pieces: the lists in it may have a hundred thousand rows, and to make the text of all of them at once
// would hold the event loop for seconds. What the pieces come to is what JSON.stringify gives.

import { Pace } from '../pace.ts';

/** About as much as a socket takes at once. */
const pieceLength = 65_536;

/** A list, or the lists that are fields of `body`, row by row; all else in one go. Rests where it has worked for long. */
export async function* jsonPieces(body: unknown): AsyncGenerator<string> {
  const pace = new Pace();
  let piece = '';
  for (const part of partsOf(body)) {
    piece += part;
    if (piece.length >= pieceLength) {
      yield piece;
      piece = '';
    }
    if (pace.isDue) await pace.rest();
  }
  yield piece;
}

function* partsOf(body: unknown): Generator<string> {
  if (Array.isArray(body)) return yield* listParts(body);
  if (!isPlain(body)) return yield JSON.stringify(body);
  let joint = '{';
  for (const [key, value] of Object.entries(body)) {
    if (value === undefined) continue;
    yield `${joint}${JSON.stringify(key)}:`;
    joint = ',';
    if (Array.isArray(value)) yield* listParts(value);
    else yield JSON.stringify(value);
  }
  yield joint === '{' ? '{}' : '}';
}

function* listParts(list: readonly unknown[]): Generator<string> {
  let joint = '[';
  for (const row of list) {
    yield joint + JSON.stringify(row ?? null);
    joint = ',';
  }
  yield joint === '[' ? '[]' : ']';
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
