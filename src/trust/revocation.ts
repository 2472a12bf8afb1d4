// What the CAs of a path took back: by the lists the operator gave, and by the answer the server stapled. Only a
// revocation is ever concluded here; that nothing was found says nothing.

import { createHash } from 'node:crypto';
import type { Crl } from './crl.ts';
import type { Fault } from './fault.ts';
import { readStaple, type StapledAnswer, wordAt } from './ocsp.ts';
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

/** Of one path. What does not depend on the time is found out once for each answer and each set of lists. */
export class PathRevocation {
  /** DER, leaf first, each signed by the next: parsed certificates hold native objects and are not kept. */
  readonly #links: readonly Uint8Array[];
  readonly #mustStaple: boolean;
  #listed: { readonly lists: readonly Crl[]; readonly found: boolean } | null = null;
  #heard: { readonly digest: string; readonly answer: StapledAnswer | null } | null = null;

  /** `links`: leaf first, each signed by the next. */
  constructor(links: readonly ParsedCertificate[]) {
    this.#links = links.map(({ der }) => der);
    this.#mustStaple = links[0]?.extensions.mustStaple ?? false;
  }

  /** The array of `lists` is another one when the lists are others. */
  faults({ lists, staple, now }: Sources): readonly Fault[] {
    const word = staple === undefined || staple === null ? 'nothing' : wordAt(this.#answerIn(staple), now);
    if (word === 'revoked' || this.#isListed(lists)) return ['revoked'];
    // Whoever stole the key of a revoked certificate would not staple; its holder said that he always would.
    return staple !== undefined && word !== 'good' && this.#mustStaple ? ['staple-missing'] : [];
  }

  #answerIn(staple: Uint8Array): StapledAnswer | null {
    const digest = digestOf(staple);
    if (this.#heard?.digest === digest) return this.#heard.answer;
    const [leaf, issuer] = this.#links.slice(0, 2).map(parseCertificate);
    const asked = leaf === undefined || issuer === undefined ? null : { leaf, issuer };
    const answer = asked === null ? null : readStaple(staple, asked);
    this.#heard = { digest, answer };
    return answer;
  }

  #isListed(lists: readonly Crl[]): boolean {
    if (lists.length === 0) return false;
    if (this.#listed?.lists !== lists)
      this.#listed = { lists, found: isListed(this.#links.map(parseCertificate), lists) };
    return this.#listed.found;
  }
}

const digestOf = (staple: Uint8Array): string => createHash('sha256').update(staple).digest('base64');

/** Whether a list of its own issuer names a certificate of the path. */
const isListed = (path: readonly ParsedCertificate[], lists: readonly Crl[]): boolean =>
  path.some((certificate, at) => {
    const { serial } = certificate;
    // A certificate that signed itself is its own issuer; a root on the path is trusted by decision of the operator.
    const issuer = path[at + 1] ?? (at === 0 ? certificate : undefined);
    if (serial === null || issuer === undefined) return false;
    return lists.some((list) => list.names(serial) && list.isOf(issuer));
  });
