// The seal: a file outside the database that says which generation the database must have, and carries in
// full what a lost record would forget: every key rejected or given an end. A checksum tells accidents; it
// is not keyed, because whoever can write here can read the secret that would lie beside it.

import { readFile } from 'node:fs/promises';
import { decode, encode, isCount, isObject } from './codec.ts';
import { codeOf } from './database.ts';
import { checkFormat, isDigest, isNames, storeFormat } from './head.ts';
import { replaceFile, type StoreIo } from './io.ts';
import type { SealedKeys } from './pin-store.ts';

export interface SealedEndpoint extends SealedKeys {
  readonly revision: number;
}

export interface Seal {
  readonly store: string;
  readonly generation: number;
  readonly count: number;
  readonly digest: string;
  readonly held: readonly string[];
  /** Every endpoint there is a record of, tombstones included: so that a lost one has a name. */
  readonly endpoints: ReadonlyMap<string, SealedEndpoint>;
}

export type SealReading =
  | { readonly state: 'none' }
  | { readonly state: 'read'; readonly seal: Seal }
  | { readonly state: 'unreadable'; readonly detail: string };

/** Never throws for what the file holds, except StoreError `store-newer`. */
export async function readSeal(path: string): Promise<SealReading> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { state: 'none' };
    return { state: 'unreadable', detail: error instanceof Error ? error.message : String(error) };
  }
  const seal = decodeSeal(text);
  return seal === null
    ? { state: 'unreadable', detail: 'its checksum does not hold' }
    : { state: 'read', seal };
}

export const writeSeal = (path: string, seal: Seal, io: StoreIo): Promise<void> =>
  replaceFile(path, Buffer.from(encodeSeal(seal)), io);

export function encodeSeal({ endpoints, ...facts }: Seal): string {
  const rows = [...endpoints].map(([name, { revision, rejected, until }]) => [
    name,
    revision,
    [...rejected],
    [...until],
  ]);
  return encode('seal', { format: storeFormat, ...facts, endpoints: rows });
}

export function decodeSeal(text: string): Seal | null {
  const value = decode('seal', text);
  if (!isObject(value)) return null;
  checkFormat(value['format']);
  const { format, store, generation, count, digest, held, endpoints } = value;
  if (format !== storeFormat || typeof store !== 'string' || !isCount(generation) || !isCount(count))
    return null;
  if (!isDigest(digest) || !isNames(held) || !Array.isArray(endpoints) || !endpoints.every(isSealedRow))
    return null;
  const sealed = endpoints.map(
    ([name, revision, rejected, until]) =>
      [name, { revision, rejected: new Set(rejected), until: new Map(until) }] as const,
  );
  return { store, generation, count, digest, held, endpoints: new Map(sealed) };
}

type SealedRow = readonly [string, number, readonly string[], readonly (readonly [string, number])[]];

const isSealedRow = (row: unknown): row is SealedRow =>
  Array.isArray(row) &&
  typeof row[0] === 'string' &&
  isCount(row[1]) &&
  isNames(row[2]) &&
  Array.isArray(row[3]) &&
  row[3].every((end) => Array.isArray(end) && typeof end[0] === 'string' && typeof end[1] === 'number');
