// Aligns rows in columns for people. Widths count what will be printed, so cells are escaped before measuring.

import { escapeText } from '../src/trust/escape.ts';

/** Lines of equal columns, two spaces apart; the last column is not padded. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const safe = rows.map((row) => row.map((cell) => escapeText(cell)));
  const widths = safe.reduce<readonly number[]>(
    (all, row) => row.map((cell, column) => Math.max(all[column] ?? 0, cell.length)),
    [],
  );
  return safe.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** `name  value` lines under a common indent. */
export const facts = (rows: readonly (readonly [string, string])[], indent = '  '): readonly string[] =>
  aligned(rows).map((line) => `${indent}${line}`);

/** `1 key`, `2 keys`. */
export const counted = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? '' : 's'}`;
