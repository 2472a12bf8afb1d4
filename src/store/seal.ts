// The seal: a file outside the database that says which generation the database must have, and carries in
// full what a lost record would forget: every key rejected or given an end. A checksum tells accidents; it
// is not keyed, because whoever can write here can read the secret that would lie beside it. Here it is text; how it
// lies on the disk stands in seal-file.ts.

import { Pace } from '../pace.ts';
import { checksumLine, encode, isCount, isObject, parsed, soundBody } from './codec.ts';
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

/** A seal of which nobody else has a part yet. */
export interface ReadSeal extends Seal {
  readonly endpoints: Map<string, SealedEndpoint>;
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

/** What `encodeSeal` wrote, read with turns of the event loop between; null when it is not that. Throws StoreError `store-newer`. */
export async function decodeSeal(text: string): Promise<ReadSeal | null> {
  const body = soundBody('seal', text);
  if (body === null) return null;
  const at = body.indexOf(rowsStart);
  const value = parsed(at === -1 ? body : `${body.slice(0, at)}}`);
  if (!isObject(value)) return null;
  checkFormat(value['format']);
  const { format, store, generation, count, digest, held } = value;
  if (format !== storeFormat || typeof store !== 'string' || !isCount(generation) || !isCount(count))
    return null;
  if (!isDigest(digest) || !isNames(held) || at === -1 || !body.endsWith(rowsEnd)) return null;
  const endpoints = await endpointsIn(body.slice(at + rowsStart.length, -rowsEnd.length));
  return endpoints === null ? null : { store, generation, count, digest, held, endpoints };
}

/** The rows come last. In a name the quotes would be escaped. */
const [rowsStart, rowsEnd] = [',"endpoints":[', ']}'];
/** Between two rows, and nowhere in one: of a row only its end has two brackets before a comma. */
const betweenRows = ']],["';
const pieceLength = 65_536;

async function endpointsIn(rows: string): Promise<Map<string, SealedEndpoint> | null> {
  const endpoints = new Map<string, SealedEndpoint>();
  const pace = new Pace();
  for (let at = 0; at < rows.length;) {
    const joint = rows.indexOf(betweenRows, at + pieceLength);
    const end = joint === -1 ? rows.length : joint + 2;
    const piece = parsed(`[${rows.slice(at, end)}]`);
    if (!Array.isArray(piece) || !piece.every(isSealedRow)) return null;
    for (const row of piece) endpoints.set(...sealedEndpoint(row));
    at = end + 1;
    if (pace.isDue) await pace.rest();
  }
  return endpoints;
}

export type SealedRow = readonly [string, number, readonly string[], readonly (readonly [string, number])[]];

export const isSealedRow = (row: unknown): row is SealedRow =>
  Array.isArray(row) &&
  typeof row[0] === 'string' &&
  isCount(row[1]) &&
  isNames(row[2]) &&
  Array.isArray(row[3]) &&
  row[3].every((end) => Array.isArray(end) && typeof end[0] === 'string' && typeof end[1] === 'number');
