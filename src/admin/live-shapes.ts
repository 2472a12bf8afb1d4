// What a running daemon tells of the moment: its sessions, how its endpoints stand, probes, and what happens.
// Types only; the same promises as in shapes.ts hold. Dates are ISO 8601 in UTC. Text from certificates is as the
// server sent it, only bounded, and must be escaped for a terminal.

import type { Protocol } from '../mail/protocol.ts';
import type { LogEntry } from '../ops/log-entry.ts';
import type { FailureReason, RefusalReason } from '../errors.ts';
import type { AcceptBasis, FirstUse, Occasion, Policy } from '../trust/evidence.ts';
import type { Fault } from '../trust/fault.ts';
import type { EndpointState } from './shapes.ts';

/** Before the relay, in it, or on the way out. */
export const sessionStages = ['asking', 'relaying', 'ending'] as const;

/** One row of GET /v1/sessions: a client that is connected now, oldest first. */
export interface SessionRow {
  /** The connection id of log, events and refusals. */
  readonly id: string;
  readonly route: string;
  readonly protocol: Protocol;
  /** `127.0.0.1:50312`; null over a socket file: the system does not tell who is at its other end. */
  readonly client: string | null;
  /** `TLSv1.3`; null in clear. */
  readonly clientTls: string | null;
  /** The server being asked, or relayed. */
  readonly endpoint: string;
  /** `192.0.2.1:993`; null before one was reached, and where a proxy on the way hides it. */
  readonly server: string | null;
  readonly stage: (typeof sessionStages)[number];
  readonly basis: AcceptBasis | null;
  readonly spki: string | null;
  readonly startedAt: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** What of a presented certificate is shown beside a verdict. */
export interface LeafShape {
  readonly subject: string;
  readonly issuer: string;
  /** The first 16. */
  readonly names: readonly string[];
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  readonly sha256: string;
}

export interface LastVerdict {
  readonly at: string;
  readonly verdict: AcceptBasis | 'refused';
  readonly reason: RefusalReason | null;
  readonly by: Occasion;
  readonly spki: string | null;
  readonly faults: readonly Fault[];
  /** null where none was shown, or none could be read. */
  readonly certificate: LeafShape | null;
  /** Earliest end in the verified path; null when none verified. */
  readonly chainNotAfter: string | null;
}

export const probeResults = ['accepted', 'refused', 'failed'] as const;
export type ProbeResult = (typeof probeResults)[number];

export interface LastProbe {
  readonly at: string;
  readonly result: ProbeResult;
  readonly reason: RefusalReason | FailureReason | null;
  readonly seconds: number;
}

/** One row of GET /v1/endpoints: every configured endpoint and every one with a record, by name. */
export interface EndpointRow {
  readonly endpoint: string;
  readonly configured: boolean;
  /** Names of the routes that lead to it. */
  readonly routes: readonly string[];
  /** null for one that is not configured. */
  readonly policy: Policy | null;
  readonly firstUse: FirstUse | null;
  readonly state: EndpointState;
  readonly candidates: number;
  /** It was refused when last asked, and nothing changed about its trust since. */
  readonly refusing: boolean;
  /** Since the daemon started; null where it was not asked yet. */
  readonly lastVerdict: LastVerdict | null;
  readonly lastProbe: LastProbe | null;
  readonly nextProbe: string | null;
}

/** What a probe found. It accepts nothing: no pin, no first use. */
export interface ProbeShape {
  readonly endpoint: string;
  readonly at: string;
  readonly seconds: number;
  readonly result: ProbeResult;
  /** null where no server was reached. */
  readonly verdict: AcceptBasis | 'refused' | null;
  readonly reason: RefusalReason | FailureReason | null;
  readonly spki: string | null;
  readonly faults: readonly Fault[];
  /** Of the candidate it left. */
  readonly ref: string | null;
  readonly certificate: LeafShape | null;
}

/** One thing that happened: what the log says of it. */
export interface FeedEntry extends LogEntry {
  /** Rises by one with each entry, also over restarts. */
  readonly id: number;
  readonly at: string;
}

/** Told before the first entry. */
export interface FeedHello {
  /** Of the latest entry there is; entries after it are to come. */
  readonly id: number;
  /** Entries after the one asked for are not kept any more: what is shown has a gap. */
  readonly dropped: boolean;
}

export interface FollowOptions {
  /** The last entry known; null: what happens from now on. 0: everything that is kept. */
  readonly after: number | null;
  /** Ends the iteration, without an error. */
  readonly signal: AbortSignal;
  /** Called once, before the first entry. */
  readonly hello?: (hello: FeedHello) => void;
}
