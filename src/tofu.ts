// The engine: mirror of all records, one judge, one minter. Everything that trusts asks here. Nothing is
// accepted that was not judged against the mirror in the same tick, and nothing that a verdict creates or
// changes is acted upon before it is durable.

import type { Vouched } from './trust/vouched.ts';
import type { Endpoint } from './endpoint.ts';
import type { RefusalReason } from './errors.ts';
import type { AnchorSet } from './net/anchors.ts';
import type { PinStore, StoreHealth, StoredRecord } from './store/pin-store.ts';
import type { Listener, TrustEvent } from './tofu/event.ts';
import type { ChangeOrigin } from './trust/change.ts';
import type { Command, CommandAnswer } from './trust/command.ts';
import type { Explanation } from './trust/explain.ts';
import type { EndpointRecord } from './trust/record.ts';
import type { Evidence, Peer, TrustSettings, Verdict } from './trust/evidence.ts';

export interface Question {
  readonly endpoint: Endpoint;
  readonly settings: TrustSettings;
  readonly peer: Peer;
  readonly anchors: AnchorSet;
}

/** What the judge said of a peer. `accept` is provisional until `settle` returned Vouched. */
export interface Judged {
  readonly question: Question;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  /** Reference of the candidate when refused and there is one. */
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
  readonly on: Listener<TrustEvent>;
}

/**
 * Open one for each store; it owns neither the store nor its closing. `judge` is synchronous and reads the
 * mirror at the call; `settle`, `command` and `sweep` are serialised for each endpoint.
 */
export declare class Tofu {
  private constructor();
  /** Loads every record. @throws StoreError when the store cannot be read */
  static open(options: TofuOptions): Promise<Tofu>;
  /** The settings of configured endpoints by name: what commands and `explain` evaluate. Replaces the former. */
  configure(settings: ReadonlyMap<string, TrustSettings>): void;
  judge(question: Question): Judged;
  /**
   * For an accepted Judged, after proof of protocol: judges the same evidence once more, commits durably what
   * the verdict creates or changes, then mints. Never rejects; a store error is a refusal. For a refused
   * Judged it waits until the candidate is recorded.
   */
  settle(judged: Judged): Promise<Settled>;
  /** The relay's comparison of the epoch, in the tick in which it writes. */
  isCurrent(vouched: Vouched): boolean;
  record(endpoint: string): EndpointRecord | null;
  /** Every record in the mirror, with whether it verified; null records are tombstones. */
  records(): readonly StoredRecord[];
  /** 8 Crockford base32 characters; finds a key, never approves it. */
  reference(endpoint: string, spki: string): string;
  byReference(reference: string): { readonly endpoint: string; readonly spki: string } | null;
  /** Durable when it resolves. @throws CommandError */
  command(command: Command, context: { readonly origin: ChangeOrigin }): Promise<CommandAnswer>;
  /** Of a code, a reference or a canonical endpoint name. @throws CommandError `not-found` */
  explain(target: string): Explanation;
  /** Notices pins whose end has passed and writes down sightings; call it about once a minute. */
  sweep(): Promise<void>;
  health(): StoreHealth;
  /** Waits for what is being written. The store stays open: who opened it closes it. */
  close(): Promise<void>;
}
