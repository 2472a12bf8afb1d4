// What the CAs of a path took back: by the lists the operator gave, and by the answer the server stapled. Only a
// revocation is ever concluded here; that nothing was found says nothing.

import type { Crl } from './crl.ts';
import type { Fault } from './fault.ts';
import { wordOfStaple } from './ocsp.ts';
import { type ParsedCertificate, parseCertificate } from './parsed-certificate.ts';

/** Revocation lists in force; they may be replaced while they are held. */
export interface RevocationLists {
  readonly lists: readonly Crl[];
}

export interface Sources {
  readonly lists: readonly Crl[];
  /** The stapled answer, unverified; null when none was sent, absent when none was asked for. */
  readonly staple?: Uint8Array | null | undefined;
  readonly now: number;
}

/** `links` are DER certificates, leaf first, each signed by the next. */
export const revocationFaults = (links: readonly Uint8Array[], sources: Sources): readonly Fault[] => {
  const { lists, staple, now } = sources;
  if (lists.length === 0 && staple === undefined) return [];
  const path = links.map(parseCertificate);
  const [leaf, issuer] = path;
  if (leaf === undefined) return [];
  const word =
    staple == null || issuer === undefined ? 'nothing' : wordOfStaple(staple, { leaf, issuer }, now);
  if (word === 'revoked' || isListed(path, lists)) return ['revoked'];
  // Whoever stole the key of a revoked certificate would not staple; its holder said that he always would.
  return staple !== undefined && word !== 'good' && leaf.extensions.mustStaple ? ['staple-missing'] : [];
};

/** Whether a list of its own issuer names a certificate of the path. */
const isListed = (path: readonly ParsedCertificate[], lists: readonly Crl[]): boolean =>
  path.some((certificate, at) => {
    const { serial } = certificate;
    // A certificate that signed itself is its own issuer; a root on the path is trusted by decision of the operator.
    const issuer = path[at + 1] ?? (at === 0 ? certificate : undefined);
    if (serial === null || issuer === undefined) return false;
    return lists.some((list) => list.names(serial) && list.isOf(issuer));
  });
