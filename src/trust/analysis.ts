// What can be known of a presented chain and a set of anchors without a time and a name: plain data, so that it
// can be kept, while parsed certificates with their native objects are let go.

import type { AnchorIndex } from './anchor-index.ts';
import { type CertificateDescription, describeParsed } from './certificate.ts';
import { type Fault, orderFaults } from './fault.ts';
import type { PresentedNames } from './identity.ts';
import { interceptorOf } from './interceptor.ts';
import { type ParsedCertificate, parseCertificate, signedBy } from './parsed-certificate.ts';
import { ownFaults, pathFaults } from './path-faults.ts';
import { findPaths, type Path } from './path.ts';
import { PathRevocation } from './revocation.ts';

/** Milliseconds since 1970; null where the dates could not be read. */
export type Dates = ParsedCertificate['dates'];

export interface PathFacts {
  readonly anchored: boolean;
  readonly faults: readonly Fault[];
  /** The product that `known-interceptor` is about. */
  readonly interceptor: string | null;
  /** Dates of the issuers on the path, anchor included. */
  readonly issuers: readonly Dates[];
  readonly revocation: PathRevocation;
  /** Key of the anchor at its end; null where there is none, or none that can be read. */
  readonly anchor: string | null;
}

/** A presented certificate whose key signed the leaf, whatever its rights. */
export interface Signer {
  readonly spki: string;
  readonly dates: Dates;
}

export interface Analysis {
  readonly chain: readonly CertificateDescription[];
  readonly faults: readonly Fault[];
  readonly names: PresentedNames;
  readonly dates: Dates;
  readonly signers: readonly Signer[];
  /** Every path that was found; one without an anchor where there is none. Never empty. */
  readonly paths: readonly [PathFacts, ...PathFacts[]];
}

/** Nothing was presented. */
const nothing: Analysis = {
  chain: [],
  faults: ['malformed'],
  names: { alternative: [], common: [] },
  dates: null,
  signers: [],
  paths: [
    {
      anchored: false,
      faults: ['unknown-issuer'],
      interceptor: null,
      issuers: [],
      revocation: new PathRevocation([]),
      anchor: null,
    },
  ],
};

/** Takes time in proportion to the chain and the bounds of the path search; never throws. */
export const analyse = (chain: readonly Uint8Array[], anchors: AnchorIndex): Analysis => {
  const [leaf, ...others] = chain.map(parseCertificate);
  if (leaf === undefined) return nothing;
  const factsOf = (path: Path): PathFacts => ({
    anchored: path.anchored,
    faults: orderFaults(pathFaults(path, { presented: others, anchors })),
    interceptor: interceptorOf(path.links)?.product ?? null,
    issuers: path.links.slice(1).map(({ dates }) => dates),
    revocation: new PathRevocation(path.links),
    anchor: path.anchored ? (path.links.at(-1)?.spki ?? null) : null,
  });
  const [first, ...more] = findPaths(leaf, others, anchors);
  return {
    chain: [leaf, ...others].map(describeParsed),
    faults: orderFaults(ownFaults(leaf)),
    names: { alternative: leaf.extensions.names, common: leaf.subject.commonNames },
    dates: leaf.dates,
    signers: signersOf(leaf, others),
    paths: [factsOf(first), ...more.map(factsOf)],
  };
};

/** One that is itself not in order vouches for nobody. */
const signersOf = (leaf: ParsedCertificate, presented: readonly ParsedCertificate[]): readonly Signer[] =>
  presented.flatMap((signer) => {
    const { spki, dates, malformed, key, subject } = signer;
    if (spki === null || spki === leaf.spki || malformed || key?.weak !== false) return [];
    return subject.key === leaf.issuer.key && signedBy(leaf, signer) ? [{ spki, dates }] : [];
  });
