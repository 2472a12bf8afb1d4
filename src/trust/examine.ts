// Examines a presented chain for one name at one moment: all faults together, on a path of our own whose
// signatures were checked, and whether the chain is CA valid. It decides nothing about acceptance, knows no pins,
// and never takes OpenSSL's yes for more than one of the conditions.

import { createHash } from 'node:crypto';
import type { Endpoint } from '../endpoint.ts';
import { analyse, type Analysis, type Dates, type PathFacts } from './analysis.ts';
import { AnchorIndex } from './anchor-index.ts';
import { unexplained } from './chain-error.ts';
import type { Examined, HandshakeProfile } from './evidence.ts';
import { type Fault, faults, orderFaults } from './fault.ts';
import { predecessors } from './hand-over.ts';
import { type IdentityMatch, matchIdentity } from './identity.ts';
import type { RevocationLists } from './revocation.ts';

/** More certificates of a chain are not looked at. */
const maxChain = 16;

/** Anchors with the identity of the set, see AnchorSet in net. */
export interface Anchors {
  readonly digest: string;
  readonly certificates: readonly Uint8Array[];
  readonly crls?: RevocationLists;
}

export interface Circumstances {
  readonly anchors: Anchors;
  /** The name to match; null offline, where there is none, and then nothing is CA valid. */
  readonly endpoint: Endpoint | null;
  /**
   * Node's code of OpenSSL's chain verdict, null when it verified. Absent offline, where OpenSSL was not asked:
   * policies, which it alone processes, are then not looked at.
   */
  readonly chainError?: string | null | undefined;
  /** Of the handshake; absent offline. OpenSSL's yes in a legacy one is no yes: it takes MD5 and keys of 512 bits. */
  readonly profile?: HandshakeProfile | undefined;
  /** The stapled OCSP answer, unverified; null when none came, absent when none was asked for. */
  readonly staple?: Uint8Array | null | undefined;
  readonly now: number;
  readonly clockSuspect: boolean;
}

/** Bounds of what an Examiner keeps: how many chains, and how many octets of certificates in all. */
export interface ExaminerLimits {
  readonly chains: number;
  readonly octets: number;
}

/** Certificates know whole seconds, and the one of `notAfter` still counts (RFC 5280 section 4.1.2.5). */
const isPast = (notAfter: number, now: number): boolean => now >= notAfter + 1000;

const dateFaults = (dates: Dates, now: number, past: Fault): readonly Fault[] => {
  if (dates === null) return [];
  return [
    ...(isPast(dates.notAfter, now) ? [past] : []),
    ...(now < dates.notBefore ? (['not-yet-valid'] as const) : []),
  ];
};

interface DatedPath extends PathFacts {
  readonly all: readonly Fault[];
}

const datedPaths = (analysis: Analysis, circumstances: Circumstances): readonly DatedPath[] => {
  const { now, staple, anchors } = circumstances;
  const lists = anchors.crls?.lists ?? noLists;
  return analysis.paths.map((path) => ({
    ...path,
    all: orderFaults([
      ...path.faults,
      ...path.issuers.flatMap((dates) => dateFaults(dates, now, 'issuer-expired')),
      ...path.revocation.faults({ lists, staple, now }),
    ]),
  }));
};

/** The path with the fewest faults: an expired cross-signature beside a good path harms nobody. */
const bestOf = ([first, ...others]: readonly DatedPath[]): DatedPath => {
  if (first === undefined) throw new TypeError('an analysis has at least one path');
  return others.reduce((best, path) => (weightOf(path) < weightOf(best) ? path : best), first);
};

/** A CA that was taken back harms nobody where another path avoids it, whatever else is wrong there. */
const weightOf = ({ all }: DatedPath): number =>
  all.length + (all.includes('revoked') ? Object.keys(faults).length : 0);

/** Of paths without a fault, each once. */
const anchorKeysOf = (paths: readonly DatedPath[]): readonly string[] => [
  ...new Set(paths.flatMap(({ all, anchor }) => (all.length === 0 && anchor !== null ? [anchor] : []))),
];

