// One row of the configuration in force, for `config show`.

import type { Path } from './problem.ts';

/** A value that is no list. */
export type Scalar = string | number | boolean | null;
export type RowValue = Scalar | readonly (Scalar | Readonly<Record<string, string>>)[];

export interface OriginRow {
  /** `routes[0].trust` */
  readonly path: Path;
  readonly value: RowValue;
  /** `letterlock.yaml:3:5`, `LETTERLOCK_TRUST`, `--trust`, `command line`, `provider` or `default`. */
  readonly origin: string;
  /** In which server of the route it is another, so that no route could be given it; null mostly. */
  readonly remark: string | null;
}
