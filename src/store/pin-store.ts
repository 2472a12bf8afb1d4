// The contract every pin store keeps (memory, LevelDB, later daemon and etcd); test/store/contract.ts is
// its suite. A store remembers and reports; it never judges. Removals are tombstones: an entry that is
// missing altogether is damage, never "unknown".

import type { AuditEntry } from '../trust/change.ts';
import type { StoreState } from '../trust/evidence.ts';
import type { EndpointRecord } from '../trust/record.ts';

export type { AuditEntry, PinChangeEvent } from '../trust/change.ts';

/** An audit entry as stored: numbered, and chained to the one before by SHA-256. */
export interface StoredAuditEntry extends AuditEntry {
  readonly sequence: number;
  readonly hash: string;
}

/** A record with the store's revision of it. A tombstone has `record: null`. */
export interface StoredRecord {
  readonly endpoint: string;
  /** Revision for compare-and-swap; 0 means "never written". Moves with every write of this endpoint. */
  readonly revision: number;
  readonly record: EndpointRecord | null;
  /** The record's own checksum held. */
  readonly verified: boolean;
  /** The record's, where the store knows it without having read the record: it does that when somebody asks for it. */
  readonly epoch?: number;
}

export interface Change {
  readonly endpoint: string;
  /** The revision this change was made from; 0 for "must not exist yet". */
  readonly expected: number;
  /** null writes a tombstone. */
  readonly record: EndpointRecord | null;
  readonly audit: readonly AuditEntry[];
}

export type Committed = { readonly committed: true; readonly revisions: ReadonlyMap<string, number> };
/** Nothing of the commit was written; `current` holds the records that moved on. */
export type Conflict = { readonly committed: false; readonly current: readonly StoredRecord[] };

export interface StoreHealth {
  readonly state: StoreState;
  /** What is wrong, for people; null when good. */
  readonly detail: string | null;
  /** `daemon`: another process keeps it. */
  readonly backend: 'memory' | 'level' | 'daemon';
  readonly generation: number;
  readonly records: number;
}

/** Rejections and end dates the seal carries in full; judged together with the store, the stricter wins. */
export interface SealedKeys {
  readonly rejected: ReadonlySet<string>;
  readonly until: ReadonlyMap<string, number>;
}

/** Small liveness data: kept outside digest and audit, flushed at most hourly, may be lost in a crash. */
export interface Touch {
  readonly endpoint: string;
  readonly spki: string;
  readonly lastSeen: number;
  readonly seenCount: number;
}

export interface PinStore {
  /** Every record, tombstones included, with whether its checksum held. */
  load(): AsyncIterable<StoredRecord>;
  /** All or nothing, durable before it resolves. Rejects with StoreError when it could not be made durable. */
  commit(changes: readonly Change[]): Promise<Committed | Conflict>;
  /** Changes made after `generation`, as they come, until `signal` aborts; a store with one writer yields its own. */
  changes(generation: number, signal: AbortSignal): AsyncIterable<StoredRecord>;
  /** Audit entries, oldest first; all endpoints when none is named. */
  history(endpoint: string | null): AsyncIterable<StoredAuditEntry>;
  touch(touches: readonly Touch[]): Promise<void>;
  sealed(endpoint: string): SealedKeys;
  /**
   * Endpoints whose first use waits for the operator whatever the settings say, because the store had to be
   * repaired or started over without a sure record of them. `forget` lifts the hold.
   */
  held(): ReadonlySet<string>;
  health(): StoreHealth;
  close(): Promise<void>;
}
