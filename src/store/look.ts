// Opens what lies in a state directory and says in what state it is. The same look is taken at the start,
// after a failed turn, and by verify and repair.

import { randomBytes } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { Pace } from '../pace.ts';
import { appraise, type Appraisal, type Remains } from './appraise.ts';
import { asStoreError, openDatabase, type Database, type Operation } from './database.ts';
import { found, lockedError, type StorePaths } from './directory.ts';
import type { StoreIo } from './io.ts';
import type { Seal } from './seal.ts';
import { readSeal } from './seal-file.ts';
import { readSecret } from './secret.ts';
import type { Checksums } from './stock.ts';
import { StoreError } from './store-error.ts';
import { survey, type Survey } from './survey.ts';

export interface Look extends Omit<Remains, 'secret'> {
  /** Open; whoever looks closes it. */
  readonly database: Database | null;
  readonly secret: Uint8Array | null;
  readonly appraisal: Appraisal;
}

/** Never creates anything. Throws StoreError `store-locked`, `store-newer`, and `store-io` where this is no time to look. */
export async function lookAt(paths: StorePaths, checksums: Checksums): Promise<Look> {
  const opened = await openExisting(paths);
  try {
    return await lookInto(paths, { ...opened, checksums });
  } catch (error) {
    await opened.database?.close();
    throw error;
  }
}

/** A look at a database that is open already, or known not to open. */
export async function lookInto(
  paths: StorePaths,
  { database, broken, checksums }: Opened & { readonly checksums: Checksums },
): Promise<Look> {
  const seal = await readSeal(paths);
  const secret = await readSecret(paths);
  const names = seal.state === 'read' ? seal.seal.endpoints.keys() : [];
  const taken = database === null ? null : await survey(database, { names, checksums });
  const missing = seal.state === 'read' ? await missingOf(seal.seal, taken) : [];
  const remains: Remains = { survey: taken, broken, seal, missing, secret: secret !== null };
  return { ...remains, database, secret, appraisal: appraise(remains) };
}

/** A hundred thousand names to look for, with turns of the event loop between. */
async function missingOf({ endpoints }: Seal, taken: Survey | null): Promise<readonly string[]> {
  const missing: string[] = [];
  const pace = new Pace();
  for (const endpoint of endpoints.keys()) {
    if (taken?.weights.has(endpoint) !== true) missing.push(endpoint);
    if (pace.isDue) await pace.rest();
  }
  return missing;
}

interface Opened {
  readonly database: Database | null;
  readonly broken: string | null;
}

// LevelDB makes the directory of a database it was told not to create, so look before.
async function openExisting(paths: StorePaths): Promise<Opened> {
  if ((await found(paths.database)) === null) return { database: null, broken: 'the database is missing' };
  const opening = await openDatabase(paths.database, { create: false });
  switch (opening.state) {
    case 'open':
      return { database: opening.database, broken: null };
    case 'locked':
      throw await lockedError(paths);
    case 'broken':
      if (notNow.test(opening.detail)) throw notOpenedNow(paths, opening.detail);
      return { database: null, broken: `the database does not open: ${opening.detail}` };
  }
}

// LevelDB writes when it opens. Of a disk that does not let it nothing can be said, least of all that pins are lost: whoever
// is told so may start over.
const notNow =
  /No space left on device|Disk quota exceeded|Read-only file system|Permission denied|Operation not permitted|Too many open files|Cannot allocate memory/;

const notOpenedNow = ({ directory }: StorePaths, detail: string): StoreError =>
  new StoreError('store-io', `the pin store in ${directory} cannot be opened now: ${detail}`, {
    hint: 'This says nothing against its files: make room, or let letterlock write there, and start it again.',
  });

/**
 * Makes a database that holds `operations` and puts it in its place in one step, so that a database that is
 * there was always finished. Where another process was faster, that one's stays.
 */
export async function makeDatabase(
  paths: StorePaths,
  operations: readonly Operation[],
  io: StoreIo,
): Promise<void> {
  const temporary = await buildDatabase(paths, operations, io);
  try {
    await io.rename(temporary, paths.database);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if ((await found(paths.database)) === null) throw error;
  }
  await io.syncDirectory(paths.directory);
}

/** A finished database beside its place; the path of it. */
export async function buildDatabase(
  paths: StorePaths,
  operations: readonly Operation[],
  io: StoreIo,
): Promise<string> {
  const temporary = `${paths.database}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    const opening = await openDatabase(temporary, { create: true });
    if (opening.state !== 'open')
      throw new StoreError('store-io', `no database could be made in ${paths.directory}`);
    try {
      await io.writeBatch(opening.database, operations);
    } finally {
      await opening.database.close();
    }
    // LevelDB makes it as the umask has it, which need not be ours.
    await chmod(temporary, 0o700);
    await io.syncDirectory(temporary);
    return temporary;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw asStoreError(error, `no database could be made in ${paths.directory}`);
  }
}
