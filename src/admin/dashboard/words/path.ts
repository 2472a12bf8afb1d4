// How the judge came to its verdict, in words: its questions in the order in which it asked them, where each answer
// comes from, and the one that settled it. It tells the path and never walks it anew. Pure.

import type { Explanation } from '../wire.ts';
import { verdicts, type Sign } from './signs.ts';

export type Decision = NonNullable<Explanation['decision']>;

export interface PathStep {
  /** A stable name of the question. */
  readonly rule: string;
  readonly asks: string;
  readonly found: string;
  /** `from the handshake`. */
  readonly source: string;
  /** Null but for the answer that settled it. */
  readonly mark: Sign | null;
}

export interface PathWords {
  readonly steps: readonly PathStep[];
  readonly outcome: Sign;
  /** `pin-mismatch`; null where it was accepted. */
  readonly reason: string | null;
  readonly why: string;
}

const sources: Readonly<Record<Decision['steps'][number]['from'], string>> = {
  handshake: 'from the handshake',
  certificate: 'from the certificate',
  record: 'from what is remembered',
  configuration: 'from the configuration',
  store: 'from the pin store',
  DNS: 'from DNS',
  elsewhere: 'seen from elsewhere',
};

const decided: Sign = {
  word: 'this decided',
  icon: 'arrow',
  tone: 'plain',
  meaning: 'The answer that settled the verdict.',
};

export const pathOf = ({ steps, verdict, basis, reason, why }: Decision): PathWords => ({
  steps: steps.map(({ rule, asks, found, from, decides }) => ({
    rule,
    asks,
    found,
    source: sources[from],
    mark: decides ? decided : null,
  })),
  outcome: verdict === 'accepted' && basis !== null ? verdicts[basis] : verdicts.refused,
  reason,
  why,
});
