// The seal: a file outside the database that says which generation the database must have, and carries in
// full what a lost record would forget: every key rejected or given an end. A checksum tells accidents; it
// is not keyed, because whoever can write here can read the secret that would lie beside it. Here it is text; how it
// lies on the disk stands in seal-file.ts.

import { Pace } from '../pace.ts';
import { checksumLine, decode, encode, isCount, isObject } from './codec.ts';
import { checkFormat, isDigest, isNames, storeFormat } from './head.ts';
import type { SealedKeys } from './pin-store.ts';
import { noSealedKeys } from './sealed-keys.ts';

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

/** A seal to be written, whose rows are made one by one. */
export interface SealSource extends Omit<Seal, 'endpoints'> {
  readonly endpoints: Iterable<readonly [string, SealedEndpoint]>;
}

export const encodeSeal = ({ endpoints, ...facts }: SealSource): string =>
  encode('seal', { format: storeFormat, ...facts, endpoints: [...endpoints].map(sealedRow) });

const rowsOfPiece = 512;

/** What `encodeSeal` gives, in pieces made with turns of the event loop between. */
export async function sealPieces({ endpoints, ...facts }: SealSource): Promise<readonly Uint8Array[]> {
  const start = JSON.stringify({ format: storeFormat, ...facts, endpoints: [] }).slice(0, -2);
  const body: Uint8Array[] = [Buffer.from(start)];
  const pace = new Pace();
  let rows: string[] = [];
  const flush = (): void => {
    const joint = body.length === 1 || rows.length === 0 ? '' : ',';
    body.push(Buffer.from(`${joint}${rows.join(',')}`));
    rows = [];
  };
  for (const endpoint of endpoints) {
    rows.push(JSON.stringify(sealedRow(endpoint)));
    if (rows.length === rowsOfPiece) flush();
    if (pace.isDue) await pace.rest();
  }
  flush();
  body.push(Buffer.from(']}'));
  return [Buffer.from(checksumLine('seal', body)), ...body];
}

export const sealedRow = ([name, { revision, rejected, until }]: readonly [
  string,
  SealedEndpoint,
]): SealedRow => [name, revision, [...rejected], [...until]];

/** What a row says; most endpoints have nothing to say, and share it. */
export const sealedEndpoint = ([name, revision, rejected, until]: SealedRow): readonly [
  string,
  SealedEndpoint,
] => [
  name,
  rejected.length === 0 && until.length === 0
    ? { revision, ...noSealedKeys }
    : { revision, rejected: new Set(rejected), until: new Map(until) },
];

export function decodeSeal(text: string): Seal | null {
  const value = decode('seal', text);
  if (!isObject(value)) return null;
  checkFormat(value['format']);
  const { format, store, generation, count, digest, held, endpoints } = value;
  if (format !== storeFormat || typeof store !== 'string' || !isCount(generation) || !isCount(count))
    return null;
  if (!isDigest(digest) || !isNames(held) || !Array.isArray(endpoints) || !endpoints.every(isSealedRow))
    return null;
  return { store, generation, count, digest, held, endpoints: new Map(endpoints.map(sealedEndpoint)) };
}

export type SealedRow = readonly [string, number, readonly string[], readonly (readonly [string, number])[]];

export const isSealedRow = (row: unknown): row is SealedRow =>
  Array.isArray(row) &&
  typeof row[0] === 'string' &&
  isCount(row[1]) &&
  isNames(row[2]) &&
  Array.isArray(row[3]) &&
  row[3].every((end) => Array.isArray(end) && typeof end[0] === 'string' && typeof end[1] === 'number');
