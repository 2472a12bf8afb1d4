// What helps a judgement beyond the handshake: TLSA records where the settings ask DANE, and revocation lists beside the
// anchors. Looked up and read when a server is to be judged; what cannot be read refuses.

import type { Endpoint } from '../endpoint.ts';
import type { AnchorSet } from '../net/anchors.ts';
import { CrlFiles } from '../net/crl-files.ts';
import { openTlsa, type ResolverPlace } from '../net/open-tlsa.ts';
import type { TlsaFinder } from '../net/tlsa.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import { asksDane } from '../trust/evidence.ts';
import type { Terms } from './settings.ts';

export interface Aid {
  readonly anchors: AnchorSet;
  readonly tlsa: TlsaAnswer | null;
}

/** How often the files of revocation lists are looked at. */
const lookEveryMs = 60_000;

interface Lists {
  readonly files: CrlFiles;
  lookedAt: number;
}

export class Aids {
  readonly #resolver: ResolverPlace | null;
  readonly #now: () => number;
  readonly #lists = new Map<string, Promise<Lists>>();
  #finder: Promise<TlsaFinder | null> | null = null;

  constructor({ resolver, now }: { readonly resolver: ResolverPlace | null; readonly now: () => number }) {
    this.#resolver = resolver;
    this.#now = now;
  }

  /** Rejects with CrlError or AnchorError where a file that is named cannot be used. */
  async of(endpoint: Endpoint, terms: Terms): Promise<Aid> {
    const [anchors, tlsa] = await Promise.all([this.#anchorsOf(terms), this.#tlsaOf(endpoint, terms)]);
    return { anchors, tlsa };
  }

  async #tlsaOf(endpoint: Endpoint, { settings }: Terms): Promise<TlsaAnswer | null> {
    if (!asksDane(settings)) return null;
    this.#finder ??= openTlsa(this.#resolver, this.#now);
    const finder = await this.#finder;
    return (await finder?.find(endpoint)) ?? null;
  }

  async #anchorsOf({ anchors, crlFiles }: Terms): Promise<AnchorSet> {
    if (crlFiles.length === 0) return anchors;
    const key = JSON.stringify([anchors.digest, crlFiles]);
    const opening = this.#lists.get(key) ?? this.#open(anchors, crlFiles);
    this.#lists.set(key, opening);
    // One that appears later is read then.
    opening.catch(() => this.#lists.delete(key));
    const lists = await opening;
    const now = this.#now();
    if (Math.abs(now - lists.lookedAt) > lookEveryMs) {
      lists.lookedAt = now;
      await lists.files.look(now);
    }
    return { ...anchors, crls: lists.files };
  }

  async #open(anchors: AnchorSet, crlFiles: readonly string[]): Promise<Lists> {
    return { files: await CrlFiles.open(crlFiles, anchors), lookedAt: this.#now() };
  }
}
