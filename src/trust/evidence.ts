// Everything a judgement may use, and what it may say. Types only; the judge stands in policy.ts.

import type { RefusalReason } from '../errors.ts';
import type { CertificateDescription } from './certificate.ts';
import type { Corroboration } from './corroboration.ts';
import type { DaneResult } from './dane.ts';
import type { Fault } from './fault.ts';
import type { EndpointRecord } from './record.ts';

export const policies = ['auto', 'ca', 'tofu', 'ca+tofu', 'pinned', 'dane'] as const;
export type Policy = (typeof policies)[number];
export const firstUses = ['accept', 'hold', 'refuse'] as const;
export type FirstUse = (typeof firstUses)[number];
export const daneUses = ['off', 'prefer'] as const;
export type DaneUse = (typeof daneUses)[number];

/** What a server is judged for: a client that waits, a connection kept ready, or a look in the background. */
export const occasions = ['session', 'warm', 'probe'] as const;
export type Occasion = (typeof occasions)[number];

/** The trust settings of one endpoint, after defaults and presets. */
export interface TrustSettings {
  readonly policy: Policy;
  readonly firstUse: FirstUse;
  /** SPKI pins from the configuration, `sha256//…`. */
  readonly configPins: readonly string[];
  /** Whether `auto` asks DANE; absent: off. The policy `dane` asks whatever stands here. */
  readonly dane?: DaneUse;
  /** A pinned key that signed the certificate of another one hands over to it; absent: it does not. */
  readonly handOver?: true;
  /** What is pinned is the anchor of the path, not the server's own key; under `ca+tofu` only. Absent: the server's key. */
  readonly continuity?: 'anchor';
  /** A first use is looked at from elsewhere: so many vantage points must show the same key. Absent: it is not. */
  readonly corroborate?: { readonly atLeast: number };
}

/**
 * What a handshake asked of the other side. In a `legacy` one anything goes (TLS 1.0, MD5 in a chain): what a CA says
 * over it is worth nothing, and only a live pin tells the server from an impostor.
 */
export type HandshakeProfile = 'modern' | 'legacy';

/** A finished handshake, nothing decided yet. Made by net/handshake.ts. */
export interface Peer {
  /** DER certificates as sent, wire order, at most 16; empty when none could be read. */
  readonly chain: readonly Uint8Array[];
  /** `sha256//…` of the leaf, null when Node cannot give the leaf's DER and SPKI. */
  readonly spki: string | null;
  readonly resumed: boolean;
  /** OpenSSL's chain verdict as Node's string code, null when the chain verified. */
  readonly chainError: string | null;
  /** The stapled OCSP answer, unverified; null when none came, absent when none was asked for. */
  readonly staple?: Uint8Array | null;
  readonly tls: { readonly version: string; readonly cipher: string; readonly profile: HandshakeProfile };
}

/** What is known of a presented chain at one moment, for one reference name. Made by trust/examine.ts. */
export interface Examined {
  readonly caValid: boolean;
  /** All faults, each once, in the order of the table in fault.ts. */
  readonly faults: readonly Fault[];
  /** What made the certificate, in our words, where `known-interceptor` is among the faults. */
  readonly interceptor?: string;
  readonly chainsToAnchor: boolean;
  /** Leaf first, as sent; at most 16; entries that do not parse carry what could be read. */
  readonly chain: readonly CertificateDescription[];
  /** Earliest end in the verified path; null when none verified. */
  readonly pathNotAfter: number | null;
  /** Keys presented along that signed this certificate and, where they are pinned, may hand over to it; absent: none. */
  readonly handedOverBy?: readonly string[];
  /** Keys of the anchors that a path without a fault ends at, the best path's first; absent: none. */
  readonly anchorKeys?: readonly string[];
}

export type StoreState = 'good' | 'damaged' | 'unavailable';

export interface Evidence {
  readonly endpoint: string;
  readonly settings: TrustSettings;
  readonly now: number;
  readonly spki: string | null;
  readonly resumed: boolean;
  readonly profile: HandshakeProfile;
  readonly examined: Examined | null;
  /** What TLSA records say of the chain; null or absent where nobody asked. */
  readonly dane?: DaneResult | null;
  /** What was seen of this key from elsewhere; absent where nobody looked. */
  readonly corroboration?: Corroboration;
  /** What it is judged for, which decides nothing; absent: a session. */
  readonly by?: Occasion;
  /** How many trust anchors are loaded for this endpoint. */
  readonly anchors: number;
  readonly record: EndpointRecord | null;
  /** False when the record of this endpoint did not verify (then `record` is null or not to be relied on). */
  readonly recordVerified: boolean;
  readonly store: StoreState;
  /** What the seal says in full, the stricter of store and seal wins: keys rejected, and keys with an end date. */
  readonly sealed: { readonly rejected: ReadonlySet<string>; readonly until: ReadonlyMap<string, number> };
}

export type AcceptBasis = 'ca' | 'pin' | 'first-use' | 'dane';

/** Do these settings ask for TLSA records? */
export const asksDane = ({ policy, dane }: TrustSettings): boolean =>
  policy === 'dane' || (policy === 'auto' && dane === 'prefer');

/** Column of the verdict table. */
export type Column = 'none' | 'ca' | 'live' | 'unknown' | 'emptied';

export type Verdict =
  | {
      readonly accept: true;
      readonly basis: AcceptBasis;
      readonly column: Column;
      readonly why: string;
      /** The pinned key that hands over to this one, which becomes a pin by it. */
      readonly handedOverBy?: string;
    }
  | { readonly accept: false; readonly reason: RefusalReason; readonly column: Column; readonly why: string };
