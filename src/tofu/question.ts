// What the engine is asked and what it answers. Types only.

import type { RefusalReason } from '../errors.ts';
import type { Endpoint } from '../endpoint.ts';
import type { AnchorSet } from '../net/anchors.ts';
import type { PinStore } from '../store/pin-store.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import type { Evidence, Occasion, Peer, TrustSettings, Verdict } from '../trust/evidence.ts';
import type { Vouched } from '../trust/vouched.ts';
import type { Listener, TrustEvent } from './event.ts';

export interface Question {
  readonly endpoint: Endpoint;
  readonly settings: TrustSettings;
  readonly peer: Peer;
  readonly anchors: AnchorSet;
  /** What a look-up of its TLSA records ended with; null or absent where nobody asked. */
  readonly tlsa?: TlsaAnswer | null;
  /** What the answer is for; it is told with the verdict and decides nothing. Absent: a session. */
  readonly by?: Occasion;
}

/** What the judge said of a peer. `accept` is provisional until `settle` returned Vouched. */
export interface Judged {
  readonly question: Question;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  /** Finds the key when it was refused and is, or is about to be, on record. */
  readonly reference: string | null;
}

export type Settled =
  | { readonly accept: true; readonly vouched: Vouched }
  | { readonly accept: false; readonly reason: RefusalReason; readonly reference: string | null };

export interface TofuOptions {
  readonly store: PinStore;
  /** Secret of the store, keys the references. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** When this program was built, milliseconds since 1970: a clock before that is wrong. */
  readonly builtAt: number;
  /**
   * `asked`: the settings of a question stand also where the endpoint is configured, as for a program that sets them with
   * the call. Absent: what is configured when it is settled stands.
   */
  readonly settings?: 'asked';
  /** Hears of everything, after it is durable. Must not throw. */
  readonly on: Listener<TrustEvent>;
}