/** Earliest end on an anchored path. */
const endOf = (leaf: Dates, path: PathFacts): number | null => {
  const ends = [leaf, ...path.issuers].flatMap((dates) => (dates === null ? [] : [dates.notAfter]));
  return path.anchored && ends.length > 0 ? Math.min(...ends) : null;
};

const noLists: readonly never[] = [];

const unnamed: IdentityMatch = { match: false, faults: [] };

const examineAt = (analysis: Analysis, circumstances: Circumstances): Examined => {
  const { endpoint, chainError, profile, now, clockSuspect } = circumstances;
  const paths = datedPaths(analysis, circumstances);
  const path = bestOf(paths);
  const identity = endpoint === null ? unnamed : matchIdentity(analysis.names, endpoint);
  const found = new Set<Fault>([
    ...analysis.faults,
    ...path.all,
    ...dateFaults(analysis.dates, now, 'expired'),
    ...identity.faults,
  ]);
  if (clockSuspect) found.add('clock-suspect');
  const verified = chainError === null || chainError === undefined;
  const more = verified ? null : unexplained(chainError, found);
  if (more !== null) found.add(more);
  const handedOverBy = predecessors(analysis.signers, { named: identity.match, faults: found, now });
  const anchorKeys = anchorKeysOf([path, ...paths]);
  return {
    // Every fault blocks CA validity; the other conditions stand here in full so that none hangs on a list.
    caValid: verified && profile !== 'legacy' && identity.match && path.anchored && found.size === 0,
    faults: orderFaults(found),
    ...(path.interceptor === null ? {} : { interceptor: path.interceptor }),
    chainsToAnchor: path.anchored,
    chain: analysis.chain,
    pathNotAfter: endOf(analysis.dates, path),
    ...(handedOverBy.length === 0 ? {} : { handedOverBy }),
    ...(anchorKeys.length === 0 ? {} : { anchorKeys }),
  };
};

interface Kept {
  readonly analysis: Analysis;
  readonly octets: number;
}

/** Examines chains and remembers what does not depend on time and name, least recently used first out. */
export class Examiner {
  readonly #limits: ExaminerLimits;
  readonly #kept = new Map<string, Kept>();
  readonly #indexes = new WeakMap<readonly Uint8Array[], AnchorIndex>();
  #octets = 0;

  constructor(limits: ExaminerLimits = { chains: 4096, octets: 32 * 1024 * 1024 }) {
    this.#limits = limits;
  }

  /** How many chains are remembered. */
  get size(): number {
    return this.#kept.size;
  }

  /**
   * `chain` is DER, leaf first, as sent. Never throws for what a peer sent. The arrays of `anchors` must not change
   * after they were first used here.
   */
  examine(chain: readonly Uint8Array[], circumstances: Circumstances): Examined {
    return examineAt(this.#analysisOf(chain.slice(0, maxChain), circumstances.anchors), circumstances);
  }

  #analysisOf(chain: readonly Uint8Array[], anchors: Anchors): Analysis {
    const key = keyOf(chain, anchors.digest);
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    const entry = kept ?? {
      analysis: analyse(chain, this.#indexOf(anchors)),
      octets: chain.reduce((sum, { length }) => sum + length, 0),
    };
    this.#kept.set(key, entry);
    if (kept === undefined) this.#octets += entry.octets;
    this.#shrink();
    return entry.analysis;
  }

  #shrink(): void {
    for (const [key, { octets }] of this.#kept) {
      if (this.#kept.size <= this.#limits.chains && this.#octets <= this.#limits.octets) return;
      this.#kept.delete(key);
      this.#octets -= octets;
    }
  }

  #indexOf({ certificates }: Anchors): AnchorIndex {
    const known = this.#indexes.get(certificates);
    if (known !== undefined) return known;
    const index = new AnchorIndex(certificates);
    this.#indexes.set(certificates, index);
    return index;
  }
}

/** Lengths go in as well: two chains must not become one by moving octets from one certificate to the next. */
const keyOf = (chain: readonly Uint8Array[], digest: string): string => {
  const hash = createHash('sha256');
  for (const der of chain) hash.update(`${der.length}:`).update(der);
  return `${hash.digest('hex')}/${digest}`;
};
