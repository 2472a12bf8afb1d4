// The state directory: where things lie in it, and whether it is ours alone. A directory others can write to, or put
// another in the place of, is refused before anything in it is believed; one others can only read is closed.

import { chmod, lstat, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Stats } from 'node:fs';
import { isCount, isObject } from './codec.ts';
import { codeOf } from './database.ts';
import { StoreError, type StoreHolder } from './store-error.ts';
import { weakStep, type WeakStep } from './weak-step.ts';

export interface StorePaths {
  readonly directory: string;
  readonly database: string;
  readonly seal: string;
  /** What came after the seal was last written whole. */
  readonly sealLog: string;
  readonly secret: string;
  /** Says who holds the lock; the lock itself is LevelDB's, so a stale file here is harmless. */
  readonly holder: string;
  /** Where whoever holds the lock serves other processes of its user. */
  readonly socket: string;
}

export const pathsIn = (directory: string): StorePaths => ({
  directory,
  database: join(directory, 'pins'),
  seal: join(directory, 'seal'),
  sealLog: join(directory, 'seal-changes'),
  secret: join(directory, 'secret'),
  holder: join(directory, 'holder'),
  socket: join(directory, 'pins.sock'),
});

/** `lstat`, or null when nothing is there. */
export async function found(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw refused(path, `cannot be looked at (${codeOf(error) ?? 'unknown error'})`, null);
  }
}

/** Makes the directory, mode 0700, when it is missing. Throws StoreError `store-permissions` where it cannot be, or others could replace it. */
export async function makeDirectory(directory: string): Promise<void> {
  await refuseUnsafeWay(directory);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refused(directory, `cannot be made (${codeOf(error) ?? 'unknown error'})`, elsewhere);
  }
}

const elsewhere = 'See what stands there (ls -ld), or name another directory with --state.';

/** Who may rename a folder above may put an empty one in its place, and every key would be a first use again. */
async function refuseUnsafeWay(directory: string): Promise<void> {
  if (process.getuid === undefined) return;
  const groups = [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  const way = await wayTo(directory);
  const weak = await weakStep(way, { groups }).catch((error: unknown) => {
    throw refused(way, `cannot be looked at (${codeOf(error) ?? 'unknown error'})`, elsewhere);
  });
  // What is missing will be ours.
  if (weak === null || weak.kind === 'absent') return;
  throw refused(directory, ...objectionTo(weak));
}

/** Where it is a link, its own place counts as well as the one it leads to. */
async function wayTo(directory: string): Promise<string> {
  const entry = await found(directory);
  return entry?.isSymbolicLink() === true ? resolve(directory) : dirname(resolve(directory));
}

function objectionTo(weak: Exclude<WeakStep, { readonly kind: 'absent' }>): readonly [string, string] {
  const { here } = weak;
  switch (weak.kind) {
    case 'foreign':
      return [
        `could be replaced by user ${weak.uid}, whose ${weak.what} ${here} is`,
        `chown${weak.what === 'link' ? ' -h' : ''} ${process.getuid?.() ?? 0} ${here}, or name a directory elsewhere with --state.`,
      ];
    case 'everybody':
      return [`could be replaced by everybody, who may write to ${here}`, `chmod o-w ${here}`];
    case 'group':
      return [`could be replaced by group ${weak.gid}, which may write to ${here}`, `chmod g-w ${here}`];
    case 'no-folder':
      return [`cannot be: ${here} is not a directory`, elsewhere];
  }
}

/** Throws StoreError `store-permissions` unless the directory and what the store keeps in it are ours alone. */
export async function checkOwned(paths: StorePaths): Promise<void> {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const entry = await found(paths.directory);
  if (entry === null) return;
  await refuseUnsafeWay(paths.directory);
  if (entry.isSymbolicLink() && entry.uid !== uid && entry.uid !== 0) {
    throw refused(
      paths.directory,
      `is a symbolic link of user ${entry.uid}`,
      'Name the directory itself with --state.',
    );
  }
  await checkEntry(paths.directory, { uid, kind: 'directory', mode: 0o700, follow: true });
  await checkEntry(paths.database, { uid, kind: 'directory', mode: 0o700, follow: false });
  for (const path of [paths.seal, paths.sealLog, paths.secret]) {
    await checkEntry(path, { uid, kind: 'file', mode: 0o600, follow: false });
  }
}

export interface Expected {
  readonly uid: number;
  readonly kind: 'directory' | 'file';
  readonly mode: number;
  readonly follow: boolean;
}

/** Throws StoreError `store-permissions` unless it is of the kind and user expected and others cannot write to it; closes it. */
export async function checkEntry(path: string, expected: Expected): Promise<void> {
  const entry = expected.follow ? await stat(path).catch(() => null) : await found(path);
  if (entry === null) {
    if (expected.follow) throw refused(path, 'points to nothing', 'Name the directory itself with --state.');
    return;
  }
  const right = expected.kind === 'directory' ? entry.isDirectory() : entry.isFile();
  if (!right)
    throw refused(
      path,
      `is not a ${expected.kind}`,
      `Move ${path} away, or name another directory with --state.`,
    );
  if (entry.uid !== expected.uid) {
    const mend = `Run letterlock as that user, or: chown -R ${expected.uid} ${path}`;
    throw refused(path, `belongs to user ${entry.uid}, not to user ${expected.uid}`, mend);
  }
  if ((entry.mode & 0o022) !== 0) {
    throw refused(path, 'can be written by others', `chmod ${expected.mode.toString(8)} ${path}`);
  }
  if ((entry.mode & 0o077) !== 0) await chmod(path, expected.mode);
}

const refused = (path: string, why: string, mend: string | null): StoreError =>
  new StoreError('store-permissions', `${path} ${why}`, mend === null ? {} : { hint: mend });

/** Leaves word of who holds the store. */
export async function writeHolder(paths: StorePaths): Promise<void> {
  const user = process.getuid === undefined ? null : nameOfUser();
  await rm(paths.holder, { force: true });
  await writeFile(paths.holder, JSON.stringify({ pid: process.pid, user }), { mode: 0o600 });
}

function nameOfUser(): string | null {
  try {
    return userInfo().username;
  } catch {
    return process.getuid === undefined ? null : String(process.getuid());
  }
}

export const removeHolder = (paths: StorePaths): Promise<void> => rm(paths.holder, { force: true });

/** StoreError `store-locked`, with the process that holds the store if it left word and lives. */
export async function lockedError(paths: StorePaths): Promise<StoreError> {
  const holder = await readHolder(paths);
  const who =
    holder === null
      ? 'another process'
      : `pid ${holder.pid}${holder.user === null ? '' : ` (user ${holder.user})`}`;
  return new StoreError('store-locked', `${who} already uses the pin store in ${paths.directory}`, {
    holder,
    hint: 'Stop it, or name another directory with --state.',
  });
}

async function readHolder(paths: StorePaths): Promise<StoreHolder | null> {
  try {
    const value: unknown = JSON.parse(await readFile(paths.holder, 'utf8'));
    if (!isObject(value) || !isCount(value['pid']) || value['pid'] === 0 || !lives(value['pid'])) return null;
    return { pid: value['pid'], user: typeof value['user'] === 'string' ? value['user'] : null };
  } catch {
    return null;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
