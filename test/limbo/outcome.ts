// What an answer to a case is worth, and how answers are counted.

import { z } from 'zod';
import type { Case } from './corpus.ts';

const outcomes = ['accept', 'refuse', 'false accept', 'false refuse'] as const;
export type Outcome = (typeof outcomes)[number];

/** By case, in the order of the corpus. */
export const ratchetOf = z.record(z.string(), z.enum(outcomes));

export function outcomeOf({ valid }: Case, accept: boolean): Outcome {
  if (accept) return valid ? 'accept' : 'false accept';
  return valid ? 'false refuse' : 'refuse';
}

/** Agreements, false accepts, false refusals. */
export type Count = readonly [number, number, number];

export function count(of: readonly Outcome[]): Count {
  const having = (...some: readonly Outcome[]): number => of.filter((one) => some.includes(one)).length;
  return [having('accept', 'refuse'), having('false accept'), having('false refuse')];
}

/** As a row of a Markdown table. */
export const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
