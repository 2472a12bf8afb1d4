// What `explain` answers, whatever it was asked: the same fields for people, the page and scripts. Types only. Fields may
// be added, none goes or changes its meaning before a major version.

import type { Permanence, RefusalReason } from '../errors.ts';
import type { DecisionStep } from './deliberation.ts';
import type { AcceptBasis } from './evidence.ts';

/** An explanation for people. `summary` is one sentence. */
export interface Explanation {
  readonly target: string;
  readonly kind: 'code' | 'reference' | 'endpoint' | 'session';
  readonly endpoint: string | null;
  readonly spki: string | null;
  readonly summary: string;
  readonly steps: readonly string[];
  readonly advice: readonly string[];
  /** How the judge decides about a key, question by question; null where no key was ever seen, and for codes. */
  readonly decision: Decision | null;
  /** Of a code alone. */
  readonly code: CodeMeaning | null;
}

/** The verdict on one key by what is remembered and configured now, with the path to it. */
export interface Decision {
  readonly spki: string;
  readonly verdict: 'accepted' | 'refused';
  readonly basis: AcceptBasis | null;
  readonly reason: RefusalReason | null;
  readonly why: string;
  /** In the order in which the judge asks; the one that decides is marked. */
  readonly steps: readonly DecisionStep[];
}

export interface CodeMeaning {
  readonly code: string;
  /** `client`: the client was closed unheard. `program`: a mistake of one that uses the library. `fault`: of a certificate. */
  readonly kind: 'refusal' | 'failure' | 'client' | 'program' | 'fault';
  /** Null where nothing is said to a client. */
  readonly permanence: Permanence | null;
  /** What clients of each protocol get; empty where they get nothing. */
  readonly clients: readonly { readonly protocol: string; readonly gets: string }[];
}
