// What reading a configuration comes to, in pieces that pass from one thread to another: to take over thousands of routes
// at once would hold the loop of whoever takes them. Plain data; what was said first comes first.

import type { Config, ConfigProblem } from '../config.ts';

/** A whole configuration, or every problem there is. */
export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Which build of letterlock somebody is. */
export interface Program {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly builtAt: number;
}

export type Piece =
  | { readonly kind: 'routes'; readonly routes: Config['routes'] }
  | { readonly kind: 'problems'; readonly problems: readonly ConfigProblem[] }
  /** The last one. `config` is without its routes, null where there are problems. */
  | { readonly kind: 'end'; readonly config: Config | null; readonly by: Program };

/** Some milliseconds for whoever takes it. */
const pieceLength = 64;

export function* piecesOf(read: ReadConfig, by: Program): Generator<Piece> {
  if (read.ok) for (const routes of slices(read.config.routes)) yield { kind: 'routes', routes };
  else
    for (const problems of slices(read.problems))
      // A line that is quoted is masked when it is asked for.
      yield { kind: 'problems', problems: problems.map((problem) => ({ ...problem })) };
  yield { kind: 'end', config: read.ok ? { ...read.config, routes: [] } : null, by };
}

function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += pieceLength) yield all.slice(at, at + pieceLength);
}

/** Puts the pieces of one configuration together. */
export class Assembly {
  readonly #program: Program;
  readonly #routes: Config['routes'][number][] = [];
  readonly #problems: ConfigProblem[] = [];

  constructor(program: Program) {
    this.#program = program;
  }

  /** The whole of it, once the last piece was put in, null before; `foreign` from another program. */
  put(piece: Piece): ReadConfig | 'foreign' | null {
    switch (piece.kind) {
      case 'routes':
        this.#routes.push(...piece.routes);
        return null;
      case 'problems':
        this.#problems.push(...piece.problems);
        return null;
      case 'end':
        if (!isSame(piece.by, this.#program)) return 'foreign';
        return piece.config === null
          ? { ok: false, problems: this.#problems }
          : { ok: true, config: { ...piece.config, routes: this.#routes } };
    }
  }
}

const isSame = (one: Program, other: Program): boolean =>
  one.version === other.version && one.builtAt === other.builtAt;
