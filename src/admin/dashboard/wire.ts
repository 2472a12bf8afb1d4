// What the admin API answers, as far as the page reads it. Types only.

import type { PinsRow } from '../shapes.ts';
import type { CertificateDescription } from '../../trust/certificate.ts';
import type { Corroboration } from '../../trust/corroboration.ts';

export type { AnswerShape, CandidateRow, HistoryRow, PinRow, PinsRow, ReloadShape } from '../shapes.ts';
export type { RouteRow, SeenCertificate, StatusShape, VerifyShape } from '../shapes.ts';
export type { Explanation } from '../../trust/explain.ts';

export interface SessionRow {
  readonly id: number;
  readonly route: string;
  readonly protocol: string;
  readonly client: string | null;
  readonly clientTls: string | null;
  readonly endpoint: string;
  readonly server: string | null;
  readonly stage: 'asking' | 'relaying' | 'ending';
  readonly basis: 'ca' | 'pin' | 'dane' | 'first-use' | null;
  readonly spki: string | null;
  readonly startedAt: string;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface LastVerdict {
  readonly at: string;
  readonly verdict: 'ca' | 'pin' | 'first-use' | 'dane' | 'refused';
  readonly reason: string | null;
  readonly by: 'session' | 'probe' | 'warm';
  readonly spki: string | null;
  readonly faults: readonly string[];
  readonly certificate: {
    readonly subject: string;
    readonly issuer: string;
    readonly names: readonly string[];
    readonly notBefore: string | null;
    readonly notAfter: string | null;
    readonly sha256: string;
  } | null;
  readonly chainNotAfter: string | null;
}

export interface EndpointRow {
  readonly endpoint: string;
  readonly configured: boolean;
  readonly routes: readonly string[];
  readonly policy: string | null;
  readonly firstUse: string | null;
  readonly state: PinsRow['state'];
  readonly candidates: number;
  readonly refusing: boolean;
  readonly lastVerdict: LastVerdict | null;
  readonly lastProbe: {
    readonly at: string;
    readonly result: string;
    readonly reason: string | null;
    readonly seconds: number;
  } | null;
  readonly nextProbe: string | null;
}

export interface Side {
  readonly spki: string;
  readonly sha256: string;
  readonly basis: 'pinned' | 'ca' | 'candidate';
  readonly certificate: CertificateDescription | null;
  readonly pem: string | null;
}

export interface Difference {
  readonly field: string;
  readonly known: string | null;
  readonly presented: string | null;
  readonly same: boolean;
}

export interface Comparison {
  readonly endpoint: string;
  readonly ref: string;
  readonly state: PinsRow['state'];
  readonly sentence: string;
  readonly known: Side | null;
  readonly presented: Side;
  readonly differences: readonly Difference[];
  readonly faults: readonly { readonly code: string; readonly meaning: string; readonly advice: string }[];
  readonly corroboration: Corroboration | null;
  readonly reason: string;
  readonly caValid: boolean;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly seenCount: number;
}

export interface ProbeShape {
  readonly endpoint: string;
  readonly at: string;
  readonly seconds: number;
  readonly result: 'accepted' | 'refused' | 'failed';
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly spki: string | null;
  readonly faults: readonly string[];
  readonly ref: string | null;
}

export interface FeedEntry {
  readonly id: number;
  readonly at: string;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}

export interface SessionGrant {
  readonly token: string;
  readonly scope: 'read' | 'admin';
  readonly expiresAt: string;
}
