// The steps by which a store touches the disk, as one object, so that each of them can be made to fail in a
// test. Order and meaning of the steps are the write protocol's business, not this file's.

import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Database, Operation } from './database.ts';

export interface StoreIo {
  /** One atomic batch, on the disk when it resolves. */
  writeBatch(database: Database, operations: readonly Operation[]): Promise<void>;
  /** A new file of mode 0600 with these bytes; whatever stood there is gone. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** More at the end of a file that is there, on the disk when it resolves. */
  appendFile(path: string, bytes: Uint8Array): Promise<void>;
  syncFile(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

export const diskIo: StoreIo = {
  async writeBatch(database, operations) {
    await database.batch([...operations], { sync: true });
  },
  async writeFile(path, bytes) {
    await rm(path, { force: true });
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  },
  async appendFile(path, bytes) {
    const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  syncFile: (path) => synced(path, 'r+'),
  rename: (from, to) => rename(from, to),
  async syncDirectory(path) {
    if (process.platform !== 'win32') await synced(path, 'r');
  },
};

async function synced(path: string, flags: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Puts `bytes` in the place of `path` so that a crash leaves the old content or the new, never a part. */
export async function replaceFile(path: string, bytes: Uint8Array, io: StoreIo): Promise<void> {
  const temporary = `${path}.new`;
  await io.writeFile(temporary, bytes);
  await io.syncFile(temporary);
  await io.rename(temporary, path);
  await io.syncDirectory(dirname(path));
}
