// The keys of server certificates seen lately: to read one takes a parser, an export and a comparison, and nearly every
// handshake shows a certificate that an earlier one showed. It holds what the octets say and no judgement of them.

import { hash } from 'node:crypto';
import { spkiOfCertificate } from '../trust/fingerprint.ts';

/** Servers that are many have a certificate each; beyond, the one kept longest is forgotten. */
const most = 4096;

export class LeafKeys {
  readonly #known = new Map<string, string | null>();

  /** As spkiOfCertificate. */
  of(certificate: Uint8Array): string | null {
    const id = hash('sha256', certificate, 'base64');
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const spki = spkiOfCertificate(certificate);
    this.#known.set(id, spki);
    const [oldest] = this.#known.keys();
    if (this.#known.size > most && oldest !== undefined) this.#known.delete(oldest);
    return spki;
  }
}
