// Opens the embedded pin store: one process, one LevelDB, one seal beside it. A store is created only where
// neither database nor seal is, and only when asked; everything that does not fit together is damage, and a
// damaged store is never mistaken for an empty one. The turns of its one writer stand in level-store.ts.

import { randomBytes } from 'node:crypto';
import { auditRetention, chainStart, entryOf, type AuditRow, type Retention } from './audit.ts';
import { readAudit } from './audit-log.ts';
import { encode } from './codec.ts';
import { asStoreError, keys, type Operation } from './database.ts';
import { checkOwned, makeDirectory, pathsIn, writeHolder, type StorePaths } from './directory.ts';
import { closeUmask } from './umask.ts';
import type { EmbeddedStore } from './embedded-store.ts';
import { encodeHead } from './head.ts';
import { diskIo, type StoreIo } from './io.ts';
import { newHead } from './ledger.ts';
import { LevelStore } from './level-store.ts';
import { lookAt, makeDatabase, type Look } from './look.ts';
import { makeSecret, passingSecret, storeExists } from './secret.ts';
import { StoreError } from './store-error.ts';

export type { EmbeddedStore } from './embedded-store.ts';

export interface LevelOptions {
  /** The state directory, made with mode 0700 if need be. */
  readonly directory: string;
  /** Make a store where there is none. Without it that is StoreError `store-missing`. */
  readonly create: boolean;
  readonly now: () => number;
  /**
   * `as-is` leaves the umask of the process alone: for a process that is not ours, where the mode of the state
   * directory must do. Default `closed`.
   */
  readonly umask?: 'closed' | 'as-is';
  readonly io?: StoreIo;
  readonly retention?: Retention;
  /** A seal of fewer bytes is written whole at every change; of a longer one only what changed. */
  readonly smallSealBytes?: number;
}

/**
 * Opens the store in `directory`; the caller closes it. Sets the umask of the process to 077 unless told otherwise. Damage is no
 * error here: see `health()`. Throws StoreError `store-locked` (with its holder), `store-missing`,
 * `store-newer`, `store-permissions`, `store-io`.
 */
export async function openLevelStore(options: LevelOptions): Promise<EmbeddedStore> {
  const { directory, create, now, io = diskIo, retention = auditRetention } = options;
  const paths = pathsIn(directory);
  if (options.umask !== 'as-is') closeUmask();
  if (create) await makeDirectory(directory);
  await checkOwned(paths);
  const first = !(await storeExists(paths));
  if (first) await createStore(paths, { create, io });
  const look = await lookAt(paths, 'in-doubt');
  try {
    // Only for the message another process shows: not worth refusing to start.
    await writeHolder(paths).catch(() => undefined);
    const unannounced = await unannouncedIn(look);
    const store = new LevelStore(look, {
      paths,
      now,
      io,
      retention,
      smallSealBytes: options.smallSealBytes,
      first,
      secret: look.secret ?? passingSecret(),
      unannounced: unannounced.map(entryOf),
    });
    await store.heal();
    return store;
  } catch (error) {
    await look.database?.close();
    throw asStoreError(error, `the pin store in ${paths.directory} cannot be opened`);
  }
}

// The secret comes before the database: from then on a store without one is known to have lost it.
async function createStore(
  paths: StorePaths,
  options: { readonly create: boolean; readonly io: StoreIo },
): Promise<void> {
  if (!options.create) throw new StoreError('store-missing', `there is no pin store in ${paths.directory}`);
  const head = newHead(randomBytes(16).toString('hex'), chainStart);
  const operations: Operation[] = [
    { type: 'put', key: keys.head, value: encodeHead(head) },
    { type: 'put', key: keys.announced, value: encode(keys.announced, 0) },
  ];
  try {
    await makeSecret(paths, options.io);
    await makeDatabase(paths, operations, options.io);
  } catch (error) {
    throw asStoreError(error, `no pin store could be made in ${paths.directory}`);
  }
}

async function unannouncedIn({ database, survey }: Look): Promise<readonly AuditRow[]> {
  const head = survey?.head ?? null;
  if (database === null || survey === null || head === null) return [];
  const rows: AuditRow[] = [];
  try {
    for await (const row of readAudit(database, survey.announced ?? survey.checkpoint.sequence)) {
      if (survey.announced !== null || row.generation === head.generation) rows.push(row);
    }
  } catch {
    // A log that breaks off is told by verify; what was read of it is still worth telling.
  }
  return rows;
}
