// Records as they stand in the database: one line of checksum, one line of JSON. The checksum covers the
// key as well, so a record that turns up under another endpoint's key does not verify. It guards against
// accidents (flipped bits, torn files), not against somebody who may write here: he could write the rest too.

import { createHash, hash } from 'node:crypto';
import type { EndpointRecord } from '../trust/record.ts';

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

/** Of the line of checksum, its end included. */
export const checksumLength = 65;

/** What follows the checksum, or null when that does not hold. */
export function soundBody(key: string, text: string): string | null {
  if (text[checksumLength - 1] !== '\n') return null;
  const body = text.slice(checksumLength);
  return text.startsWith(hashOf(key, body)) ? body : null;
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

/** The row stored under `key`, or null when its checksum does not hold or it is another endpoint's. */
export function decodeRow(key: string, endpoint: string, text: string): RecordRow | null {
  const body = soundBody(key, text);
  if (body === null) return null;
  const row = parsed(body);
  return isRow(row) && row.endpoint === endpoint ? row : null;
}

/** The fields in this order: see unread-row.ts. */
export const encodeRow = (key: string, { endpoint, revision, generation, record }: RecordRow): string =>
  encode(key, { endpoint, revision, generation, record });
