// Finds paths from the server's certificate to a trust anchor over the certificates it presented. Every link is
// a signature that was checked; names and key identifiers only say where to look. Dates, names and rights are not
// looked at: that a chain leads to an anchor is a fact of its own. Work is bounded whatever a peer presents.

import type { AnchorIndex } from './anchor-index.ts';
import { type ParsedCertificate, signedBy } from './parsed-certificate.ts';

/** Leaf first; when `anchored`, the last one is an anchor (for an anchor presented as leaf, the only one). */
export interface Path {
  readonly links: readonly ParsedCertificate[];
  readonly anchored: boolean;
}

/** Signatures checked, steps taken and paths kept for one chain. Spent means "no further path", which refuses. */
const maxChecks = 64;
const maxSteps = 512;
const maxPaths = 8;

/** Certificates with the key identifier the child asks for come first; none is left out, since nothing forces a CA to set it right. */
const likelyFirst = (
  child: ParsedCertificate,
  issuers: readonly ParsedCertificate[],
): readonly ParsedCertificate[] => {
  const wanted = child.extensions.authorityKey?.keyId ?? null;
  const likely = (issuer: ParsedCertificate): boolean =>
    wanted !== null && issuer.extensions.subjectKeyId === wanted;
  return [...issuers.filter(likely), ...issuers.filter((issuer) => !likely(issuer))];
};

class PathSearch {
  readonly anchored: Path[] = [];
  longest: readonly ParsedCertificate[];
  readonly #presented: readonly ParsedCertificate[];
  readonly #anchors: AnchorIndex;
  readonly #signed = new Map<string, boolean>();
  #checks = 0;
  #steps = 0;

  constructor(presented: readonly ParsedCertificate[], anchors: AnchorIndex, leaf: ParsedCertificate) {
    this.#presented = presented;
    this.#anchors = anchors;
    this.longest = [leaf];
  }

  follow(links: readonly ParsedCertificate[], last: ParsedCertificate): void {
    this.#steps += 1;
    if (this.#steps > maxSteps || this.anchored.length >= maxPaths) return;
    if (links.length > this.longest.length) this.longest = links;
    if (this.#anchors.has(last)) {
      this.anchored.push({ links, anchored: true });
      return;
    }
    for (const issuer of this.#issuersOf(last, links)) {
      if (this.#isSigned(last, issuer)) this.follow([...links, issuer], issuer);
    }
  }

  /** No certificate comes twice: cross-signed CAs sign each other in circles. */
  #issuersOf(child: ParsedCertificate, links: readonly ParsedCertificate[]): readonly ParsedCertificate[] {
    const used = new Set(links.map(({ id }) => id));
    const anchors = this.#anchors.named(child.issuer.key);
    const known = new Set(anchors.map(({ id }) => id));
    const sent = this.#presented.filter(
      ({ id, subject }) => subject.key === child.issuer.key && !known.has(id),
    );
    return [...likelyFirst(child, anchors), ...likelyFirst(child, sent)].filter(({ id }) => !used.has(id));
  }

  #isSigned(child: ParsedCertificate, issuer: ParsedCertificate): boolean {
    const pair = `${child.id}/${issuer.id}`;
    const known = this.#signed.get(pair);
    if (known !== undefined) return known;
    if (this.#checks >= maxChecks) return false;
    this.#checks += 1;
    const signed = signedBy(child, issuer);
    this.#signed.set(pair, signed);
    return signed;
  }
}

/** Every path to an anchor that the bounds allow; without one, the longest signature-checked path there is. Never empty. */
export const findPaths = (
  leaf: ParsedCertificate,
  presented: readonly ParsedCertificate[],
  anchors: AnchorIndex,
): readonly [Path, ...Path[]] => {
  const search = new PathSearch(presented, anchors, leaf);
  search.follow([leaf], leaf);
  const [first, ...others] = search.anchored;
  return first === undefined ? [{ links: search.longest, anchored: false }] : [first, ...others];
};
