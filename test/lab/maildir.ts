// Reading Maildirs.

import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './wait.ts';

async function paths(maildir: string): Promise<readonly string[]> {
  const folders = await Promise.all(
    ['new', 'cur'].map(async (name) => {
      const names = await readdir(join(maildir, name)).catch(() => []);
      return names.toSorted((a, b) => a.localeCompare(b)).map((file) => join(maildir, name, file));
    }),
  );
  return folders.flat();
}

/** Files of new/ and cur/, by name; none when there is no such Maildir. */
export async function maildirFiles(maildir: string): Promise<readonly Buffer[]> {
  return Promise.all((await paths(maildir)).map((path) => readFile(path)));
}

/** Empties it. */
export async function discardMaildir(maildir: string): Promise<void> {
  await Promise.all((await paths(maildir)).map((path) => rm(path)));
}

/** Waits until exactly `count` messages lie there and removes them; fails when there are more. */
export async function collectMaildir(maildir: string, count: number): Promise<readonly Buffer[]> {
  const found = await until(
    `${count} messages in ${maildir}`,
    async () => {
      const there = await paths(maildir);
      if (there.length > count)
        throw new Error(`${there.length} messages in ${maildir} where ${count} were sent`);
      return there.length === count ? there : null;
    },
    30_000,
  );
  const messages = await Promise.all(found.map((path) => readFile(path)));
  await Promise.all(found.map((path) => rm(path)));
  return messages;
}
