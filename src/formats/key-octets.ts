// A bare public key, as some programs keep it: DER SubjectPublicKeyInfo without a certificate around it.

import { createPublicKey } from 'node:crypto';
import { spkiOf } from '../trust/fingerprint.ts';

/** `sha256//BASE64=`, or null for what is no key. */
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
