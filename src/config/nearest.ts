// "Did you mean": the nearest of a closed list of words, by edit distance. Pure.

/** The word of `words` nearest to `written`, or null when none is near enough to be what was meant. */
export function nearest(written: string, words: readonly string[]): string | null {
  const given = written.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(Math.min(given.length, 12) / 3)) + 1;
  for (const word of words) {
    const distance = editDistance(given, word.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, substitutions and swapped neighbours cost one each. */
export function editDistance(one: string, other: string): number {
  if (Math.max(one.length, other.length) > 64) return one === other ? 0 : 64;
  let before: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row++) {
    const line = [row];
    for (let column = 1; column <= other.length; column++) {
      line.push(cellDistance({ one, other, row, column, line, above, before }));
    }
    [before, above] = [above, line];
  }
  return above[other.length] ?? 0;
}

const at = (cells: readonly number[], index: number): number => cells[index] ?? Number.POSITIVE_INFINITY;

interface Cell {
  readonly one: string;
  readonly other: string;
  readonly row: number;
  readonly column: number;
  readonly line: readonly number[];
  readonly above: readonly number[];
  readonly before: readonly number[];
}

function cellDistance({ one, other, row, column, line, above, before }: Cell): number {
  const same = one[row - 1] === other[column - 1] ? 0 : 1;
  const plain = Math.min(at(line, column - 1) + 1, at(above, column) + 1, at(above, column - 1) + same);
  const swapped =
    row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
  return swapped ? Math.min(plain, at(before, column - 2) + 1) : plain;
}
