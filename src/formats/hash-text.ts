// A fingerprint as configuration files write it: hexadecimal digits, with or without colons. Its length says which
// hash it is.

import { hashAlgorithms, hashOctets, type HashAlgorithm } from '../trust/record.ts';

export interface Hash {
  readonly algorithm: HashAlgorithm;
  /** Lower-case hexadecimal. */
  readonly digest: string;
}

/** Null for what is no whole fingerprint of a hash we know. */
export function readHash(text: string): Hash | null {
  const bare = text.trim();
  if (bare.length > 200 || !/^[0-9a-f]{2}(?:[: ]?[0-9a-f]{2})*$/i.test(bare)) return null;
  const digest = bare.replace(/[: ]/g, '').toLowerCase();
  const algorithm = hashAlgorithms.find((name) => digest.length === hashOctets[name] * 2);
  return algorithm === undefined ? null : { algorithm, digest };
}
