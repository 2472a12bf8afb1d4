// The head: one entry in the database, written with every batch, that says what the records must be. The
// digest is the sum mod 2^256 of the hashes of all records, so that a turn need not read what it leaves alone.

import type { Checkpoint } from './audit.ts';
import { decode, encode, isCount, isObject } from './codec.ts';
import { keys } from './database.ts';
import { StoreError } from './store-error.ts';

export const storeFormat = 1;

export interface Head {
  readonly format: number;
  /** Random, made with the store: a seal of another store never fits. */
  readonly store: string;
  readonly generation: number;
  readonly count: number;
  /** 64 hex digits. */
  readonly digest: string;
  /** The digest of the generation before, which a seal one behind must show. */
  readonly previous: string;
  readonly held: readonly string[];
  /** End of the audit chain. */
  readonly audit: Checkpoint;
}

export const encodeHead = (head: Head): string => encode(keys.head, head);

/** null when it cannot be relied on. Throws StoreError `store-newer`. */
export function decodeHead(text: string | undefined): Head | null {
  const value = text === undefined ? null : decode(keys.head, text);
  if (isObject(value)) checkFormat(value['format']);
  return isHead(value) ? value : null;
}

/** Throws StoreError `store-newer` for a format of a later letterlock. */
export function checkFormat(format: unknown): void {
  if (isCount(format) && format > storeFormat) {
    throw new StoreError(
      'store-newer',
      `the pin store has format ${format}, this letterlock knows ${storeFormat}`,
      {
        hint: 'It was written by a newer letterlock: use that one.',
      },
    );
  }
}

const isHead = (value: unknown): value is Head =>
  isObject(value) &&
  value['format'] === storeFormat &&
  typeof value['store'] === 'string' &&
  isCount(value['generation']) &&
  isCount(value['count']) &&
  isDigest(value['digest']) &&
  isDigest(value['previous']) &&
  isNames(value['held']) &&
  isObject(value['audit']) &&
  isCount(value['audit']['sequence']) &&
  typeof value['audit']['hash'] === 'string';

export const isDigest = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

export const isNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

const modulus = 1n << 256n;

export const noDigest = 0n;
/** What one stored record adds to the digest; `hash` in hex. */
export const weightOf = (hash: string): bigint => BigInt(`0x${hash}`);
export const addWeight = (digest: bigint, weight: bigint): bigint => (digest + weight) % modulus;
export const takeWeight = (digest: bigint, weight: bigint): bigint => (digest - weight + modulus) % modulus;
export const digestText = (digest: bigint): string => digest.toString(16).padStart(64, '0');
