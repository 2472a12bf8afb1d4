// A fingerprint as configuration files write it: hexadecimal digits, with or without colons. Its length says which
// hash it is.

import type { HashAlgorithm } from '../trust/record.ts';

export interface Hash {
  readonly algorithm: HashAlgorithm;
  /** Lower-case hexadecimal. */
  readonly digest: string;
}

const algorithms: Readonly<Record<number, HashAlgorithm>> = {
  32: 'md5',
  40: 'sha1',
  56: 'sha224',
  64: 'sha256',
  96: 'sha384',
  128: 'sha512',
};

/** Null for what is no whole fingerprint of a hash we know. */
export function readHash(text: string): Hash | null {
  const bare = text.trim();
  if (bare.length > 200 || !/^[0-9a-f]{2}(?:[: ]?[0-9a-f]{2})*$/i.test(bare)) return null;
  const digest = bare.replace(/[: ]/g, '').toLowerCase();
  const algorithm = algorithms[digest.length];
  return algorithm === undefined ? null : { algorithm, digest };
}

/** `AB:CD:…`. */
export const colons = (digest: string): string => digest.toUpperCase().replace(/..(?=.)/g, '$&:');
