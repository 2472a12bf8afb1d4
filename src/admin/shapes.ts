// What operators are shown, as JSON: the shapes of `--json` and of the admin API, which are one and the same.
// Field names here are public: fields may be added, none goes or changes its meaning before a major version.
// Dates are ISO 8601 in UTC. Types only; rows.ts makes the rows from records.

import type { ConfigProblem } from '../config.ts';
import type { Protocol } from '../mail/protocol.ts';
import type { ChangeOrigin, PinChangeEvent } from '../trust/change.ts';
import type { Comparison } from '../trust/comparison.ts';
import type { Corroboration } from '../trust/corroboration.ts';
import type { StoreState } from '../trust/evidence.ts';
import type { Explanation } from '../trust/explain.ts';
import type { Fault } from '../trust/fault.ts';
import type { ImportItem, ImportOrder } from '../trust/import-order.ts';
import type { Basis, EndpointRecord, Expectation, PinKind, PinOrigin } from '../trust/record.ts';

/** `damaged`: the record does not verify. `emptied`: pinned, and no pin counts any more. */
export type EndpointState = 'none' | 'ca' | 'pinned' | 'emptied' | 'conflict' | 'damaged';
export const endpointStates: readonly EndpointState[] = [
  'none',
  'ca',
  'pinned',
  'emptied',
  'conflict',
  'damaged',
];

/** The last thing seen of a key; certificate text is as the server sent it and must be escaped for a terminal. */
export interface SeenCertificate {
  readonly sha256: string;
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly seenAt: string;
  readonly caValid: boolean;
  readonly faults: readonly Fault[];
  /** What was seen of the key from elsewhere at its first use; absent where nobody looked. */
  readonly corroboration?: Corroboration;
  /** Only in `pins show`. */
  readonly pem?: string;
}

export interface PinRow {
  readonly spki: string;
  readonly kind: PinKind;
  readonly origin: PinOrigin;
  /** null for a pin from the configuration. */
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  /** The pin counts until then; null has no end. */
  readonly until: string | null;
  /** False once rejected, ended, or past `until`. */
  readonly live: boolean;
  /** The key that handed over to this one; absent where nobody did. */
  readonly parent?: string;
  readonly certificate: SeenCertificate | null;
}

export interface CandidateRow {
  /** 8 Crockford base32 characters; finds the candidate, never approves it. */
  readonly ref: string;
  readonly spki: string;
  readonly seenCount: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly caValid: boolean;
  readonly faults: readonly Fault[];
  /** Why it was refused when last seen. */
  readonly reason: string;
  readonly certificate: SeenCertificate;
}

export interface LastCaRow {
  readonly spki: string;
  readonly sha256: string;
  readonly issuer: string;
  readonly notAfter: string;
  readonly seenAt: string;
  readonly pem?: string;
}

/** A certificate (or key) that was imported by its hash and not seen yet. */
export interface ExpectedRow extends Pick<Expectation, 'of' | 'algorithm' | 'digest'> {
  readonly importedAt: string;
  readonly until: string | null;
}

/** One row of `pins list --json`; `pins show ENDPOINT --json` is one of these with PEM. */
export interface PinsRow {
  readonly endpoint: string;
  readonly state: EndpointState;
  readonly basis: Basis;
  /** Known by DANE alone; absent otherwise. */
  readonly byDane?: true;
  readonly lastCa: LastCaRow | null;
  readonly pins: readonly PinRow[];
  readonly candidates: readonly CandidateRow[];
  readonly rejected: readonly string[];
  readonly expected: readonly ExpectedRow[];
}

/** One row of `pins history --json`, oldest first. */
export interface HistoryRow {
  readonly sequence: number;
  readonly at: string;
  readonly endpoint: string;
  readonly event: PinChangeEvent;
  readonly origin: ChangeOrigin;
  readonly spki: string | null;
  readonly detail: string;
  readonly hash: string;
}

export interface RouteRow {
  readonly name: string;
  /** Every place bound, comma-separated: `127.0.0.1:1143, [::1]:1143`, `unix:/run/imap.sock`. */
  readonly listen: string;
  readonly upstream: string;
  readonly endpoint: string;
  readonly protocol: Protocol;
  readonly sessions: number;
  readonly state: string;
}

export interface StoreRow {
  readonly state: StoreState;
  readonly detail: string | null;
  readonly backend: string;
  readonly generation: number;
  readonly records: number;
}

/** `status --json`. */
export interface StatusShape {
  readonly version: string;
  readonly pid: number;
  readonly user: string;
  readonly startedAt: string;
  /** Absolute state directory. */
  readonly stateDirectory: string;
  readonly metrics: string | null;
  readonly routes: readonly RouteRow[];
  readonly store: StoreRow;
}

/** GET /v1/candidates/REF and `pins compare REF --json`. */
export interface ComparisonShape extends Comparison {
  /** How the endpoint stands, as in `pins list`. */
  readonly state: EndpointState;
}

/** `explain ... --json`: why, step by step, and what to do. */
export type ExplanationShape = Explanation;

/** The answer to a command: what was done, and which keys stay trusted until when. */
export interface AnswerShape {
  readonly endpoint: string;
  readonly lines: readonly string[];
  readonly pins: PinsRow;
}

/** What is to be imported; without `apply` the answer says what would be done. */
export interface ImportRequest {
  readonly orders: readonly ImportOrder[];
  readonly apply: boolean;
}

/** `pins import --json` has this in it: `applied` is false when anything stands in the way, and then nothing is stored. */
export interface ImportShape {
  readonly applied: boolean;
  readonly endpoints: readonly {
    readonly endpoint: string;
    /** One for each entry of its order. */
    readonly items: readonly ImportItem[];
    /** Which keys are trusted afterwards; empty where nothing changes. */
    readonly lines: readonly string[];
  }[];
}

/** What a backup holds. Records that do not verify are named and left out, but for their rejections. */
export interface BackupShape {
  readonly records: readonly EndpointRecord[];
  readonly damaged: readonly string[];
}

/** `reload --json`; with problems the old configuration stays in force. */
export interface ReloadShape {
  readonly reloaded: boolean;
  readonly problems: readonly ConfigProblem[];
}

/** `pins verify --json`: the store's own state and the hash chain of the audit log. */
export interface VerifyShape {
  readonly ok: boolean;
  readonly store: StoreRow;
  readonly auditEntries: number;
  readonly problems: readonly string[];
}

/** How every error crosses the socket, and what `--json` prints on stderr. */
export interface ErrorShape {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly exit?: string;
  };
}
