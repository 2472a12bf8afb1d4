// What the files of the database looked like when it was last closed in good order. Where they look otherwise nobody knows
// what became of them since: LevelDB writes some at each opening, so that a holder that was killed leaves others behind.
// It is a hint for where to look twice, and must never be taken as a word for what the files hold.

import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StorePaths } from './directory.ts';

/** Leaves word of how they look now: call it when the database was closed. Never rejects; without it the next start looks twice. */
export async function noteClose(paths: StorePaths): Promise<void> {
  const temporary = `${paths.lastClose}.new-${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(temporary, await looksOf(paths), { mode: 0o600, flag: 'wx' });
    await rename(temporary, paths.lastClose);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Whether they look as they did at the last close. Never rejects. */
export async function isAsClosed(paths: StorePaths): Promise<boolean> {
  try {
    return (await looksOf(paths)) === (await readFile(paths.lastClose, 'utf8'));
  } catch {
    return false;
  }
}

async function looksOf({ database }: StorePaths): Promise<string> {
  const names = (await readdir(database)).toSorted();
  const looks = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeNs } = await stat(join(database, name), { bigint: true });
      return `${size} ${mtimeNs} ${JSON.stringify(name)}\n`;
    }),
  );
  return looks.join('');
}
