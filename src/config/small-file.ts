// Reads a small file that the configuration names, such as a key or a password. Never more than it can be, and
// nothing that could make the reading wait, such as a pipe.

import { readFile, stat } from 'node:fs/promises';

export interface SmallFile {
  readonly text: string;
  /** Every user of this machine may read it. */
  readonly openToAll: boolean;
}

const maxBytes = 262_144;

/** The file, or in words why it cannot be read. */
export async function readSmallFile(path: string): Promise<SmallFile | string> {
  try {
    const { mode, size } = await stat(path);
    // Asked before anything is opened: opening a pipe that nobody writes to never ends.
    if ((mode & 0o170000) !== 0o100000) return 'it is not a regular file';
    if (size > maxBytes) return `it is larger than ${maxBytes} bytes`;
    return { text: await readFile(path, 'utf8'), openToAll: (mode & 0o004) !== 0 };
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  }
}
