// Lays file, environment and flags over one another and remembers, for every value, which of them won and
// where it was written. Order: file < environment < flags; defaults come last, where nothing was written.

import type { ConfigProblem } from '../config.ts';
import type { SourceDocument } from './document.ts';
import type { Places } from './issues.ts';
import { listOf, mappingOf, valueAt } from './plain.ts';
import type { Mapping } from './plain.ts';
import { nowhere, placeName } from './problem.ts';
import type { Path, Place } from './problem.ts';
import type { GivenSetting } from './settings.ts';

/** Routes from the command line, in the form of the file. */
export interface GivenRoute {
  readonly listen: string | null;
  readonly upstream: string;
  readonly proxy?: string;
}

export interface Layers extends Places {
  /** What was written, before defaults. */
  readonly value: Mapping;
  /** `letterlock.yaml:3:5`, `LETTERLOCK_TRUST`, `--trust`, or null where a default holds. */
  originOf(path: Path): string | null;
  readonly problems: readonly ConfigProblem[];
}

export function layered(
  document: SourceDocument | null,
  given: readonly GivenSetting[],
  routes: readonly GivenRoute[],
): Layers {
  const fileValue = mappingOf(document?.value);
  const fileRoutes = listOf(fileValue['routes']).length;
  const value = withRoutes(
    given.reduce((all, setting) => withValue(all, setting.path, setting.value), fileValue),
    routes,
  );
  const outside = (path: Path): Place | null => {
    if (isGivenRoute(path, fileRoutes)) return nowhere('command line');
    const setting = winner(given, path);
    return setting === null
      ? null
      : { ...nowhere(setting.source), source: `${setting.source} (${setting.origin})` };
  };
  const nobody = nowhere('command line');
  return {
    value,
    problems: document?.problems ?? [],
    locate: (path) => outside(path) ?? document?.locate(path) ?? nobody,
    locateKey: (path) => outside(path) ?? document?.locateKey(path) ?? nobody,
    originOf: (path) => {
      if (isGivenRoute(path, fileRoutes)) return 'command line';
      const setting = winner(given, path);
      if (setting !== null) return setting.origin;
      return document !== null && valueAt(fileValue, path) !== undefined
        ? placeName(document.locate(path))
        : null;
    },
  };
}

const isGivenRoute = (path: Path, fileRoutes: number): boolean =>
  path[0] === 'routes' && typeof path[1] === 'number' && path[1] >= fileRoutes;

/** The last setting that gives this path, a part of it, or what it is part of. */
const winner = (given: readonly GivenSetting[], path: Path): GivenSetting | null =>
  given.findLast((setting) => setting.path.every((step, index) => path[index] === step)) ?? null;

function withValue(value: unknown, path: Path, given: unknown): Mapping {
  const [step, ...rest] = path;
  const whole = mappingOf(value);
  if (step === undefined) return whole;
  return { ...whole, [step]: rest.length === 0 ? given : withValue(whole[step], rest, given) };
}

function withRoutes(value: Mapping, routes: readonly GivenRoute[]): Mapping {
  if (routes.length === 0) return value;
  const more = routes.map(({ listen, upstream, proxy }) => ({
    upstream,
    ...(listen === null ? {} : { listen }),
    ...(proxy === undefined ? {} : { proxy }),
  }));
  return { ...value, routes: [...listOf(value['routes']), ...more] };
}
