// What is remembered of an endpoint. Plain readonly data: learn.ts makes new records from verdicts, carry-out.ts
// from commands, and only the store writes them. Times are milliseconds since 1970.

import type { Corroboration } from './corroboration.ts';
import type { Fault } from './fault.ts';

export type Basis = 'none' | 'ca' | 'pinned';
export type PinKind = 'leaf' | 'anchor';
/** Everything but `first-use` counts as approved: somebody, once, said yes to this very key. */
export type PinOrigin = 'first-use' | 'approved' | 'added' | 'imported' | 'config';

/** The last thing seen of one key: enough to evaluate a policy for it again without the network. */
export interface KeyEvidence {
  readonly seenAt: number;
  readonly caValid: boolean;
  readonly faults: readonly Fault[];
  /** Chains to a loaded anchor with signatures checked and dates ignored. */
  readonly chainsToAnchor: boolean;
  readonly sha256: string;
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
  /** The leaf, PEM. */
  readonly pem: string;
  /** Seen in a legacy handshake; absent otherwise. */
  readonly legacy?: true;
  /** Key of the anchor that vouched for it; absent where none did. */
  readonly anchor?: string;
  /** What was seen of it from elsewhere when it was to be a first use; absent where nobody looked. */
  readonly corroboration?: Corroboration;
}

export interface Pin {
  /** `sha256//BASE64=` of the DER SubjectPublicKeyInfo. */
  readonly spki: string;
  readonly kind: PinKind;
  readonly origin: PinOrigin;
  readonly firstSeen: number;
  readonly lastSeen: number | null;
  /** The pin counts until then; null has no end. */
  readonly until: number | null;
  /** Written once the end was noticed (or the pin ended by command): a clock set back revives nothing. */
  readonly endedAt: number | null;
  /** A newer approval gave it its end (a temporary approval is not retiring); absent otherwise. */
  readonly retiring?: true;
  /** The pinned key that handed over to this one by signing its certificate; absent where nobody did. */
  readonly parent?: string;
  readonly evidence: KeyEvidence | null;
}

export interface Rejection {
  readonly spki: string;
  readonly at: number;
}

export interface Candidate {
  readonly spki: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly seenCount: number;
  readonly reason: string;
  readonly evidence: KeyEvidence;
}

/** Evidence of the last CA-verified leaf, for comparison; never a pin. */
export interface LastCa {
  readonly spki: string;
  readonly sha256: string;
  readonly issuer: string;
  readonly notAfter: number;
  readonly seenAt: number;
  readonly pem: string;
}

export const hashAlgorithms = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
export type HashAlgorithm = (typeof hashAlgorithms)[number];
/** How many octets each makes. */
export const hashOctets: Readonly<Record<HashAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

/**
 * What other programs remember of a server where that is a hash which does not carry the key: it counts as a pin whose
 * key is not known yet, and becomes one when a certificate that fits is first accepted.
 */
export interface Expectation {
  /** What was hashed: the DER certificate, or the DER SubjectPublicKeyInfo. */
  readonly of: 'certificate' | 'key';
  readonly algorithm: HashAlgorithm;
  /** Lower-case hexadecimal. */
  readonly digest: string;
  readonly importedAt: number;
  /** It counts until then; null has no end. */
  readonly until: number | null;
}

/** What `undo` returns to, once. */
export interface UndoPoint {
  readonly command: string;
  readonly at: number;
  readonly before: Pick<EndpointRecord, 'basis' | 'byDane' | 'pins' | 'rejected' | 'candidates' | 'expected'>;
  /** A session was accepted since the command: then undo never returns to basis `none`. */
  readonly acceptedSince: boolean;
}

export interface EndpointRecord {
  readonly endpoint: string;
  /** The trust epoch: moves with every change of trust; lastSeen, counts, candidates and lastCa do not move it. */
  readonly epoch: number;
  readonly basis: Basis;
  readonly pins: readonly Pin[];
  readonly rejected: readonly Rejection[];
  readonly candidates: readonly Candidate[];
  readonly lastCa: LastCa | null;
  /** Its keys were accepted by DANE alone, before anything else was known of it; absent otherwise. */
  readonly byDane?: true;
  readonly undo: UndoPoint | null;
  /** Absent where nothing is expected. */
  readonly expected?: readonly Expectation[];
}

export const emptyRecord = (endpoint: string): EndpointRecord => ({
  endpoint,
  epoch: 0,
  basis: 'none',
  pins: [],
  rejected: [],
  candidates: [],
  lastCa: null,
  undo: null,
});
