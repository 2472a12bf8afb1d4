// Trust anchors by subject, so that a chain meets the one or two that matter. Only the frame of each is read when
// the index is made; a certificate is parsed when the first chain asks for it, and then once.

import { readName } from './distinguished-name.ts';
import { readFrame } from './frame.ts';
import { idOf, type ParsedCertificate, parseCertificate } from './parsed-certificate.ts';

/** An anchor that cannot be read is none: nothing can end at it. */
const subjectKey = (der: Uint8Array): string | null => {
  try {
    return readName(readFrame(der).subject).key;
  } catch {
    return null;
  }
};

export class AnchorIndex {
  readonly #bySubject = new Map<string, Uint8Array[]>();
  readonly #parsed = new Map<string, readonly ParsedCertificate[]>();
  readonly #ids: ReadonlySet<string>;

  constructor(certificates: readonly Uint8Array[]) {
    this.#ids = new Set(certificates.map(idOf));
    for (const der of certificates) {
      const key = subjectKey(der);
      if (key === null) continue;
      const group = this.#bySubject.get(key);
      if (group === undefined) this.#bySubject.set(key, [der]);
      else group.push(der);
    }
  }

  /** Whether this very certificate is an anchor. */
  has({ id }: ParsedCertificate): boolean {
    return this.#ids.has(id);
  }

  knows(subject: string): boolean {
    return this.#bySubject.has(subject);
  }

  /** Anchors of this subject; `subject` is the comparison key of a name. */
  named(subject: string): readonly ParsedCertificate[] {
    const known = this.#parsed.get(subject);
    if (known !== undefined) return known;
    const parsed = (this.#bySubject.get(subject) ?? []).map(parseCertificate);
    if (parsed.length > 0) this.#parsed.set(subject, parsed);
    return parsed;
  }
}
