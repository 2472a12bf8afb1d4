// A row of which no more is read than its start until somebody asks for its record: to make objects of a hundred thousand
// takes longer than all else at the start, and few are asked for. Its text must have been written by `encodeRow`; whether it
// was, the checksum says, or the digest of all.

import { checksumLength, soundBody, type RecordRow } from './codec.ts';
import type { EndpointRecord } from '../trust/record.ts';
import type { StoredRecord } from './pin-store.ts';

/** How `encodeRow` writes a row with a record. */
const rowStart =
  /^\{"endpoint":"([^"\\]+)","revision":(\d{1,15}),"generation":(\d{1,15}),"record":(?=\{"endpoint":"\1","epoch":(\d{1,15}),)/;

/** What the start of a row says; null for what `encodeRow` writes in another way, or not at all. */
export function startOfRow(endpoint: string, text: string): RowStart | null {
  const found = rowStart.exec(text.slice(checksumLength));
  if (found === null || found[1] !== endpoint || !text.endsWith('}}')) return null;
  const [, , revision, generation, epoch] = found;
  return { endpoint, revision: Number(revision), generation: Number(generation), epoch: Number(epoch) };
}

export interface RowStart {
  readonly endpoint: string;
  readonly revision: number;
  readonly generation: number;
  readonly epoch: number;
}

/** It is never spread, which would leave the record behind. */
export class UnreadRow implements RecordRow, StoredRecord {
  readonly endpoint: string;
  readonly revision: number;
  readonly generation: number;
  readonly epoch: number;
  readonly verified = true;
  #text: string | null;
  #record: EndpointRecord | null = null;

  /** `text`: the row as it is stored. */
  constructor({ endpoint, revision, generation, epoch }: RowStart, text: string) {
    this.endpoint = endpoint;
    this.revision = revision;
    this.generation = generation;
    this.epoch = epoch;
    this.#text = text;
  }

  get record(): EndpointRecord | null {
    if (this.#text !== null) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the digest or the checksum held: it is what was stored
      this.#record = (JSON.parse(this.#text.slice(checksumLength)) as RecordRow).record;
      this.#text = null;
    }
    return this.#record;
  }

  /** Whether its own checksum holds; asked before the record is. */
  isSound(key: string): boolean {
    return this.#text === null || soundBody(key, this.#text) !== null;
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
