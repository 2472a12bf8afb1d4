// Plain data as YAML and JSON give it: mappings, lists, scalars, and paths into them. Own keys only.

import type { Path } from './problem.ts';

export type Mapping = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value as a mapping; anything else counts as an empty one, and the schema complains about it. */
export const mappingOf = (value: unknown): Mapping => (isMapping(value) ? value : {});

/** The value as a list; anything else counts as an empty one. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (typeof step === 'number') here = listOf(here)[step];
    else if (isMapping(here) && Object.hasOwn(here, step)) here = here[step];
    else return undefined;
  }
  return here;
}
