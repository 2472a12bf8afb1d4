// The engine: mirror of all records, one judge, one minter. Everything that trusts asks here.
//
// CONTRACT (the implementation keeps these names):
//
//   Tofu.open({ store, secret, now, builtAt, on }): Promise<Tofu>
//       loads every record into the memory mirror; `on(event: TrustEvent)` gets each event.
//   tofu.judge({ endpoint, settings, peer, anchors, reference? }): Judged       synchronous, reads the mirror NOW
//   tofu.settle(judged): Promise<Settled>
//       for an accepted Judged, after proof of protocol: commits durably what the verdict creates or changes
//       (first use = compare-and-create, basis ca, promotion, config-pinned, noticed expiry), then mints.
//   tofu.isCurrent(vouched): boolean          the relay's comparison of the epoch, same tick
//   tofu.record(endpointName) / tofu.records()
//   tofu.reference(endpointName, spki): string       8 Crockford base32 characters
//   tofu.byReference(ref): { endpoint, spki } | null
//   tofu.command(Command, { origin }): Promise<CommandAnswer>    approve, reject, forget, undo, add
//   tofu.explain(target): Explanation
//   tofu.health(): StoreHealth
//   tofu.close(): Promise<void>

import type { Vouched } from './trust/vouched.ts';
import type { Endpoint } from './endpoint.ts';
import type { RefusalReason } from './errors.ts';
import type { AnchorSet } from './net/anchors.ts';
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
