// Asks the process that holds a state directory, and never the database: for a command that finds the database locked,
// and for a daemon that wants it.

import { StoreError } from '../store/store-error.ts';
import { call } from './call.ts';
import { ownSocket, fitnessOf } from './place.ts';
import { openRemoteStore, type RemoteStore } from './remote-store.ts';

const callMs = 2000;

/** null where nobody serves it, or nobody we understand. The caller closes it. @throws StoreError `store-permissions` */
export async function openGuest(directory: string): Promise<RemoteStore | null> {
  const path = await ownSocket(directory);
  if ((await fitnessOf(path)) !== 'fit') return null;
  const called = await call(path, { deadlineMs: callMs });
  if (called.state !== 'open') return null;
  try {
    return await openRemoteStore(called);
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

/** `kept`: another daemon has it, or somebody who cannot be asked. Never rejects. */
export async function askToGiveWay(directory: string): Promise<'given' | 'kept'> {
  try {
    const guest = await openGuest(directory);
    if (guest === null) return 'kept';
    try {
      await guest.giveWay();
      return 'given';
    } finally {
      await guest.close();
    }
  } catch {
    return 'kept';
  }
}
