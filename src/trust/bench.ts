// What the judge has before it: the evidence, where the key stands by it, and the path it takes. policy.ts,
// first-use.ts and dane-verdict.ts go by it; whoever rules notes by which question.

import type { RefusalReason } from '../errors.ts';
import type { Path } from './deliberation.ts';
import type { AcceptBasis, Column, Evidence, Verdict } from './evidence.ts';
import type { Standing } from './standing.ts';

export interface Bench extends Standing {
  readonly evidence: Evidence;
  readonly path: Path;
  readonly caValid: boolean;
}

/** The column of the verdict table. */
export const columnOf = ({ path, column }: Bench): Column =>
  path.note('known', column, () => columnWords[column]);

const columnWords: Readonly<Record<Column, string>> = {
  none: 'nothing, it was never accepted here',
  ca: 'that a CA vouched for it, so it never falls back to an unverified first use',
  live: 'its pins, and this key is one of them',
  unknown: 'its pins, and this key is none of them',
  emptied: 'that it is pinned, and no pin counts any more',
};

/** Asks whether a CA vouches for it, and says why not. */
export const askCa = (bench: Bench): boolean =>
  bench.path.ask('ca-valid', bench.caValid, () =>
    bench.evidence.profile === 'legacy'
      ? 'the handshake was one of a legacy server'
      : (bench.evidence.examined?.faults ?? []).join(', '),
  );

type Ruling = Pick<Bench, 'path' | 'column'>;

export const accept = ({ path, column }: Ruling, basis: AcceptBasis, why: string): Verdict =>
  path.ruled({ accept: true, basis, column, why });

export const refuse = ({ path, column }: Ruling, reason: RefusalReason, why: string): Verdict =>
  path.ruled({ accept: false, reason, column, why });

export const refuseLegacy = (bench: Bench): Verdict =>
  refuse(
    bench,
    'legacy-unpinned',
    'The handshake was one of a legacy server, over which only a pin vouches for a key, and this key is not pinned.',
  );
