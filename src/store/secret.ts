// The store secret: 32 random bytes that key the short references of candidates, so that nobody can make a
// key with a reference of his choice. It decides nothing. It is made with the store and never again: a store
// without it is a damaged one, and the references of that run are of a secret that dies with it.

import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat } from 'node:fs/promises';
import { codeOf } from './database.ts';
import { checkOwned, found, makeDirectory, pathsIn, type StorePaths } from './directory.ts';
import { closeUmask } from './umask.ts';
import { diskIo, type StoreIo } from './io.ts';
import { StoreError } from './store-error.ts';

const secretBytes = 32;

/**
 * The secret of the store in `directory`. With `create`, and where there is no store yet, it is made. Where a
 * store exists without one, the answer is a passing secret: openLevelStore says then that the store is damaged.
 * Throws StoreError `store-missing`, `store-permissions`, `store-io`.
 */
export async function loadSecret(
  directory: string,
  options: { readonly create: boolean },
): Promise<Uint8Array> {
  const paths = pathsIn(directory);
  if (options.create) {
    closeUmask();
    await makeDirectory(directory);
  }
  await checkOwned(paths);
  const secret = await readSecret(paths);
  if (secret !== null) return secret;
  if (await storeExists(paths)) return passingSecret();
  if (options.create) return makeSecret(paths, diskIo);
  throw new StoreError('store-missing', `there is no pin store in ${directory}`);
}

export const storeExists = async (paths: StorePaths): Promise<boolean> =>
  (await found(paths.database)) !== null ||
  (await found(paths.seal)) !== null ||
  (await found(paths.sealLog)) !== null;

/** null when it is missing or not of its size. Throws StoreError `store-io` when it cannot be read. */
export async function readSecret(paths: StorePaths): Promise<Uint8Array | null> {
  try {
    const secret = await readFile(paths.secret);
    return secret.length === secretBytes ? secret : null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new StoreError('store-io', `${paths.secret} cannot be read`, { cause: error });
  }
}

/**
 * Makes the secret unless one of the right size is there, and answers with the one that is. Of any number of processes
 * that start at once all end with the same: what another one made is never taken away.
 */
export async function makeSecret(paths: StorePaths, io: StoreIo): Promise<Uint8Array> {
  const present = await readSecret(paths);
  if (present !== null) return present;
  const temporary = aside(paths, 'new');
  try {
    await io.writeFile(temporary, randomBytes(secretBytes));
    await io.syncFile(temporary);
    if (!(await put(temporary, paths))) {
      // In its place is one that another process made meanwhile, or one that is short.
      if ((await readSecret(paths)) === null) await removeShort(paths);
      await put(temporary, paths);
    }
  } finally {
    await rm(temporary, { force: true });
  }
  await io.syncDirectory(paths.directory);
  const made = await readSecret(paths);
  if (made === null) throw new StoreError('store-io', `${paths.secret} could not be made`);
  return made;
}

const aside = (paths: StorePaths, word: 'new' | 'short'): string =>
  `${paths.secret}.${word}-${randomBytes(4).toString('hex')}`;

/** Whether it is in its place now; not where another one is. */
async function put(file: string, paths: StorePaths): Promise<boolean> {
  try {
    await link(file, paths.secret);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Looks at what it took: another process may have put a good one there in between, and that one goes back. */
async function removeShort(paths: StorePaths): Promise<void> {
  const taken = aside(paths, 'short');
  try {
    await rename(paths.secret, taken);
    if ((await stat(taken)).size === secretBytes) await put(taken, paths);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  } finally {
    await rm(taken, { force: true });
  }
}

export const passingSecret = (): Uint8Array => randomBytes(secretBytes);
