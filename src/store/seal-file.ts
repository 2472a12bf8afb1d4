// The seal as it lies on the disk: whole in one file, and what came after in another (seal-log.ts). A small seal is written
// whole each time; of a large one the changes are appended, until they are as long as the seal itself. It must never
// append where it does not know what stands there.

import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './database.ts';
import type { StorePaths } from './directory.ts';
import { replaceFile, type StoreIo } from './io.ts';
import { decodeSeal, sealPieces, type Seal, type SealSource } from './seal.ts';
import { encodeStep, followLog, type SealStep } from './seal-log.ts';

/** Where the next line of the log goes. */
export interface SealEnd {
  /** Of the seal last written whole. */
  readonly wholeBytes: number;
  /** 0 where there is no log yet. */
  readonly logBytes: number;
  readonly hash: string;
}

export type SealReading =
  | { readonly state: 'none' }
  /** `end` is null where the next one must be written whole. */
  | { readonly state: 'read'; readonly seal: Seal; readonly end: SealEnd | null }
  | { readonly state: 'unreadable'; readonly detail: string };

/** Never throws for what the files hold, except StoreError `store-newer`. */
export async function readSeal({ seal: path, sealLog }: StorePaths): Promise<SealReading> {
  try {
    const [text, log] = await Promise.all([textIn(path), textIn(sealLog)]);
    if (text === null) return log === null ? { state: 'none' } : unreadable('only its log is there');
    const seal = await decodeSeal(text);
    if (seal === null) return unreadable('its checksum does not hold');
    const hash = text.slice(0, 64);
    const wholeBytes = Buffer.byteLength(text);
    if (log === null) return { state: 'read', seal, end: { wholeBytes, logBytes: 0, hash } };
    const followed = await followLog(seal, hash, log);
    if (followed === null) return unreadable('its log does not follow it');
    const end = { wholeBytes, logBytes: Buffer.byteLength(log), hash: followed.hash };
    return { state: 'read', seal: followed.seal, end: followed.state === 'open' ? end : null };
  } catch (error) {
    if (codeOf(error)?.startsWith('store-') === true) throw error;
    return unreadable(error instanceof Error ? error.message : String(error));
  }
}

const unreadable = (detail: string): SealReading => ({ state: 'unreadable', detail });

async function textIn(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Writes the seal whole. What the log says is in it from then on, whether the log is gone or not. */
export async function writeSeal(
  paths: Pick<StorePaths, 'seal' | 'sealLog'>,
  seal: SealSource,
  io: StoreIo,
): Promise<SealEnd> {
  const bytes = Buffer.concat(await sealPieces(seal));
  await replaceFile(paths.seal, bytes, io);
  await rm(paths.sealLog, { force: true });
  return { wholeBytes: bytes.length, logBytes: 0, hash: bytes.toString('latin1', 0, 64) };
}

export interface SealFileOptions {
  readonly paths: Pick<StorePaths, 'seal' | 'sealLog'>;
  readonly io: StoreIo;
  /** A seal of fewer bytes is always written whole. */
  readonly smallBytes: number;
}

/** Half a millisecond to write, and some five hundred endpoints. */
export const usualSmallBytes = 65_536;

export class SealFile {
  readonly #options: SealFileOptions;
  #end: SealEnd | null;

  constructor(options: SealFileOptions, end: SealEnd | null) {
    this.#options = options;
    this.#end = end;
  }

  /** On the disk when it resolves. After it failed the next one is written whole. */
  async follow(step: SealStep, whole: () => SealSource): Promise<void> {
    const { paths, io, smallBytes } = this.#options;
    const end = this.#end;
    this.#end = null;
    if (end === null || end.wholeBytes < smallBytes) return this.write(whole());
    const { hash, text } = encodeStep(end.hash, step);
    const line = Buffer.from(text);
    if (end.logBytes + line.length > end.wholeBytes) return this.write(whole());
    if (end.logBytes > 0) await io.appendFile(paths.sealLog, line);
    else await newFile(paths.sealLog, line, io);
    this.#end = { ...end, logBytes: end.logBytes + line.length, hash };
  }

  async write(seal: SealSource): Promise<void> {
    const { paths, io } = this.#options;
    this.#end = null;
    this.#end = await writeSeal(paths, seal, io);
  }
}

async function newFile(path: string, bytes: Uint8Array, io: StoreIo): Promise<void> {
  await io.writeFile(path, bytes);
  await io.syncFile(path);
  await io.syncDirectory(dirname(path));
}
