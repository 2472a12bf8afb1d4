// Temporary folders that a server under another user can enter, and their removal.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface Folder {
  readonly path: string;
  remove(): Promise<void>;
}

/** Short on purpose: UNIX socket paths end at 108 characters. */
export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join('/tmp', 'll-'));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10 }) };
}
