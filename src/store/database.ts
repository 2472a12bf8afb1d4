// The embedded database, behind the few things the store asks of it. LevelDB loses records without a word
// when its files are damaged; nothing read here may be believed before the seal was compared.

import type { Level } from 'level';
import { StoreError } from './store-error.ts';

export type Database = Level;

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };

/** Keys of the database. Audit numbers are padded so that they sort. */
export const keys = {
  head: 'head',
  checkpoint: 'checkpoint',
  announced: 'announced',
  record: (endpoint: string) => `record!${endpoint}`,
  touch: (endpoint: string) => `touch!${endpoint}`,
  audit: (sequence: number) => `audit!${String(sequence).padStart(16, '0')}`,
} as const;

/** The range of keys with this prefix, as iterators take it. */
export const range = (prefix: 'record' | 'touch' | 'audit') => ({ gt: `${prefix}!`, lt: `${prefix}"` });

export type Opening =
  | { readonly state: 'open'; readonly database: Database }
  | { readonly state: 'locked' }
  | { readonly state: 'broken'; readonly detail: string };

/** Opens what exists; with `create` makes it. The caller closes it. */
export async function openDatabase(
  location: string,
  options: { readonly create: boolean },
): Promise<Opening> {
  const { Level } = await import('level');
  const database = new Level(location, { createIfMissing: options.create, errorIfExists: options.create });
  try {
    await database.open();
    return { state: 'open', database };
  } catch (error) {
    await database.close().catch(() => undefined);
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (codeOf(cause) === 'LEVEL_LOCKED') return { state: 'locked' };
    return { state: 'broken', detail: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** Lets LevelDB collect what it can out of a directory that does not open; the directory is changed by it. */
export async function salvageDatabase(location: string): Promise<void> {
  const { Level } = await import('level');
  const repair: unknown = Reflect.get(Level, 'repair');
  if (typeof repair !== 'function') throw new StoreError('store-io', 'this build of LevelDB cannot repair');
  await Reflect.apply(repair, Level, [location]);
}

export function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** `error` as the one kind of error a store throws. */
export function asStoreError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new StoreError('store-io', `${what}: ${why}`, { cause: error });
}
