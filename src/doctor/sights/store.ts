// The pin store: as the daemon says, else by a look into its files. A store of another user is not opened, because
// whatever database is opened is written to; and nothing is made or mended here.

import { stat } from 'node:fs/promises';
import { pathsIn } from '../../store/directory.ts';
import { closeUmask } from '../../store/umask.ts';
import { lookAt } from '../../store/look.ts';
import { storeExists } from '../../store/secret.ts';
import { StoreError } from '../../store/store-error.ts';
import type { StoreFacts } from '../checks/store.ts';
import type { DaemonSight } from './daemon.ts';
import { textOf } from './files.ts';

export async function seeStore(directory: string, { status, verified }: DaemonSight): Promise<StoreFacts> {
  if (status?.stateDirectory === directory && verified !== null) {
    const { store, problems } = verified;
    const { state: health, records, generation } = store;
    return { state: 'daemon', directory, health, records, generation, problems };
  }
  const owner = await ownerOf(directory);
  if (owner === null) return { state: 'missing', directory };
  if (owner !== process.geteuid?.())
    return { state: 'foreign', directory, owner: (await userNamed(owner)) ?? `#${owner}` };
  return seeFiles(directory);
}

async function seeFiles(directory: string): Promise<StoreFacts> {
  try {
    const paths = pathsIn(directory);
    if (!(await storeExists(paths))) return { state: 'missing', directory };
    closeUmask();
    const { database, appraisal, survey } = await lookAt(paths, 'all');
    await database?.close();
    const head = survey?.head ?? null;
    return {
      state: 'files',
      directory,
      health: appraisal.state,
      records: head?.count ?? null,
      generation: head?.generation ?? null,
      problems: appraisal.findings,
    };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code !== 'store-locked')
      return { state: 'unreadable', directory, message: error.message, hint: error.hint };
    const { holder } = error;
    const who =
      holder === null ? null : `pid ${holder.pid}${holder.user === null ? '' : ` (user ${holder.user})`}`;
    return { state: 'locked', directory, holder: who };
  }
}

async function ownerOf(directory: string): Promise<number | null> {
  const facts = await stat(directory).catch(() => null);
  return facts?.uid ?? null;
}

async function userNamed(uid: number): Promise<string | null> {
  for (const line of (await textOf('/etc/passwd')).split('\n')) {
    const [name = '', , id] = line.split(':');
    if (id === String(uid)) return name;
  }
  return null;
}
