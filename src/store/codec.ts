// Records as they stand in the database: one line of checksum, one line of JSON. The checksum covers the
// key as well, so a record that turns up under another endpoint's key does not verify. It guards against
// accidents (flipped bits, torn files), not against somebody who may write here: he could write the rest too.

import { createHash, hash } from 'node:crypto';
import type { EndpointRecord } from '../trust/record.ts';
import type { StoredRecord } from './pin-store.ts';

/** A record as stored. `generation` is the turn that wrote it. */
export interface RecordRow {
  readonly endpoint: string;
  readonly revision: number;
  readonly generation: number;
  /** null is a tombstone. */
  readonly record: EndpointRecord | null;
}

/** SHA-256 in hex over the parts, each preceded by its length so that no two lists of parts look alike. */
export function hashOf(...parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return hash('sha256', text);
}

/** `encode` for a text that comes in pieces: what to put before them. */
export function checksumLine(key: string, body: readonly Uint8Array[]): string {
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  const whole = createHash('sha256').update(`${Buffer.byteLength(key)}:${key}${length}:`);
  for (const piece of body) whole.update(piece);
  return `${whole.digest('hex')}\n`;
}

/** `value` as checksummed text under `key`. */
export function encode(key: string, value: unknown): string {
  const body = JSON.stringify(value);
  return `${hashOf(key, body)}\n${body}`;
}

/** The value stored under `key`, or null when its checksum does not hold. */
export function decode(key: string, text: string): unknown {
  const body = soundBody(key, text);
  return body === null ? null : parsed(body);
}

/** What follows the checksum, or null when that does not hold. */
export function soundBody(key: string, text: string): string | null {
  const end = text.indexOf('\n');
  if (end !== 64) return null;
  const body = text.slice(end + 1);
  return hashOf(key, body) === text.slice(0, end) ? body : null;
}

/** null for what is no JSON. */
export function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return null;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

// What stands inside a record is not looked at again: the checksum says that it is what was stored.
const isRow = (value: unknown): value is RecordRow =>
  isObject(value) &&
  typeof value['endpoint'] === 'string' &&
  isCount(value['revision']) &&
  isCount(value['generation']) &&
  (value['record'] === null || isObject(value['record']));

export function decodeRow(key: string, endpoint: string, text: string): RecordRow | null {
  const body = soundBody(key, text);
  if (body === null) return null;
  const row = rowByItsStart(body) ?? parsed(body);
  return (row instanceof UnreadRow || isRow(row)) && row.endpoint === endpoint ? row : null;
}

/** The fields in this order: see `rowStart`. */
export const encodeRow = (key: string, { endpoint, revision, generation, record }: RecordRow): string =>
  encode(key, { endpoint, revision, generation, record });

/** How `encodeRow` writes a row with a record: no more is needed of it before somebody asks for the record. */
const rowStart =
  /^\{"endpoint":"([^"\\]+)","revision":(\d{1,15}),"generation":(\d{1,15}),"record":(?=\{"endpoint":"\1","epoch":(\d{1,15}),)/;

function rowByItsStart(body: string): UnreadRow | null {
  const found = rowStart.exec(body);
  return found === null || !body.endsWith('}}') ? null : new UnreadRow(body, found);
}

/**
 * A row whose record is made when somebody asks for it: to make objects of a hundred thousand takes longer than all else
 * at the start, and few are asked for. It is never spread, which would leave the record behind.
 */
class UnreadRow implements RecordRow, StoredRecord {
  readonly endpoint: string;
  readonly revision: number;
  readonly generation: number;
  readonly epoch: number;
  readonly verified = true;
  #text: string | null;
  #record: EndpointRecord | null = null;

  constructor(body: string, [, endpoint = '', revision, generation, epoch]: RegExpExecArray) {
    this.endpoint = endpoint;
    this.revision = Number(revision);
    this.generation = Number(generation);
    this.epoch = Number(epoch);
    this.#text = body;
  }

  get record(): EndpointRecord | null {
    if (this.#text !== null) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the checksum held: it is what was stored
      this.#record = (JSON.parse(this.#text) as RecordRow).record;
      this.#text = null;
    }
    return this.#record;
  }
}

/** Whether there is one, without reading it. */
export const hasRecord = (stored: Pick<StoredRecord, 'record'>): boolean =>
  stored instanceof UnreadRow || stored.record !== null;

export function storedOf(row: RecordRow): StoredRecord {
  if (row instanceof UnreadRow) return row;
  const { endpoint, revision, record } = row;
  return { endpoint, revision, record, verified: true };
}
