// DER out of what files of other programs hold: bare public keys, and certificates in PEM.

import { createPublicKey } from 'node:crypto';
import { readCertificates } from '../trust/certificate.ts';
import { spkiOf } from '../trust/fingerprint.ts';

/** `sha256//BASE64=` of a DER SubjectPublicKeyInfo without a certificate around it; null for what is no key. */
export function spkiOfOctets(der: Uint8Array): string | null {
  try {
    const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
    const exported = key.export({ format: 'der', type: 'spki' });
    // What follows the key would be hashed and belongs to nothing.
    return exported.length === der.length ? spkiOf(der) : null;
  } catch {
    return null;
  }
}

/** The first certificate of a PEM text, DER; null where there is none that can be read. */
export function certificateIn(pem: string): Uint8Array | null {
  try {
    return readCertificates(Buffer.from(pem))[0] ?? null;
  } catch {
    return null;
  }
}
